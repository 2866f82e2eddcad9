"""What an operator wants done to queued mail, written down for the process that owns the shard.

what:       `Order` and its table; what an order means for the rows it names
takes→gives: order → row in `orders`; order and entries → updates and audit rows
knows not:  who checks the operator's right, which process owns the shard
fails by:   `ValueError` for an order without operator or reason, or with an address in it
standard:   S-40; I-7, I-11
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.audit.protocol import AuditRow
from gateway.spool.protocol import RELEASED, Entry, State, Update


class Act(StrEnum):
    HOLD = "hold"  # queued → held
    RELEASE = "release"  # held → queued
    RETRY = "retry"  # queued: due now; undecided, quarantined: to be looked at again now
    DROP = "drop"  # any → dropped
    CANCEL = "cancel"  # any → dropped, and the submitter hears that it does not arrive
    READ = "read"  # addresses shown to an operator; changes nothing but the audit

    @property
    def tells(self) -> bool:
        """Whether submitters get a report, which delivery writes."""
        return self is Act.CANCEL


_PAST = {
    Act.HOLD: "held",
    Act.RELEASE: "released",
    Act.RETRY: "retried",
    Act.DROP: "dropped",
    Act.CANCEL: "cancelled",
    Act.READ: "read",
}
_FROM = {
    Act.HOLD: frozenset({State.QUEUED}),
    Act.RELEASE: frozenset({State.HELD}),
    Act.RETRY: frozenset({State.QUEUED, State.UNDECIDED, State.QUARANTINED}),
    Act.DROP: frozenset(state for state in State if not state.final),
    Act.CANCEL: frozenset(state for state in State if not state.final),
    Act.READ: frozenset(State),
}
_COLUMNS = "id, at, operator, reason, act, message, row, until"


@dataclass(frozen=True, slots=True)
class Order:
    """`act` on one row of `message`, or on all (`row` None), by a named operator for a reason.

    `at` and `until` (the end of a hold) are Unix seconds; `id` is 0 until it is written down.
    """

    at: float
    operator: str
    reason: str
    act: Act
    message: str
    row: int | None = None
    until: float = 0.0
    id: int = 0

    def __post_init__(self) -> None:
        for name, value in (("operator", self.operator), ("reason", self.reason)):
            if not value.strip():
                raise ValueError(f"{name}: needed to {self.act} mail (who, and why)")
            if "@" in value:
                raise ValueError(f"{name}: goes into the audit, so no address in it")


def write(connection: sqlite3.Connection, order: Order) -> int:
    """Write an order down in one short transaction; returns its id."""
    cursor = connection.execute(
        "INSERT INTO orders (at, operator, reason, act, message, row, until) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (order.at, order.operator, order.reason, order.act.value, order.message, order.row, order.until),
    )
    return int(cursor.lastrowid or 0)


def pending(connection: sqlite3.Connection) -> list[Order]:
    """Orders not yet carried out, in the order they came."""
    return [_order(*values) for values in connection.execute(f"SELECT {_COLUMNS} FROM orders ORDER BY id").fetchall()]


def waits(connection: sqlite3.Connection, order: int) -> bool:
    """Whether this order is still to be carried out."""
    return connection.execute("SELECT 1 FROM orders WHERE id = ?", (order,)).fetchone() is not None


def remove(connection: sqlite3.Connection, order: int) -> bool:
    """Strike an order out; whether it was there."""
    return connection.execute("DELETE FROM orders WHERE id = ?", (order,)).rowcount > 0


def meaning(order: Order, entries: Iterable[Entry], now: float) -> tuple[list[Update], list[AuditRow]]:
    """What carrying out `order` at `now` changes and records. Rows in a state that it does not fit are left alone."""
    fitting = [entry for entry in entries if entry.state in _FROM[order.act]]
    updates = [update for entry in fitting if (update := _update(order, entry, now)) is not None]
    return updates, _audit(order, fitting, now)


def _update(order: Order, entry: Entry, now: float) -> Update | None:
    match order.act:
        case Act.HOLD:
            return Update(entry.row, State.HELD, until=order.until, reason=f"operator: {order.reason}")
        case Act.RELEASE:
            return Update(entry.row, State.QUEUED, due=now, until=0.0, reason=RELEASED + entry.reason.partition(":")[0])
        case Act.RETRY:
            return Update(entry.row, entry.state, due=now)
        case Act.DROP | Act.CANCEL:
            return Update(entry.row, State.DROPPED, reason=f"operator: {order.reason}")
        case Act.READ:
            return None


def _audit(order: Order, entries: Sequence[Entry], now: float) -> list[AuditRow]:
    detail = {"operator": order.operator, "reason": order.reason, "asked": order.at}
    return [
        AuditRow(now, e.organisation, e.message, _PAST[order.act], e.person_exact, {**detail, "was": e.state.value})
        for e in entries
    ]


def _order(
    number: int, at: float, operator: str, reason: str, act: str, message: str, row: int | None, until: float
) -> Order:
    return Order(at, operator, reason, Act(act), message, row, until, number)
