"""Retention in SQLite: old fact events go, and with them the facts that rest on nothing else.

what:       one batch inside a transaction of the caller
takes→gives: kinds and a time → how many events went
knows not:  which kinds are kept how long, who decided it
fails by:   `sqlite3.Error`; `InvalidEvent` for a kind that is not purgeable
standard:   S-56, S-29; GDPR 5(1)(e)
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import replace

from gateway.pseudonym import Person
from gateway.registry import folding, store
from gateway.registry.events import PURGEABLE, InvalidEvent
from gateway.registry.folding import Row
from gateway.registry.named import kinds_beside, refolded
from gateway.registry.protocol import Event, EventKind, EventRow, StateRow
from gateway.registry.state import unpack

BATCH = 5000  # events per commit
_OLD = "SELECT number, person FROM events WHERE kind GLOB 'fact-*' AND kind IN ({}) AND at < ? LIMIT ?"
_PAST = (
    "SELECT number FROM events WHERE kind GLOB 'fact-*' AND kind = 'fact-retained' "
    "AND json_extract(detail, '$.until') < ? LIMIT ?"
)
_KEEPING = """SELECT pseudonym, person, layer, data FROM state WHERE data LIKE '%"h":%'"""


def check(kinds: Collection[EventKind]) -> None:
    """Raise `InvalidEvent` unless all of these may go."""
    wrong = sorted(k.value for k in kinds if k not in PURGEABLE)
    if wrong:
        raise InvalidEvent(f"kind: {', '.join(wrong)} is a consent, a block or a protection, and is never purged")


def purge_batch(connection: sqlite3.Connection, kinds: Collection[EventKind], before: int, layer: int) -> int:
    """Delete up to `BATCH` events of these kinds older than `before`; what is retained goes by its own date."""
    gone = _purge_old(connection, frozenset(kinds) - {EventKind.RETAINED}, before, layer)
    if EventKind.RETAINED in kinds:
        gone += _purge_past(connection, before, layer)
    return gone


def _purge_old(connection: sqlite3.Connection, kinds: frozenset[EventKind], before: int, layer: int) -> int:
    query = _OLD.format(_marks(kinds))
    old = connection.execute(query, (*(k.value for k in kinds), before, BATCH)).fetchall()
    _delete(connection, (number for number, _ in old))
    people = sorted({person for _, person in old})
    for start in range(0, len(people), 500):
        _refold(connection, people[start : start + 500], kinds, layer)
    return len(old)


def _refold(connection: sqlite3.Connection, people: list[int], kinds: frozenset[EventKind], layer: int) -> None:
    left = _left(connection, people, kinds)
    held = folding.held_of(_rows(connection, f"person IN ({_marks(people)})", people))
    for row in held.values():
        if not row.state.erased:
            row.state = refolded(row.state, kinds, left.get(row.person, ()))
    _keep(connection, held, layer)


def _left(
    connection: sqlite3.Connection, people: list[int], kinds: frozenset[EventKind]
) -> dict[int, list[tuple[int, Event]]]:
    """The fact events that are left of these people, in order, by person number."""
    beside = [k.value for k in kinds_beside(kinds)]
    query = (
        f"SELECT {store.EVENT} FROM events WHERE person IN ({_marks(people)}) AND kind IN ({_marks(beside)}) "
        "ORDER BY number"
    )
    nobody = Person(bytes(32), bytes(32))  # whose facts they are does not matter to what they say
    found: dict[int, list[tuple[int, Event]]] = {}
    for values in connection.execute(query, (*people, *beside)):
        row = EventRow(*values)
        found.setdefault(row.person, []).append((row.number, folding.stored_event(nobody, row)))
    return found


def _purge_past(connection: sqlite3.Connection, before: int, layer: int) -> int:
    """What the law no longer keeps, also of erased people, of whom no event tells it any more."""
    past = [number for (number,) in connection.execute(_PAST, (before, BATCH))]
    _delete(connection, past)
    keeping = {row[0]: StateRow(*row) for row in connection.execute(_KEEPING)}
    held = folding.held_of({p: row for p, row in keeping.items() if _has_past(row, before)})
    tombstones = 0
    for row in held.values():
        tombstones += row.state.erased
        row.state = replace(row.state, retained=tuple(r for r in row.state.retained if r.until >= before))
    _keep(connection, held, layer)
    return len(past) + tombstones


def _has_past(row: StateRow, before: int) -> bool:
    return any(r.until < before for r in unpack(row.data).retained)


def _keep(connection: sqlite3.Connection, held: dict[bytes, Row], layer: int) -> None:
    store.keep(connection, folding.folded(held, [], [], store.last_number(connection), layer))


def _rows(connection: sqlite3.Connection, where: str, values: Iterable[int]) -> dict[bytes, StateRow]:
    query = f"SELECT pseudonym, person, layer, data FROM state WHERE {where}"
    return {row[0]: StateRow(*row) for row in connection.execute(query, tuple(values))}


def _delete(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    with store.opened(connection):
        connection.executemany("DELETE FROM events WHERE number = ?", [(n,) for n in numbers])


def _marks(values: Collection[object]) -> str:
    return ",".join("?" * len(values))
