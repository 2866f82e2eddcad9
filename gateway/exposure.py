"""Whose addresses a mail would show to others, if it left as it is: what a breach is counted by.

what:       people outside who stand in To and Cc of mail that is not private, whom the leak check found, or who stand
            in a list that may hold names only
takes→gives: settings, message, facts → people, in the order in which the mail shows them
knows not:  whether the mail leaves, what is done about it
fails by:   nothing
standard:   L-26, L-37, L-38; S-10; I-1
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Set

from gateway.address import Address, InvalidAddress
from gateway.config.organisation import Organisation
from gateway.envelope import Envelope
from gateway.filters import content_check, leak_check
from gateway.filters.context import Outcome
from gateway.leaks import allowed
from gateway.message.addresses import addresses
from gateway.message.parse import Message
from gateway.plan import Plan
from gateway.pseudonym import Person
from gateway.tenant import Tenant

_SHOWN_IN = ("to", "cc", "resent-to", "resent-cc")
_UNSURE = "~"  # how a place begins that is an id or a second reading (`leak_check.find`)


def exposed(tenant: Tenant, envelope: Envelope, made: Plan) -> list[Person]:
    """Whom this mail would show to others: stopped private mail those of the leak, other mail those in To and Cc."""
    inside = made.read.inspection.addresses
    if not made.read.private:
        found = visible(tenant.organisation, made.read.message, [r.address for r in envelope.recipients])
    elif made.stop is not None and _shows(made.stop) and made.renditions:
        draft = next(iter(made.renditions.values())).draft
        seen = {**inside, **leak_check.find(draft)}
        found = leaked(
            seen if made.stop.filter == leak_check.NAME else _people(tenant.organisation, seen),
            recipients={r.address.exact() for r in envelope.recipients},
            known={a.exact() for a in made.found.known_others()},
            allowed=allowed(tenant, made.read),
        )
    else:
        found = []
    return [tenant.pseudonyms.person(address) for address in found]


def _people(organisation: Organisation, seen: Mapping[Address, tuple[str, ...]]) -> dict[Address, tuple[str, ...]]:
    """Those outside who stand there for sure: no ids, no second readings."""
    own = organisation.own_domains
    sure = {a: places for a, places in seen.items() if any(not p.startswith(_UNSURE) for p in places)}
    return {a: places for a, places in sure.items() if a.canonical_domain not in own}


def _shows(stop: Outcome) -> bool:
    """Whether a mail was stopped because it shows people to each other."""
    return stop.filter == leak_check.NAME or (stop.filter, stop.kind) == (content_check.NAME, content_check.LIST)


def visible(organisation: Organisation, message: Message, recipients: Collection[Address]) -> list[Address]:
    """People outside whom somebody else outside sees in To or Cc; nobody where at most one stands there."""
    ours = {a.exact() for text in organisation.contacts if (a := _address(text)) is not None}
    inside = organisation.own_domains

    def outside(found: Iterable[Address]) -> dict[bytes, Address]:
        return {key: a for a in found if a.canonical_domain not in inside and (key := a.exact()) not in ours}

    seen, watching = outside(_named(message)), set(outside(recipients))
    return [a for key, a in seen.items() if watching - {key}] if len(seen) > 1 else []


def leaked(
    shown: Mapping[Address, object], *, recipients: Set[bytes], known: Set[bytes], allowed: Set[bytes]
) -> list[Address]:
    """Those whom the leak check stopped a private mail for, counted as it counts; sets hold exact canonical forms."""
    own = recipients if len(recipients) == 1 else frozenset[bytes]()
    others = {key: a for a in shown if (key := a.exact()) not in allowed and key not in own}
    for which in (recipients, known):
        if found := [a for key, a in others.items() if key in which]:
            return found
    return list(others.values())


def _address(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except InvalidAddress:
        return None


def _named(message: Message) -> Iterator[Address]:
    for name in _SHOWN_IN:
        for item in message.fields(name):
            yield from (box.address for box in addresses(message.raw_value(item)) if box.address is not None)
