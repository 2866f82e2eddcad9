"""What a mail teaches the registry, and in which order with its commit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.address import Address
from gateway.facts import Facts, Scope, ScopeKind
from gateway.registry.protocol import Event, EventKind, RegistryUnavailable
from gateway.spool.protocol import SpoolUnavailable, State
from tests.house import SETTINGS, House, mail, news, organisation
from tests.test_lookup import PARTY, TEACHER

ANNA, BERT = "anna@people.example", "bert@people.example"
NEWS = Scope(ScopeKind.LIST, 7)
STREAMS = SETTINGS["streams"] | {"policy_change": {"basis": ["legal"], "needs": ["once"]}}
ENTRIES = [
    *SETTINGS["classify"],
    {"name": "policy", "when": {"client": "crm", "stream_mark": "policy_change"}, "stream": "policy_change"},
]
ROUTES = [{"provider": "bulk", "streams": ["newsletter", "policy_change"]}, {"provider": "desk"}]
RULES = organisation(third_parties=[PARTY], streams=STREAMS, classify=ENTRIES, routes=ROUTES)
SHARED = {"Briefgeheim-Shared-With": "aanbieder", "Briefgeheim-About": "C-9", "Reference": "K-1"}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    opened = House.open(tmp_path, RULES)
    yield opened
    await opened.close()


async def events(house: House, address: str, kind: EventKind) -> list[Event]:
    person = house.tenant.pseudonyms.person(Address.parse(address))
    return [event for _, event in await house.registry.history(person) if event.kind is kind]


async def facts(house: House, address: str) -> Facts:
    return (await house.registry.facts([house.tenant.pseudonyms.person(Address.parse(address))]))[0]


async def buyer(house: House) -> None:
    await house.record(EventKind.CONTACT, ANNA, detail={"client": "office", "contact": "C-9"})
    await house.record(EventKind.ENROLMENT, ANNA, detail={"reference": "K-1", "third_party": "aanbieder"})


async def share(house: House, *to: str, **marks: str) -> list[State]:
    reply = await house.send(mail(*to, **SHARED | marks), *to, client="office")
    assert reply.code == 250, reply
    return [row.state for row in await house.rows()]


async def test_s13_a_share_is_one_row_of_the_ledger_about_the_person(house: House) -> None:
    await buyer(house)
    assert await share(house, TEACHER) == [State.QUEUED]
    (row,) = await events(house, ANNA, EventKind.SHARED)
    (entry,) = await house.rows()
    assert row.detail == {"third_party": "aanbieder", "message": entry.message, "purpose": "order"}
    assert await events(house, TEACHER, EventKind.SHARED) == []


@pytest.mark.parametrize(
    ("to", "marks"),
    [((TEACHER, BERT), {}), ((TEACHER,), {"Reference": "K-2"}), ((TEACHER,), {"Briefgeheim-About": "C-10"})],
)
async def test_s13_what_is_held_was_not_shared(house: House, to: tuple[str, ...], marks: dict[str, str]) -> None:
    await buyer(house)
    assert set(await share(house, *to, **marks)) == {State.HELD}
    assert await events(house, ANNA, EventKind.SHARED) == []
    assert all(row.reason.startswith("share: ") for row in await house.rows())


async def test_s13_the_ledger_comes_before_the_spool(house: House) -> None:
    await buyer(house)
    await house.spool.close()
    reply = await house.send(mail(TEACHER, **SHARED), TEACHER, client="office")
    assert reply.code == 451
    assert len(await events(house, ANNA, EventKind.SHARED)) == 1, "a row too many, never too few"


async def test_s13_nothing_leaves_when_the_ledger_cannot_be_written(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await buyer(house)

    async def away(_: object) -> list[int]:
        raise RegistryUnavailable("away")

    monkeypatch.setattr(house.registry, "record", away)
    assert await share(house, TEACHER) == [State.UNDECIDED]


async def change(house: House, *to: str, version: str = "2027-01") -> Any:
    return await house.send(mail(*to, Stream="policy_change", Reference=version), *to)


async def test_s37_a_second_run_tells_nobody_twice(house: House) -> None:
    assert (await change(house, ANNA, BERT)).code == 250
    again = await change(house, ANNA, BERT)
    assert (again.code, again.text) == (550, "Refused by policy: already told of version 2027-01")
    assert (await change(house, ANNA, version="2028-01")).code == 250
    assert (await facts(house, ANNA)).announced == {"2027-01", "2028-01"}


async def test_s37_who_is_refused_was_not_told(house: House) -> None:
    await house.record(EventKind.OPT_OUT, BERT, scope=Scope(ScopeKind.EVERYTHING))
    await change(house, ANNA, BERT)
    assert (await facts(house, BERT)).announced == frozenset()
    assert (await facts(house, ANNA)).announced == {"2027-01"}


async def test_s37_nobody_counts_as_told_by_mail_that_was_not_stored(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise SpoolUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(house.spool, "put", full)
        assert (await change(house, ANNA)).code == 451
    assert (await facts(house, ANNA)).announced == frozenset()
    assert (await change(house, ANNA)).code == 250


async def test_s37_a_registry_that_fails_after_the_commit_costs_no_250(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: object) -> list[int]:
        raise RegistryUnavailable("away")

    monkeypatch.setattr(house.registry, "record", away)
    assert (await change(house, ANNA)).code == 250


async def contacts(house: House, address: str) -> frozenset[tuple[str, str]]:
    return (await facts(house, address)).contacts


CONTACT = {"Briefgeheim-Contact": "C-1"}


async def test_a_new_contact_is_noted_after_the_reply_and_once(house: House) -> None:
    await house.record(EventKind.CONSENT, ANNA, scope=NEWS)
    for _ in range(3):
        assert (await house.send(news(ANNA, **CONTACT), ANNA)).code == 250
    assert await contacts(house, ANNA) == frozenset()
    assert await house.pipeline.notes.flush() == 1
    assert await contacts(house, ANNA) == {("crm", "C-1")}
    await house.send(news(ANNA, **CONTACT), ANNA)
    assert await house.pipeline.notes.flush() == 0, "it is known"


async def test_the_contact_of_somebody_who_opted_out_is_noted_for_the_feed(house: House) -> None:
    await house.record(EventKind.OPT_OUT, ANNA, scope=Scope(ScopeKind.MARKETING))
    assert (await house.send(news(ANNA, **CONTACT), ANNA)).code == 550
    await house.pipeline.notes.flush()
    assert await contacts(house, ANNA) == {("crm", "C-1")}


async def test_nothing_is_noted_of_who_is_unknown_or_erased(house: House) -> None:
    assert (await house.send(news(ANNA, **CONTACT), ANNA)).code == 550
    await house.record(EventKind.ERASURE, BERT)
    assert (await house.send(news(BERT, **CONTACT), BERT)).code == 550
    assert await house.pipeline.notes.flush() == 0
    assert not (await facts(house, ANNA)).known


async def test_contacts_that_cannot_be_recorded_are_left_to_the_next_mail(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.record(EventKind.CONSENT, ANNA, scope=NEWS)
    await house.send(news(ANNA, **CONTACT), ANNA)

    async def away(_: object) -> list[int]:
        raise RegistryUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(house.registry, "record", away)
        assert await house.pipeline.notes.flush() == 1
    assert await house.pipeline.notes.flush() == 0
    await house.send(news(ANNA, **CONTACT), ANNA)
    await house.pipeline.notes.flush()
    assert await contacts(house, ANNA) == {("crm", "C-1")}


async def test_notes_of_many_people_are_one_commit_per_organisation(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [f"p{n}@people.example" for n in range(5)]
    for who in people:
        await house.record(EventKind.CONSENT, who, scope=NEWS)
        await house.send(news(who, **{"Briefgeheim-Contact": f"C-{who[:2]}"}), who)
    calls: list[int] = []
    record = house.registry.record

    async def counted(found: list[Event]) -> list[int]:
        calls.append(len(found))
        return await record(found)

    monkeypatch.setattr(house.registry, "record", counted)
    assert await house.pipeline.notes.flush() == 5
    assert calls == [5]


async def test_l31_while_the_opt_out_is_broken_new_marketing_is_held_with_a_reason(house: House) -> None:
    await house.record(EventKind.CONSENT, ANNA, scope=NEWS)
    tenant = replace(house.tenant, opt_out_works=lambda: False)
    house.pipeline.parts = house.parts(tenant)
    await house.send(news(ANNA), ANNA)
    (row,) = await house.rows()
    assert (row.state, row.reason) == (State.HELD, "probe: the opt-out does not work")
