"""What a fold changed, as one change of Redis: rows, events, and every index that follows from them.

what:       turns `Folded` into operations; the way back from person numbers to pseudonyms is kept here
takes→gives: rows before, `Folded` → a filled `Change`
knows not:  connections, journals, what an event means
fails by:   `Unreadable`
standard:   DESIGN §4 Redis
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.registry.folding import Folded
from gateway.registry.postings import Index, Posting
from gateway.registry.protocol import EventRow, StateRow
from gateway.registry.redis_change import Change
from gateway.registry.redis_keys import ROW, pack_event, pack_state


@dataclass(slots=True)
class Before:
    """Rows as they are in Redis, by the pseudonym they are to have.

    `under`: the older pseudonym of a row that is lifted on the way; `last`: the highest event number there ever was.
    """

    rows: dict[bytes, StateRow] = field(default_factory=dict)
    asked: list[bytes] = field(default_factory=list)
    under: dict[bytes, StateRow] = field(default_factory=dict)
    last: int = 0


def change_rows(change: Change, before: Before, folded: Folded) -> None:
    """Everything that a fold changed, provided that every row is still as it was before."""
    expect_rows(change, before)
    # What is erased in the same batch that brought it is not even written.
    add_events(change, [row for row in folded.events if row.number >= folded.erased.get(row.person, 0)])
    put_states(change, before, folded.states)
    put_postings(change, folded.lost, folded.gained)
    if folded.last != before.last:
        change.put(change.keys.identity, "last", folded.last)


def expect_rows(change: Change, before: Before) -> None:
    """Also rows that are not there must still not be there."""
    keys = change.keys
    for pseudonym in before.asked:
        row = before.rows.get(pseudonym) if pseudonym not in before.under else None
        change.expect(keys.bucket(pseudonym), pseudonym[2:], None if row is None else pack_state(row))
    for older in before.under.values():
        change.expect(keys.bucket(older.pseudonym), older.pseudonym[2:], pack_state(older))
    change.expect(keys.identity, "last", before.last or None)


def add_events(change: Change, rows: Iterable[EventRow]) -> None:
    """Event rows with their places in the person's list and in the list of their kind."""
    keys, oldest = change.keys, dict[tuple[str, int], int]()
    for row in rows:
        change.put_last(keys.events(row.number), row.number, pack_event(row))
        if row.number != row.person:
            change.add(keys.numbers(row.person), row.person, row.number)
        place = row.kind, row.number // ROW
        oldest[place] = min(row.at, oldest.get(place, row.at))
    for (kind, block), at in oldest.items():
        change.oldest(keys.kinds(kind), at, block)


def put_states(change: Change, before: Before, states: Iterable[StateRow]) -> None:
    """State rows, and under which pseudonyms a person number is to be found; rows of older layers go."""
    written: dict[bytes, int] = {}
    fresh: dict[int, bytes] = {}
    for row in states:
        old = before.rows.get(row.pseudonym)
        change.put_row(row)
        written[row.pseudonym] = row.person
        if old is None and row.person > before.last:
            fresh[row.person] = fresh.get(row.person, b"") + row.pseudonym
        elif old is None or old.person != row.person:
            if old is not None:
                change.unname(old.person, row.pseudonym)
            change.name(row.person, row.pseudonym)
    for person, names in fresh.items():
        change.put_last(change.keys.names(person), person, names)
    for new, older in before.under.items():
        if new not in written:
            change.put_row(before.rows[new])
        change.drop_row(older.pseudonym)
        change.unname(older.person, older.pseudonym)
        if written.get(new, older.person) == older.person:
            change.name(older.person, new)


def put_postings(change: Change, lost: Iterable[Posting], gained: Iterable[Posting]) -> None:
    for posting in sorted(lost):
        _posting(change, posting, there=False)
    for posting in sorted(gained):
        _posting(change, posting, there=True)


def _posting(change: Change, posting: Posting, *, there: bool) -> None:
    keys, entry = change.keys, f"{posting.event}/{posting.person}"
    if posting.name is Index.CONTACT:
        (change.add if there else change.unadd)(keys.contacts(posting.key), posting.key, entry)
    elif posting.name is Index.PUBLICATION:
        change.count(keys.publications, posting.key, 1 if there else -1)
    elif there:
        change.rank(keys.returns, posting.event, entry)
    else:
        change.unrank(keys.returns, entry)
