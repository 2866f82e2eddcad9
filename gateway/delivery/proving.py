"""The self-check: the first finished copy of each message and variant, read by another parser before it leaves.

what:       asks `proof` for differences, and whether the copy shows another recipient of the same message
takes→gives: unsealed `Job`, `Party`, `Content` → "" or why the copy must not leave
knows not:  MIME, edits, connections
fails by:   `SpoolUnavailable`; a copy that cannot be read counts as one that differs
standard:   DESIGN I-1, I-3, I-5; `delivery.self_check` says for which share of the messages this is done
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.address import Address, InvalidAddress
from gateway.config.organisation import Organisation
from gateway.delivery.outcome import Job
from gateway.delivery.party import Party
from gateway.delivery.prepare import Content
from gateway.message.template import Slot
from gateway.observe import maillog, metrics
from gateway.proof.examine import examine
from gateway.proof.expectation import Expectation
from gateway.proof.reading import Reading

NAME = "self_check"
SHOWN = frozenset({"leak_check", "content_check"})
"""Rules whose release by an operator says that what the mail shows may be shown."""
_REMEMBERED = 4096
_AT_ONCE = 256 * 1024  # octets; more is read in a thread, so that other mail goes on
_MOST_ROWS = 10_000


class Prover:
    """One per worker; remembers which messages and variants it has seen."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def why_not(self, job: Job, party: Party, content: Content) -> str:
        """ "" for a copy that may leave. Mail without an expectation is our own, or was not chosen for the check."""
        assert job.opened is not None, "unseal comes first"
        stored, key = job.opened.message.get("proof"), (job.entry.message, content.variant)
        if not isinstance(stored, Mapping) or content.variant not in stored:
            return ""
        if key in self._seen or job.entry.released == NAME:
            return ""
        found = await self._differences(job, party, content, stored[content.variant])
        organisation = party.organisation.name
        metrics.SELF_CHECKS.labels(organisation, "different" if found else "same").inc()
        if found:
            maillog.self_check_failed(job.entry.message, organisation, "; ".join(found))
            return f"{NAME}: the finished copy is not as it should be: {'; '.join(found)}"
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return ""

    async def _differences(self, job: Job, party: Party, content: Content, stored: Mapping[str, Any]) -> list[str]:
        expectation, letter = Expectation.from_json(stored), job.opened_letter
        signer = party.signers.get(letter.from_domain) if content.head else None
        several = expectation.private and letter.path.split and job.entry.released not in SHOWN

        def read() -> tuple[list[str], set[str]]:
            octets = content.head + content.body
            reading = Reading(octets)
            key = signer.public_key if signer is not None else None
            opt_out = letter.slots.get(Slot.OPT_OUT, b"").decode()
            found = examine(octets, reading, expectation, opt_out=opt_out, key=key)
            return found, _others(reading, party.organisation) if several else set()

        if len(content.body) > _AT_ONCE:
            found, shown = await asyncio.to_thread(read)
        else:
            found, shown = read()
        if shown and (number := await self._fellows(job, party, shown)):
            found.append(f"it shows {number} other recipients")
        return found

    async def _fellows(self, job: Job, party: Party, shown: Iterable[str]) -> int:
        """How many of these addresses are other recipients of the same message (I-1)."""
        rows = await job.spool.entries(message=job.entry.message, limit=_MOST_ROWS)
        fellows = {row.person_exact for row in rows} - {job.entry.person_exact, job.opened_letter.person.exact}
        if not fellows:
            return 0
        people = party.pseudonyms.people([a for text in shown if (a := _address(text)) is not None])
        return sum(any(exact in fellows for exact in person.every_exact) for person in people)


def _others(reading: Reading, organisation: Organisation) -> set[str]:
    """What looks like an address, without those that anybody may see."""
    allowed = {*organisation.contacts, organisation.controller.contact, organisation.postmaster}
    for name in ("From", "Sender", "Reply-To"):
        allowed.update(word.strip("<>,;\"'") for value in reading.values(name) for word in value.split())
    low = {text.lower() for text in allowed}
    return {text for text in reading.addresses() if text.lower() not in low}


def _address(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except (InvalidAddress, UnicodeError):
        return None
