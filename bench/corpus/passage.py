"""One mail, handed in one way, and everything that was found out about it.

what:       asks the house, looks at each copy with every check, verifiers and parsers
takes→gives: name, octets, way → `Passage` ↔ JSON
knows not:  folders, processes, tables
fails by:   nothing: a fault of the gateway is an outcome, `crashed`
"""

from __future__ import annotations

import base64
import re
import time
import traceback
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from typing import Any

import dkim

from bench.corpus import reading, trees
from bench.corpus.checks import CHECKS, Case
from bench.corpus.house import GUESTS, READER, House, Way
from bench.corpus.node import Script
from bench.corpus.truth import Sheet, judge
from gateway.cli.explain import as_submitted
from gateway.explanation import Answer
from gateway.filters.tracker_links import NOT_CLEANED
from tests.parsers.tree import postal, rust, stdlib

_LEFT = re.compile(r"part ([\d.]+): (\d+)")
LOOKED_AT = 3
"""Copies of one mail that are looked at; the first of them by verifiers and parsers."""


@dataclass(slots=True)
class Passage:
    """`outcome`: delivered, refused, held or crashed; `why` the reply or the kind. `seen`: property → how often looked
    at; `wrong`: property and what was wrong."""

    name: str
    way: str
    outcome: str = ""
    why: str = ""
    milliseconds: float = 0.0
    octets: int = 0
    notes: list[str] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    wrong: list[tuple[str, str]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def add(self, name: str, number: int, wrong: list[str]) -> None:
        self.seen[name] = self.seen.get(name, 0) + number
        self.wrong += [(name, text) for text in wrong]


@dataclass(slots=True)
class Walk:
    """What passages share: a house per way, programs of others."""

    houses: dict[Way, House]
    parsers: dict[str, trees.Parser]
    verify: Script | None
    _ends: ExitStack

    @classmethod
    def build(cls, *, node: bool) -> Walk:
        """`node`: ask the programs that run under node too."""
        houses, ends = {way: House.build(way) for way in Way}, ExitStack()
        parsers: dict[str, trees.Parser] = {"standard library": stdlib, "fast-mail-parser": rust}
        verify = None
        if node:
            parsers["postal-mime"] = ends.enter_context(postal())
            verify = ends.enter_context(closing(Script("verify")))
        return cls(houses, parsers, verify, ends)

    def close(self) -> None:
        self._ends.close()

    def go(self, name: str, raw: bytes, way: Way, sheet: Sheet | None = None) -> Passage:
        """Hand `raw` in; look at what comes out."""
        found = Passage(name, way.value, octets=len(raw))
        people = _people(raw, way)
        began = time.perf_counter()
        try:
            answer = self.houses[way].ask(raw, people)
        except Exception:  # noqa: BLE001 - a fault of the gateway is what is looked for here
            found.outcome, found.why = "crashed", traceback.format_exc(limit=-3)
            return found
        found.milliseconds = (time.perf_counter() - began) * 1000
        _outcome(found, answer)
        if found.outcome == "delivered":
            self._look(found, as_submitted(raw), answer, people, sheet)
        return found

    def _look(self, found: Passage, before: bytes, answer: Answer, people: list[str], sheet: Sheet | None) -> None:
        house = self.houses[Way(found.way)]
        cases = [
            _case(before, answer, index, people, house) for index in sorted(answer.finished)[:LOOKED_AT]
        ]  # fmt: skip
        for case in cases:
            for name, check in CHECKS.items():
                found.add(name, *check(case))
        first = cases[0]
        self._verify(found, first, house)
        self._parse(found, first)
        if sheet is not None:
            judge(found, sheet, first, _reported(answer))

    def _verify(self, found: Passage, case: Case, house: House) -> None:
        records = {name.encode(): text.encode() for name, text in house.keys.items()}
        by_dkimpy = dkim.verify(case.after, dnsfunc=lambda name, timeout=5: records.get(name.rstrip(b".")))
        found.add("DKIM by dkimpy", 1, [] if by_dkimpy else ["does not verify"])
        if self.verify is not None:
            content = base64.b64encode(case.after).decode()
            said = self.verify.ask({"content": content, "keys": house.keys})
            ours = next((s["result"] for s in said if s.get("domain") and s["result"] == "pass"), "no pass")
            found.add("DKIM by mailauth", 1, [] if ours == "pass" else [str(said)[:200]])

    def _parse(self, found: Passage, case: Case) -> None:
        texts = sum(leaf.shown for leaf in case.leaves)
        for name, parser in self.parsers.items():
            wrong = trees.difference(parser, case.before, case.after, texts=texts)
            found.add(f"tree by {name}", 1, [wrong] if wrong else [])


def _people(raw: bytes, way: Way) -> list[str]:
    """Recipients: of marketing the first in To, of private mail everybody it names and some more."""
    message = reading.parsed(as_submitted(raw))
    if way is Way.NEWSLETTER:
        return (sorted(reading.addresses(message, ("to",))) or [READER])[:1]
    return list(dict.fromkeys([*sorted(reading.recipients(message)), *GUESTS]))[:100]


def _outcome(found: Passage, answer: Answer) -> None:
    made = answer.made
    if made is None:
        found.outcome, found.why = "refused", str(answer.account["refused"])
        return
    found.notes = sorted({f"{o.filter}: {o.kind}" for r in made.renditions.values() for o in r.outcomes})
    if made.stop is not None:
        found.outcome = "held" if made.stop.action.value == "hold" else "refused"
        found.why = f"{made.stop.filter}: {made.stop.kind}"
        return
    rules = {str(r["rule"]) for r in answer.account["recipients"] if r["action"] != "deliver"}  # type: ignore[attr-defined]
    found.outcome, found.why = ("delivered", "") if answer.finished else ("refused", ", ".join(sorted(rules)))


def _reported(answer: Answer) -> dict[str, int]:
    """How many links of each part the gateway says it could not clean."""
    assert answer.made is not None
    found: dict[str, int] = {}
    for rendition in answer.made.renditions.values():
        for outcome in rendition.outcomes:
            said = _LEFT.fullmatch(outcome.detail) if outcome.kind == NOT_CLEANED else None
            if said is not None and rendition.variant.strictest == rendition.variant:
                found[said[1]] = found.get(said[1], 0) + int(said[2])
    return found


def _case(before: bytes, answer: Answer, index: int, people: list[str], house: House) -> Case:
    assert answer.made is not None
    recipient = answer.made.copies[index].recipient.address.reveal().lower()
    message = reading.parsed(before)
    named = reading.recipients(message) | {p.lower() for p in people}
    writers = reading.addresses(message, ("from", "sender", "reply-to", "resent-from", "resent-sender"))
    newsletter = Way(house.way) is Way.NEWSLETTER
    others = _header_only(named, answer.finished[index]) if newsletter else named
    return Case(
        before=before,
        after=answer.finished[index],
        recipient=recipient,
        others=frozenset(others - writers - {recipient}),
        opt_out=house.opt_out_base if newsletter else "",
        opens=house.opens,
    )


def _header_only(named: set[str], copy: bytes) -> set[str]:
    """A mail to one person may quote others in its text, when there are few and nobody knows them; its header not."""
    head = copy.partition(b"\r\n\r\n")[0]
    seen = reading.everything(head + b"\r\n\r\n")
    return {address for address in named if reading.stands(address, seen)}
