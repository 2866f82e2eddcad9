"""The self-check holds what is not as it should be, before a connection is opened; an operator can let it go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.message.draft import Draft
from gateway.message.parse import parse
from gateway.proof.expectation import expect
from gateway.proof.reading import Reading
from gateway.spool.orders import Act, Order
from gateway.spool.protocol import State
from tests.delivery.rig import MAIL, organisation, rig
from tests.delivery.sink import Sink
from tests.delivery.test_worker import _order

JAN, PIET = "jan@people.example", "piet@people.example"
PRIVATE = MAIL.replace(b"list@school.example", b"jan@people.example")


def proof(raw: bytes = PRIVATE, *, private: bool = True) -> dict[str, Any]:
    return {"nl/untracked": expect(Draft(parse(raw)), Reading(raw), private=private).to_json()}


async def test_a_copy_that_is_as_it_should_be_leaves(tmp_path: Path) -> None:
    with Sink() as sink:
        async with rig(tmp_path, organisation({"port": sink.port})) as made:
            await made.put(JAN, raw=PRIVATE, proof=proof())
            await made.empty()
        assert len(sink.accepted) == 1


async def test_another_content_holds_it_and_says_what_differs(tmp_path: Path) -> None:
    with Sink() as sink:
        async with rig(tmp_path, organisation({"port": sink.port})) as made:
            await made.put(JAN, raw=PRIVATE, proof=proof(PRIVATE.replace(b"\r\n\r\nHello", b"\r\n\r\nHallo")))
            row = await made.row(lambda row: row.state is State.HELD)
        assert sink.mails == []
    assert row.reason.startswith("self_check: the finished copy is not as it should be: part number 1 (text/plain)")


async def test_i1_a_copy_that_shows_another_recipient_is_held(tmp_path: Path) -> None:
    shows = PRIVATE.replace(b"\r\n\r\nHello", b"\r\n\r\nHello, so does piet@people.example")
    with Sink() as sink:
        async with rig(tmp_path, organisation({"port": sink.port})) as made:
            message = await made.put(JAN, PIET, raw=shows, proof=proof(shows))
            await made.audited(message, "held", "held")
            rows = await made.spool.entries()
        assert sink.mails == []
    assert all("shows 1 other recipients" in row.reason for row in rows)
    assert all("piet" not in row.reason for row in rows)


async def test_a_named_operator_can_let_it_go(tmp_path: Path) -> None:
    with Sink() as sink:
        async with rig(tmp_path, organisation({"port": sink.port})) as made:
            message = await made.put(JAN, raw=PRIVATE, proof=proof(MAIL.replace(b"\r\n\r\nHello", b"\r\n\r\nHallo")))
            await made.row(lambda row: row.state is State.HELD)
            _order(made.spool.shard.database, Order(made.now, "anna", "looked at", Act.RELEASE, message))
            await made.worker.apply_orders()
            await made.audited(message, "held", "released", "delivered")
        assert len(sink.accepted) == 1


async def test_the_first_copy_of_a_message_stands_for_all(tmp_path: Path) -> None:
    with Sink() as sink:
        async with rig(tmp_path, organisation({"port": sink.port})) as made:
            stored = proof(private=False)
            await made.put(JAN, PIET, raw=PRIVATE, proof=stored)
            await made.empty()
        assert len(sink.accepted) == 2


async def test_what_an_operator_released_as_a_leak_shows_what_it_shows(tmp_path: Path) -> None:
    shows = PRIVATE.replace(b"\r\n\r\nHello", b"\r\n\r\nHello, so does piet@people.example")
    with Sink() as sink:
        async with rig(tmp_path, organisation({"port": sink.port})) as made:
            message = await made.put(JAN, PIET, raw=shows, proof=proof(shows), state=State.HELD, rule="leak_check")
            _order(made.spool.shard.database, Order(made.now, "anna", "looked at", Act.RELEASE, message))
            await made.worker.apply_orders()
            await made.empty()
        assert len(sink.accepted) == 2
