"""Messages and rows as SQL: store, change, destroy.

what:       what one job does inside the writer's transaction, and what has to follow it
takes→gives: `NewMessage`, `Update` → rows; gathers slots, spent slots and counts in `Effects`
knows not:  transactions, threads, files
fails by:   `sqlite3.Error`, `EntryGone`, `ValueError` for a message id used twice
standard:   DESIGN §4 Spool
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.spool.keyslots import KeySlots, Slot, SlotBroken, mark_of
from gateway.spool.protocol import EntryGone, NewMessage, NewRow, State, Update
from gateway.spool.schema import FINAL
from gateway.spool.sealing import MessageSeal, SealBroken, ServiceKeys, new_key, to_json

NEAR = 256 * 1024
"""Octets of a body that is read in the event loop; a larger one is not read again while it is still at hand."""


@dataclass(slots=True)
class Effects:
    """What a job means outside the database.

    `slots` must be durable before the commit, `spent` is zeroed after it; `depth` changes the counts by (organisation,
    stream, state), `free` are rows whose claim ends, `gone` messages that are no longer here, `near` large ones with a
    queued row, which will be wanted at once.
    """

    slots: dict[int, Slot] = field(default_factory=dict)
    spent: list[int] = field(default_factory=list)
    depth: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    free: list[int] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    near: dict[str, tuple[NewMessage, MessageSeal]] = field(default_factory=dict)
    queued: bool = False
    late: int = 0

    def count(self, organisation: str, stream: str, state: str, by: int) -> None:
        if state not in FINAL:
            self.depth[(organisation, stream, state)] += by
            self.queued |= state == State.QUEUED and by > 0


class _Found(NamedTuple):
    """A row and what of its message a change needs; `open` counts the message's rows that are not final."""

    row: int
    number: int
    state: str
    n: int
    message: str
    slot: int
    organisation: str
    stream: str
    open: int


_FIND = (
    "SELECT r.id, r.number, r.state, m.n, m.id, m.slot, m.organisation, m.stream, m.open"
    " FROM rows r JOIN messages m ON m.n = r.message WHERE r.id = ?"
)


