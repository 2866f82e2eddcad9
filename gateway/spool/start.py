"""Opening a shard: do its files belong together, and what did the last owner leave behind.

what:       checks of identity and keys; orphan slots zeroed, messages without a key set aside, cut-off attempts counted
takes→gives: writing connection, slots, keys → `Found`
knows not:  how the shard is used afterwards
fails by:   `SpoolUnavailable`, before anything is changed, when database, slots and keys do not belong together
standard:   DESIGN §4 Spool; I-3, I-4; R-018
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.audit.protocol import AuditRow
from gateway.spool.keyslots import KeySlots, SlotBroken, mark_of
from gateway.spool.protocol import QUARANTINE, SpoolUnavailable
from gateway.spool.rewrapping import check_keys, learn_keys
from gateway.spool.schema import FINAL
from gateway.spool.sealing import ServiceKeys

NO_KEY = "message key: slot is empty, damaged or another message's"
_OPEN_STATES = "state NOT IN ({})".format(", ".join(f"'{state}'" for state in FINAL))

Record = Callable[[sqlite3.Connection, Sequence[AuditRow]], None]


@dataclass(frozen=True, slots=True)
class Found:
    """`cut_off`: rows being sent when the last owner ended, by organisation; `broken`: rows whose key is gone."""

    cut_off: Counter[str]
    broken: int


def settle(connection: sqlite3.Connection, slots: KeySlots, keys: ServiceKeys, record: Record) -> Found:
    """Bring the shard into a state to work from, in one transaction; slots are cleaned after it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        _check_identity(connection, slots)
        check_keys(connection, slots, keys)
        learn_keys(connection, keys)
        kept, broken = _match(connection, slots, record)
        found = Found(_count_cut_off(connection, record), broken)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    slots.start(kept)
    return found


def _check_identity(connection: sqlite3.Connection, slots: KeySlots) -> None:
    known = connection.execute("SELECT value FROM meta WHERE name = 'slots'").fetchone()
    if known is not None and known[0] == slots.id:
        return
    (messages,) = connection.execute("SELECT count(*) FROM messages").fetchone()
    if messages or any(True for _ in slots.used()):
        # Going on would zero every key in the file, or set aside every message, for a file that is only misplaced.
        raise SpoolUnavailable(
            f"database and slot file of this shard do not belong together ({messages} messages): "
            "put the right file back, or move both away to give that mail up"
        )
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('slots', ?)", (slots.id,))


def _match(connection: sqlite3.Connection, slots: KeySlots, record: Record) -> tuple[set[int], int]:
    """Slot numbers to keep, and how many rows were set aside for want of a key."""
    kept: set[int] = set()
    broken = 0
    for n, message, organisation, number in connection.execute(
        "SELECT n, id, organisation, slot FROM messages ORDER BY n"
    ).fetchall():
        kept.add(number)
        if not _fits(slots, number, message):
            broken += _set_aside(connection, n, message, organisation, record)
    return kept, broken


def _fits(slots: KeySlots, number: int, message: str) -> bool:
    try:
        slot = slots.read(number)
    except SlotBroken:
        return False
    return slot is not None and slot.mark == mark_of(message)


def _set_aside(connection: sqlite3.Connection, n: int, message: str, organisation: str, record: Record) -> int:
    now = time.time()
    people = connection.execute(
        f"SELECT person_exact FROM rows WHERE message = ? AND {_OPEN_STATES} AND reason <> ?", (n, NO_KEY)
    ).fetchall()
    connection.execute(
        f"UPDATE rows SET state = 'quarantined', reason = ?, due = ?, sending = 0 WHERE message = ? AND {_OPEN_STATES}",
        (NO_KEY, now + QUARANTINE, n),
    )
    detail = {"reason": NO_KEY}
    record(connection, [AuditRow(now, organisation, message, "quarantined", exact, detail) for (exact,) in people])
    return len(people)


def _count_cut_off(connection: sqlite3.Connection, record: Record) -> Counter[str]:
    now = time.time()
    rows = connection.execute(
        "SELECT m.organisation, m.id, r.person_exact, r.provider, r.attempts FROM rows r"
        " JOIN messages m ON m.n = r.message WHERE r.sending = 1 ORDER BY r.id"
    ).fetchall()
    connection.execute("UPDATE rows SET attempts = attempts + 1, sending = 0 WHERE sending = 1")
    record(
        connection,
        [
            AuditRow(now, organisation, message, "uncertain", exact, {"provider": provider, "attempt": attempts + 1})
            for organisation, message, exact, provider, attempts in rows
        ],
    )
    return Counter(organisation for organisation, *_ in rows)
