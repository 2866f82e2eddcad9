"""New service keys for a spool at work: which may be taken, and wrapping every message key by the newest.

what:       checks of given keys against those a shard was written with; a pass over the slots that can be cut off
takes→gives: `ServiceKeys` → a reason to refuse, or the same slots under the newest key
knows not:  why keys rotate, threads
fails by:   `SpoolUnavailable`, `sqlite3.Error`, `OSError`
standard:   DESIGN §4 Spool; NIST SP 800-57 part 1, 5.3.5 (a key's period ends)

A slot is written over in place, whole or not at all, and opens with the old key or the new one: a pass that is cut off
loses nothing and is simply done again.
"""

from __future__ import annotations

import sqlite3
from collections import Counter

from gateway.spool.keyslots import KeySlots, Slot, SlotBroken, mark_of
from gateway.spool.protocol import SpoolUnavailable
from gateway.spool.rows import Store
from gateway.spool.sealing import SealBroken, ServiceKeys

AT_ONCE = 200  # messages per turn of the writing thread


def check_keys(connection: sqlite3.Connection, slots: KeySlots, keys: ServiceKeys) -> None:
    """Raise unless these keys open all that is here, and none is another one under a number that is known."""
    for key_id, check in keys.checks.items():
        known = connection.execute("SELECT value FROM meta WHERE name = ?", (f"key {key_id}",)).fetchone()
        if known is not None and known[0] != check:
            raise SpoolUnavailable(f"spool key {key_id} is not the key this shard was written with")
    missing = set(uses(slots)) - set(keys.checks)
    if missing:
        raise SpoolUnavailable(f"mail in this shard needs spool key {min(missing)}, which is not among the keys given")


def learn_keys(connection: sqlite3.Connection, keys: ServiceKeys) -> None:
    """Remember, inside the caller's transaction, what tells these keys; they were checked."""
    known = [(f"key {key_id}", check) for key_id, check in keys.checks.items()]
    connection.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", known)


def uses(slots: KeySlots) -> Counter[int]:
    """How many message keys each service key wraps."""
    return Counter(slot.key_id for _, slot in slots.used() if slot is not None)


def rewrap(store: Store, after: int) -> int | None:
    """Wrap the keys of the next messages behind number `after` anew, durably. Gives the last one, None at the end."""
    found = store.connection.execute(
        "SELECT n, id, slot FROM messages WHERE n > ? ORDER BY n LIMIT ?", (after, AT_ONCE)
    ).fetchall()
    fresh = {number: slot for _, message, number in found if (slot := _anew(store, message, number)) is not None}
    if fresh:
        store.slots.write(fresh)
        store.slots.sync()
    return int(found[-1][0]) if found else None


def _anew(store: Store, message: str, number: int) -> Slot | None:
    """None where there is nothing to do, or nothing that opens: opening the mail will set it aside and say why."""
    try:
        slot = store.slots.read(number)
        if slot is None or slot.key_id == store.keys.newest or slot.mark != mark_of(message):
            return None
        key = store.keys.unwrap(message, slot.key_id, slot.wrapped)
    except (SlotBroken, SealBroken):
        return None
    return Slot(slot.mark, store.keys.newest, store.keys.wrap(message, key))