@dataclass(frozen=True, slots=True)
class Store:
    """The parts every change needs: the connection inside a transaction, the slots, the service keys, the effects."""

    connection: sqlite3.Connection
    slots: KeySlots
    keys: ServiceKeys
    effects: Effects

    def put(self, message: NewMessage) -> bool:
        """Seal and insert. The same message again is one message (a cancelled caller may repeat itself): False.

        A message without an open row is not kept: there is nothing left to do for it.
        """
        if all(row.state.final for row in message.rows):
            return True
        key = new_key()
        seal = MessageSeal(message.id, key)
        slot = self.slots.reserve()
        try:
            n = self._insert_message(message, slot, seal)
        except sqlite3.IntegrityError:
            self.slots.give_back([slot])
            if self._stored_already(message):
                return False
            raise
        self.effects.slots[slot] = Slot(mark_of(message.id), self.keys.newest, self.keys.wrap(message.id, key))
        self.connection.execute("INSERT INTO bodies VALUES (?, ?)", (n, seal.body(message.body)))
        self.connection.executemany(
            "INSERT INTO rows (message, number, person_exact, person_wide, state, provider, variant, due, until,"
            " reason, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (_row_values(n, number, row, seal) for number, row in enumerate(message.rows)),
        )
        for row in message.rows:
            self.effects.count(message.organisation, message.stream, row.state.value, 1)
        if len(message.body) > NEAR and any(row.state is State.QUEUED for row in message.rows):
            self.effects.near[message.id] = (message, seal)
        return True

    def change(self, updates: Iterable[Update]) -> None:
        """Apply updates. A row that is gone or final stays so; it is counted as late, its audit is still written."""
        for update in updates:
            self.effects.free.append(update.row)
            found = self.connection.execute(_FIND, (update.row,)).fetchone()
            if found is None or found[2] in FINAL:
                self.effects.late += 1
            else:
                self._change_one(update, _Found(*found))

    def replace(self, message: str, new: NewMessage) -> None:
        """Swap a message for its compiled form. Raises `EntryGone` when it is not here (any more)."""
        found = self.connection.execute(
            "SELECT n, id, slot, organisation, stream FROM messages WHERE id = ?", (message,)
        ).fetchone()
        if found is None:
            if self._stored_already(new):
                return
            raise EntryGone(f"message {message} is not in this shard")
        self.destroy(*found)
        self.put(new)

    def destroy(self, n: int, message: str, slot: int, organisation: str, stream: str) -> None:
        """Take a message away: rows, body and, after the commit, its key."""
        for row, state in self.connection.execute("SELECT id, state FROM rows WHERE message = ?", (n,)).fetchall():
            self.effects.count(organisation, stream, state, -1)
            self.effects.free.append(row)
        # Rows and body go along: the trigger of `schema.create`.
        self.connection.execute("DELETE FROM messages WHERE n = ?", (n,))
        self.effects.gone.append(message)
        self.effects.near.pop(message, None)
        self.effects.slots.pop(slot, None)  # put and destroyed in one transaction: nothing was written yet
        self.effects.spent.append(slot)

    def mark_sending(self, rows: Sequence[int]) -> None:
        self.connection.executemany("UPDATE rows SET sending = 1 WHERE id = ?", [(row,) for row in rows])

    def _change_one(self, update: Update, found: _Found) -> None:
        if update.state.final and found.open == 1:
            self.destroy(found.n, found.message, found.slot, found.organisation, found.stream)
            return
        columns: dict[str, object] = {"state": update.state.value, "sending": 0}
        for name in ("due", "until", "attempts", "reason", "variant", "provider"):
            if (value := getattr(update, name)) is not None:
                columns[name] = value
        if update.state.final:
            columns["sealed"] = None
            self.connection.execute("UPDATE messages SET open = open - 1 WHERE n = ?", (found.n,))
        elif update.sealed is not None:
            columns |= self._sealed_again(found, update.sealed)
        names = ", ".join(f"{name} = ?" for name in columns)
        self.connection.execute(f"UPDATE rows SET {names} WHERE id = ?", (*columns.values(), update.row))
        self.effects.count(found.organisation, found.stream, found.state, -1)
        self.effects.count(found.organisation, found.stream, str(columns["state"]), 1)

    def _sealed_again(self, found: _Found, values: Mapping[str, object]) -> dict[str, object]:
        try:
            slot = self.effects.slots.get(found.slot) or self.slots.read(found.slot)
            return {"sealed": seal_from(slot, found.message, self.keys).row(found.number, values)}
        except (SealBroken, SlotBroken) as error:  # what cannot be sealed is not sent: set it aside
            return {"state": State.QUARANTINED.value, "reason": str(error)}

    def _stored_already(self, message: NewMessage) -> bool:
        found = self.connection.execute(
            "SELECT m.reference, m.received, m.size, count(r.id) FROM messages m JOIN rows r ON r.message = m.n"
            " WHERE m.id = ? GROUP BY m.n",
            (message.id,),
        ).fetchone()
        if found is None:
            return False
        if found != (message.reference, message.received, len(message.body), len(message.rows)):
            raise ValueError(f"message id {message.id} is in use by another message")
        return True

    def _insert_message(self, message: NewMessage, slot: int, seal: MessageSeal) -> int:
        left = sum(not row.state.final for row in message.rows)
        cursor = self.connection.execute(
            "INSERT INTO messages (id, slot, reference, organisation, client, stream, received, facts, open, size,"
            " sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                message.id,
                slot,
                message.reference,
                message.organisation,
                message.client,
                message.stream,
                message.received,
                to_json(message.facts),
                left,
                len(message.body),
                seal.values(message.sealed),
            ),
        )
        return int(cursor.lastrowid or 0)


def seal_from(slot: Slot | None, message: str, keys: ServiceKeys) -> MessageSeal:
    """The message's seal out of its slot. Raises `SealBroken` for an empty slot and for another message's."""
    if slot is None:
        raise SealBroken("message key: slot is empty")
    if slot.mark != mark_of(message):
        raise SealBroken("message key: slot belongs to another message")
    return MessageSeal(message, keys.unwrap(message, slot.key_id, slot.wrapped))


def _row_values(n: int, number: int, row: NewRow, seal: MessageSeal) -> tuple[object, ...]:
    return (
        n,
        number,
        row.person_exact,
        row.person_wide,
        row.state.value,
        row.provider,
        row.variant,
        row.due,
        row.until,
        row.reason,
        None if row.state.final else seal.row(number, row.sealed),
    )
