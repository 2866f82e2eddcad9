"""Reading one shard: listing without unsealing, and unsealing.

what:       queries on a read-only connection; `Entry` and `Opened` values
takes→gives: a connection (and slots, keys to unseal) → entries, due times, opened content
knows not:  claims, writing, threads
fails by:   `sqlite3.Error`, `SealBroken`, `SlotBroken`, `EntryGone`
standard:   DESIGN §4 Spool; L-03
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.spool.keyslots import KeySlots
from gateway.spool.protocol import Entry, EntryGone, NewMessage, Opened, State
from gateway.spool.rows import seal_from
from gateway.spool.sealing import MessageSeal, SealBroken, ServiceKeys, to_json

_COLUMNS = (
    "r.id, m.id, m.reference, m.organisation, m.client, m.stream, m.received, m.facts, r.person_exact,"
    " r.person_wide, r.state, r.provider, r.variant, r.attempts, r.due, r.until, r.reason"
)
_PARTS = "r.number, r.sealed, m.n, m.id, m.slot, m.sealed, m.size"
_JOINED = " FROM rows r JOIN messages m ON m.n = r.message"
_ENTRY = f"SELECT {_COLUMNS}{_JOINED}"
AT_HAND = 64 * 1024  # octets of a body that a claim brings along, when no other row will want it
DUE_SQL = "SELECT id FROM rows WHERE state = 'queued' AND due <= ? ORDER BY due, id LIMIT ?"
NEXT_SQL = "SELECT id, due FROM rows WHERE state = 'queued' ORDER BY due, id LIMIT ?"
_BY_ID_SQL = (
    f"SELECT {_PARTS}, CASE WHEN m.open = 1 AND m.size <= {AT_HAND} THEN b.sealed END, {_COLUMNS}{_JOINED}"
    " LEFT JOIN bodies b ON b.message = m.n WHERE r.id IN (%s) ORDER BY r.due, r.id"
)
_OLDEST_SQL = (
    "SELECT received FROM messages m WHERE EXISTS"
    " (SELECT 1 FROM rows WHERE message = m.n AND state = 'queued') ORDER BY m.n LIMIT 1"
)
_DEPTH_SQL = (
    "SELECT m.organisation, m.stream, r.state, count(*) FROM rows r JOIN messages m ON m.n = r.message GROUP BY 1, 2, 3"
)
_PARTS_SQL = f"SELECT {_PARTS}, NULL{_JOINED} WHERE r.id = ? AND m.id = ?"
_IN_MAX = 500
_PARTS_WIDTH = 8
DAMAGED = "clear columns are damaged"


@dataclass(frozen=True, slots=True)
class Parts:
    """One row's sealed parts, as stored. `row` is None once the row is final; `size` is the plain body's, in octets.

    `body` is None where it was not read along.
    """

    number: int
    row: bytes | None
    n: int
    message: str
    slot: int
    values: bytes
    size: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Content:
    """Unsealed parts that all rows of a message share, with the seal that opens its rows."""

    seal: MessageSeal
    values: Mapping[str, object] = field(repr=False)
    body: bytes = field(repr=False)

    def opened(self, parts: Parts) -> Opened:
        """Unseal one row. Raises `EntryGone`, `SealBroken`."""
        return Opened(self.values, open_row(self.seal, parts), self.body)


def due(connection: sqlite3.Connection, now: float, limit: int) -> list[int]:
    """Ids of queued rows due at `now`, oldest first."""
    return [row for (row,) in connection.execute(DUE_SQL, (now, limit)).fetchall()]


def earliest(connection: sqlite3.Connection, limit: int) -> list[tuple[int, float]]:
    """Ids and due times of the first `limit` queued rows."""
    return connection.execute(NEXT_SQL, (limit,)).fetchall()


def by_ids(connection: sqlite3.Connection, rows: Sequence[int]) -> list[tuple[Entry, Parts]]:
    """Entries of these rows with their sealed parts, by due time."""
    found: list[tuple[Entry, Parts]] = []
    for start in range(0, len(rows), _IN_MAX):
        some = rows[start : start + _IN_MAX]
        for values in connection.execute(_BY_ID_SQL % ",".join("?" * len(some)), some).fetchall():
            found.append((_entry(values[_PARTS_WIDTH:]), Parts(*values[:_PARTS_WIDTH])))
    return found


def entries(
    connection: sqlite3.Connection,
    *,
    state: State | None = None,
    message: str | None = None,
    organisation: str | None = None,
    row: int | None = None,
    until: float | None = None,
    limit: int = 1000,
) -> list[Entry]:
    """Rows that match everything given, oldest first; `until`: its end has passed by then."""
    wanted: list[tuple[str, object]] = [
        (sql, value)
        for sql, value in (
            ("r.state = ?", state and state.value),
            ("m.id = ?", message),
            ("m.organisation = ?", organisation),
            ("r.id = ?", row),
            ("r.until > 0 AND r.until <= ?", until),
        )
        if value is not None
    ]
    where = " WHERE " + " AND ".join(sql for sql, _ in wanted) if wanted else ""
    sql = f"{_ENTRY}{where} ORDER BY r.id LIMIT ?"
    return list(map(_entry, connection.execute(sql, (*(value for _, value in wanted), limit)).fetchall()))


def counts(connection: sqlite3.Connection) -> dict[tuple[str, str, str], int]:
    """Rows by (organisation, stream, state)."""
    return {(o, s, state): number for o, s, state, number in connection.execute(_DEPTH_SQL).fetchall()}


def oldest_received(connection: sqlite3.Connection) -> float | None:
    """When the oldest message with a queued row came in."""
    found = connection.execute(_OLDEST_SQL).fetchone()
    return float(found[0]) if found else None


def parts(connection: sqlite3.Connection, entry: Entry) -> Parts:
    """What is needed to unseal `entry`, but the body. Raises `EntryGone`."""
    found = connection.execute(_PARTS_SQL, (entry.row, entry.message)).fetchone()
    if found is None:
        raise EntryGone(f"row {entry.row} of message {entry.message} is no longer here")
    return Parts(*found)


def seal_of(slots: KeySlots, keys: ServiceKeys, sealed: Parts) -> MessageSeal:
    """The message's seal. Raises `SealBroken`, `SlotBroken`."""
    return seal_from(slots.read(sealed.slot), sealed.message, keys)


