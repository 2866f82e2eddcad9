"""S-40: who and why, or nothing happens; and what an order means for each state."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from gateway.spool import orders, schema
from gateway.spool.orders import Act, Order
from gateway.spool.protocol import Entry, State
from tests.spool.mail import PlainAudit

ORDER = Order(5.0, "A. Operator", "asked by phone", Act.HOLD, "m1", None, 99.0)
ENTRY = Entry(
    1,
    "m1",
    7,
    "kleine-parel",
    "crm",
    "newsletter",
    0.0,
    {},
    b"e" * 32,
    b"w" * 32,
    State.QUEUED,
    "p",
    "v",
    0,
    0.0,
    0.0,
    "",
)


@pytest.mark.parametrize(("name", "value"), [("operator", ""), ("reason", " "), ("reason", "ask jan@example.org")])
def test_an_order_names_operator_and_reason_and_no_address(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        Order(5.0, value if name == "operator" else "A", value if name == "reason" else "why", Act.HOLD, "m1")


@pytest.mark.parametrize(
    ("act", "fits"),
    [
        (Act.HOLD, {State.QUEUED}),
        (Act.RELEASE, {State.HELD}),
        (Act.RETRY, {State.QUEUED, State.UNDECIDED, State.QUARANTINED}),
        (Act.DROP, {State.QUEUED, State.HELD, State.UNDECIDED, State.QUARANTINED}),
    ],
)
def test_an_order_reaches_only_the_states_it_is_for(act: Act, fits: set[State]) -> None:
    entries = [dataclasses.replace(ENTRY, row=n, state=state) for n, state in enumerate(State)]
    updates, audit = orders.meaning(dataclasses.replace(ORDER, act=act), entries, 50.0)
    assert {entries[u.row].state for u in updates} == fits
    assert len(audit) == len(updates)


def test_reading_changes_nothing_and_is_recorded_for_every_row() -> None:
    updates, audit = orders.meaning(dataclasses.replace(ORDER, act=Act.READ), [ENTRY], 50.0)
    assert updates == []
    assert [(a.what, a.pseudonym, a.detail["operator"], a.detail["reason"]) for a in audit] == [
        ("read", ENTRY.person_exact, "A. Operator", "asked by phone")
    ]


def test_released_mail_is_queued_to_be_decided_again() -> None:
    held = dataclasses.replace(ENTRY, state=State.HELD, until=99.0, reason="leak")
    (update,), _ = orders.meaning(dataclasses.replace(ORDER, act=Act.RELEASE), [held], 50.0)
    assert (update.state, update.due, update.until, update.reason) == (State.QUEUED, 50.0, 0.0, "released: leak")
    assert (dataclasses.replace(held, reason="released: leak").released, held.released) == ("leak", "")


def test_orders_keep_their_order_and_go_once(tmp_path: Path) -> None:
    connection = schema.writing(tmp_path / "shard-0.sqlite")
    schema.create(connection, PlainAudit().schema)
    first = orders.write(connection, ORDER)
    second = orders.write(connection, dataclasses.replace(ORDER, act=Act.DROP, row=3))
    assert orders.pending(connection) == [
        dataclasses.replace(ORDER, id=first),
        dataclasses.replace(ORDER, act=Act.DROP, row=3, id=second),
    ]
    assert orders.remove(connection, first)
    assert not orders.remove(connection, first)
    assert (orders.waits(connection, first), orders.waits(connection, second)) == (False, True)
    connection.close()
