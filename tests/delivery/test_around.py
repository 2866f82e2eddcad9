"""The second decision asks again what counts beside the person, and a release answers only what a person may judge."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway.address import Address
from gateway.decision import Basis, Classification, Stream
from gateway.facts import Scope, ScopeKind
from gateway.registry.protocol import EventKind
from gateway.spool import orders, schema
from gateway.spool.orders import Act, Order
from gateway.spool.protocol import State
from tests.delivery.rig import START, Rig, organisation, rig
from tests.delivery.sink import Script, Sink

JAN, ANNA, TEACHER = "jan@people.example", "anna@people.example", "cursus@aanbieder.example"
PARTY = {
    "name": "aanbieder",
    "title": "Aanbieder",
    "addresses": [TEACHER],
    "contract": "2026-01-01",
    "rights_clause": True,
}
PHOTO = Classification(Stream.PERSONAL, publication="P-1").to_json()
ORDER = Classification(Stream.PERSONAL, shared_with="aanbieder", about="C-9", reference="K-1").to_json()
NEWS = Classification(Stream.NEWSLETTER, basis=Basis.CONSENT, list=7).to_json()


@asynccontextmanager
async def working(folder: Path, sink: Sink, **changes: Any) -> AsyncIterator[Rig]:
    async with rig(folder, organisation({"port": sink.port}, third_parties=[PARTY], **changes)) as made:
        yield made


async def release(made: Rig, message: str) -> None:
    await made.row(lambda entry: entry.state is State.HELD)
    connection = schema.ordering(made.spool.shard.database)
    orders.write(connection, Order(made.now, "anna", "looked at", Act.RELEASE, message))
    connection.commit()
    connection.close()
    await made.worker.apply_orders()


async def test_s09_a_consent_withdrawn_while_the_mail_waits_holds_it(tmp_path: Path) -> None:
    with Sink() as sink:
        async with working(tmp_path, sink) as made:
            message = await made.put(JAN, marks=PHOTO)
            (row,) = await made.audited(message, "held")
            entry = await made.row(lambda e: e.state is State.HELD)
        assert sink.accepted == []
    assert (row.detail["rule"], entry.reason) == (
        "publication", "publication: publication consent P-1 is not in force",
    )  # fmt: skip


async def test_s09_a_consent_in_force_sends_it(tmp_path: Path) -> None:
    with Sink() as sink:
        async with working(tmp_path, sink) as made:
            await made.record(EventKind.PUBLICATION, ANNA, detail={"id": "P-1"})
            await made.audited(await made.put(JAN, marks=PHOTO), "delivered")


async def test_s09_an_operators_release_sends_what_was_held_also_after_a_retry(tmp_path: Path) -> None:
    with Sink(Script(rcpt=["450 4.2.0 later"])) as sink:
        async with working(tmp_path, sink) as made:
            message = await made.put(JAN, marks=PHOTO)
            await release(made, message)
            await made.audited(message, "held", "released", "deferred")
            made.turn(3600)
            await made.audited(message, "held", "released", "deferred", "delivered")


async def test_a_release_from_another_hold_does_not_answer_for_the_photo(tmp_path: Path) -> None:
    with Sink() as sink:
        async with working(tmp_path, sink) as made:
            message = await made.put(JAN, marks=PHOTO, state=State.HELD)  # by a filter, say
            await release(made, message)
            (_, row) = await made.audited(message, "released", "held")
            assert row.detail["rule"] == "publication"
            await release(made, message)
            await made.audited(message, "released", "held", "released", "delivered")


async def test_a_release_passes_no_block(tmp_path: Path) -> None:
    with Sink() as sink:
        async with working(tmp_path, sink) as made:
            message = await made.put(JAN, marks=PHOTO)
            await made.audited(message, "held")
            await made.record(EventKind.ERASURE, JAN)
            await release(made, message)
            await made.audited(message, "held", "released", "blocked")
        assert sink.accepted == []


async def known_buyer(made: Rig) -> None:
    await made.record(EventKind.CONTACT, ANNA, detail={"client": "crm", "contact": "C-9"})
    await made.record(EventKind.ENROLMENT, ANNA, detail={"reference": "K-1", "third_party": "aanbieder"})


async def shares(made: Rig) -> list[Mapping[str, object]]:
    history = await made.people.history(made.house.pseudonyms.person(Address.parse(ANNA)))
    return [event.detail for _, event in history if event.kind is EventKind.SHARED]


async def test_s13_an_order_is_decided_again_about_the_person_it_is_about(tmp_path: Path) -> None:
    with Sink() as sink:
        async with working(tmp_path, sink) as made:
            await known_buyer(made)
            await made.audited(await made.put(TEACHER, marks=ORDER), "delivered")
            await made.record(EventKind.RESTRICTION, ANNA)
            await made.audited(await made.put(TEACHER, marks=ORDER), "held")
            assert await shares(made) == [], "what was not held is in the ledger since intake"
        assert len(sink.accepted) == 1


async def test_s13_a_third_party_sees_only_its_own(tmp_path: Path) -> None:
    with Sink() as sink:
        async with working(tmp_path, sink) as made:
            await known_buyer(made)
            (row,) = await made.audited(await made.put(JAN, marks=ORDER), "held")
        assert sink.accepted == []
    assert row.detail["fact"] == "1 of the recipients are not of third party aanbieder"


async def test_s13_what_an_operator_releases_is_in_the_ledger_before_it_leaves(tmp_path: Path) -> None:
    with Sink() as sink:
        async with working(tmp_path, sink) as made:
            await known_buyer(made)
            message = await made.put(JAN, marks=ORDER)
            await made.audited(message, "held")
            assert await shares(made) == []
            await release(made, message)
            await made.audited(message, "held", "released", "delivered")
            assert await shares(made) == [{"third_party": "aanbieder", "message": message, "purpose": "order"}]


async def test_l31_queued_mail_with_a_link_waits_while_the_opt_out_does_not_work(tmp_path: Path) -> None:
    streams = {
        "newsletter": {
            "basis": ["consent"],
            "needs": ["list-consent"],
            "blocked_by": ["everything", "marketing", "list"],
            "opt_out": {"scope": "list", "text": "link"},
        }
    }
    with Sink() as sink:
        async with working(tmp_path, sink, streams=streams) as made:
            await made.record(EventKind.CONSENT, JAN, scope=Scope(ScopeKind.LIST, 7))
            made.worker.reload({"school": replace(made.house, opt_out_works=lambda: False)})
            message = await made.put(JAN, marks=NEWS, stream=Stream.NEWSLETTER)
            (row,) = await made.audited(message, "held")
            await release(made, message)
            await made.audited(message, "held", "released", "held")
        assert sink.accepted == []
    assert row.detail["rule"] == "probe"


@pytest.mark.parametrize(("was", "day", "end"), [(True, 1, "delivered"), (True, -1, "held"), (False, -1, "blocked")])
async def test_observed_mail_goes_until_the_day_and_is_held_after_it(
    tmp_path: Path, was: bool, day: int, end: str
) -> None:
    until = date.fromtimestamp(START + day * 86400)
    clients = [
        {
            "name": "crm",
            "source": "crm",
            "networks": ["127.0.0.0/8"],
            "observe": [{"stream": "newsletter", "until": until}],
        }
    ]
    with Sink() as sink:
        async with working(tmp_path, sink, clients=clients) as made:
            message = await made.put(JAN, marks=NEWS, stream=Stream.NEWSLETTER, facts={"observed": True} if was else {})
            (row,) = await made.audited(message, end)
    assert row.detail["rule"] == ("observed" if end == "delivered" else "list-consent")
