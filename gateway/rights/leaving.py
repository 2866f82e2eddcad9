"""The end of the purge clock: people who left, and people of whom only an open order was still kept.

what:       who is due, and forgetting them
takes→gives: registry, now → how many people were (or would be) forgotten
knows not:  when this is done, what the audit says of it
fails by:   `RegistryUnavailable`; may be done again, and then finds less
standard:   S-28, S-62; GDPR 5(1)(e). What stays is the tombstone: a block is never purged (I-10)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from gateway.facts import Facts
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry.protocol import Event, EventKind, EventRow, Evidence, PeopleRegistry
from gateway.rights.effects import CHANNEL, PURGE, WHEN_DONE
from gateway.rights.retained import open_references

_PAGE = 5000
_BY = Evidence("system", CHANNEL, "", "the purge clock ran out")
_OWN = frozenset({EventKind.RETAINED.value, EventKind.LIFTED.value})
_ENDS = frozenset({EventKind.LIFTED, EventKind.CONSENT})
Traces = Callable[[Person], Awaitable[None]]


@dataclass(slots=True)
class Left:
    """`forgotten` people; `oldest`: Unix seconds at which the longest-waiting of those that stay asked, or None."""

    forgotten: int = 0
    oldest: int | None = None


async def forget_due(
    registry: PeopleRegistry, pseudonyms: Pseudonyms, now: int, *, dry: bool = False, traces: Traces | None = None
) -> Left:
    """Forget everybody whose clock ran out at `now` (Unix seconds); `dry` only counts them.

    `traces` takes away what else is left of each, before the registry forgets that their clock ran out.
    """
    left, done = Left(), set[bytes]()
    async for row in _clocks(registry):
        person = await _person(registry, pseudonyms, row)
        if person is None or person.exact in done or await _came_back(registry, person, row.number):
            continue
        if not _ran_out(row, (await registry.facts([person]))[0], now):
            left.oldest = row.at if left.oldest is None else min(left.oldest, row.at)
            continue
        done.add(person.exact)
        left.forgotten += 1
        if not dry:
            if traces is not None:
                await traces(person)
            await registry.erase(person, now, _BY)
    return left


async def _clocks(registry: PeopleRegistry) -> AsyncIterator[EventRow]:
    """Events that started a clock, oldest first: those filed under the person alone, not under look-alikes too."""
    after = 0
    while page := await registry.event_rows(after, _PAGE):
        for row in page:
            if row.kind in _OWN and row.channel == CHANNEL and row.wording.startswith(PURGE):
                yield row
        after = page[-1].number


async def _person(registry: PeopleRegistry, pseudonyms: Pseudonyms, row: EventRow) -> Person | None:
    fed = await registry.feed(row.number - 1, 1)
    if not fed or fed[0].number != row.number:
        return None  # erased meanwhile
    return pseudonyms.known_by(fed[0].person, pseudonyms.version)


async def _came_back(registry: PeopleRegistry, person: Person, number: int) -> bool:
    """Whether an operator or the person undid it afterwards: then the clock stands still."""
    events = await registry.history(person)
    return any(n > number and _undoes(event) for n, event in events)


def _undoes(event: Event) -> bool:
    return event.kind in _ENDS and not event.evidence.wording.startswith(PURGE)


def _ran_out(row: EventRow, facts: Facts, now: int) -> bool:
    if row.wording == WHEN_DONE:
        return not open_references(facts)
    text = row.wording.removeprefix(PURGE)
    return text.isascii() and text.isdigit() and int(text) <= now