def content(connection: sqlite3.Connection, slots: KeySlots, keys: ServiceKeys, sealed: Parts) -> Content:
    """Unseal what the rows of one message share. Raises `SealBroken`, `SlotBroken`."""
    body = sealed.body
    if body is None:
        found = connection.execute("SELECT sealed FROM bodies WHERE message = ?", (sealed.n,)).fetchone()
        if found is None:
            raise SealBroken("body: is not there")
        body = found[0]
    seal = seal_of(slots, keys, sealed)
    return Content(seal, seal.open_values(sealed.values), seal.open_body(body))


def as_stored(message: NewMessage, seal: MessageSeal) -> Content:
    """What `content` would give for a message that was just stored."""
    return Content(seal, json.loads(to_json(message.sealed)), message.body)


def open_row(seal: MessageSeal, sealed: Parts) -> Mapping[str, object]:
    """Unseal one row's values. Raises `EntryGone` for a final row, `SealBroken`."""
    if sealed.row is None:
        raise EntryGone(f"a row of message {sealed.message} is final")
    return seal.open_row(sealed.number, sealed.row)


def _entry(values: tuple[Any, ...]) -> Entry:
    """The entry; where its clear columns cannot be read it says so, as a quarantined one."""
    *before, facts, exact, wide, state, provider, variant, attempts, due_at, until, reason = values
    try:
        known, place = json.loads(facts), State(state)
    except (ValueError, TypeError):
        known, place, reason = {}, State.QUARANTINED, DAMAGED
    fixed: tuple[Any, ...] = (*before, known, exact, wide, place, provider, variant, attempts, due_at, until, reason)
    return Entry(*fixed)
