"""What a mail itself teaches the registry: data given away, a version told, a client's own name of a person.

what:       events that follow from a planned mail, and in which order with its commit
takes→gives: `Plan` → events; `Notes` collects what may wait and records it in batches
knows not:  how the registry stores; the body
fails by:   `RegistryUnavailable` for shares, which come first; the others are logged, and the next mail says them again
standard:   S-13, S-37, S-39; DESIGN §4 "Who can name a person"

The order is part of the promise. A share is in the ledger before the mail is in the spool: a crash between the two
leaves a row about a mail that never left, never a mail without its row. That somebody was told of a version is recorded
after the mail is in the spool: a crash between the two may tell a person twice, never not at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.decision import Action
from gateway.facts import BlockKind
from gateway.observe import maillog
from gateway.plan import Plan
from gateway.policy.sharing import ledger_entry
from gateway.registry.protocol import Event, EventKind, Evidence, RegistryUnavailable
from gateway.tenant import Tenant

_MOST = 10_000  # notes that wait; one more is left to the person's next mail


def shares(made: Plan, at: float) -> list[Event]:
    """One entry of the share ledger for mail that gives a known person's data to a third party and was not held."""
    if made.found.about is None or not leaves(made):
        return []
    detail = ledger_entry(made.classification, made.id)
    return [Event(EventKind.SHARED, made.found.about, int(at), _evidence(made), detail=detail)]


def announcements(made: Plan, at: float) -> list[Event]:
    """That these people were told of the mail's reference, on streams that tell once (S-37)."""
    reference = made.classification.reference
    if "once" not in made.read.rule.needs or not reference or made.stop is not None:
        return []
    told = (c.person for c in made.by_action(Action.DELIVER))
    detail = {"reference": reference}
    return [Event(EventKind.ANNOUNCED, person, int(at), _evidence(made), detail=detail) for person in told]


def contact(made: Plan, at: float) -> Event | None:
    """The client's own id of the only recipient, when it is new. Nothing is noted of who is unknown and refused, and
    nothing of who was erased."""
    mark, client = made.classification.contact, made.read.client.name
    if not mark or len(made.copies) != 1:
        return None
    (copy,) = made.copies
    if (client, mark) in copy.facts.contacts or any(b.kind is BlockKind.ERASURE for b in copy.facts.blocks):
        return None
    if copy.recipient.postmaster or (copy.decision.action is Action.REFUSE and not copy.facts.known):
        return None
    return Event(EventKind.CONTACT, copy.person, int(at), _evidence(made), detail={"client": client, "contact": mark})


def leaves(made: Plan) -> bool:
    """Whether anybody gets this mail without a person looking at it first."""
    return made.stop is None and bool(made.by_action(Action.DELIVER))


def _evidence(made: Plan) -> Evidence:
    return Evidence("system", channel="mail", proof=made.id)


async def tell(tenant: Tenant, events: Sequence[Event]) -> None:
    """Record what may also get lost: a person who is told twice, or a contact that the next mail brings again."""
    if not events:
        return
    try:
        await tenant.registry.record(events)
    except RegistryUnavailable as error:
        maillog.trouble(f"registry of {tenant.organisation.name}", type(error).__name__)


class Notes:
    """Contacts of one worker that wait for the next `flush`, each once."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, bytes, str], tuple[Tenant, Event]] = {}

    def add(self, tenant: Tenant, event: Event | None) -> None:
        """Remember it for the next flush; nothing is awaited, so that no reply waits for it."""
        if event is not None and len(self._waiting) < _MOST:
            key = (tenant.organisation.name, event.person.exact, str(event.detail))
            self._waiting[key] = (tenant, event)

    async def flush(self) -> int:
        """Record everything that waits, one commit for each organisation; gives how many events that were."""
        waiting, self._waiting = list(self._waiting.values()), {}
        by_name: dict[str, tuple[Tenant, list[Event]]] = {}
        for tenant, event in waiting:
            by_name.setdefault(tenant.organisation.name, (tenant, []))[1].append(event)
        for tenant, events in by_name.values():
            await tell(tenant, events)
        return len(waiting)
