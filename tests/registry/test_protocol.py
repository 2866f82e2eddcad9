"""What every registry backend promises, whichever it is: the suite that a new backend has to pass."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.facts import NOBODY, Scope
from gateway.pseudonym import Person
from gateway.registry.events import InvalidEvent
from gateway.registry.protocol import EventKind, Evidence, Registry
from gateway.registry.state import facts as facts_of
from tests.registry.conftest import (
    CONFIRMED,
    LINK,
    LIST,
    MARKETING,
    OTHER_LIST,
    event,
    person,
)

ANNA, BERT, CARLA = person("anna"), person("bert"), person("carla")


@pytest.fixture(params=["sqlite"])
def backend(request, registry) -> Registry:
    return registry


async def scopes(backend: Registry, who: Person = ANNA) -> set[Scope]:
    return {b.scope for b in (await backend.facts([who]))[0].blocks}


async def test_nobody_known_is_no_consent_and_no_block(backend):
    assert await backend.facts([ANNA]) == [NOBODY]
    assert await backend.facts([]) == []


async def test_facts_come_in_the_order_asked_and_repeat_where_asked_twice(backend):
    await backend.record(
        [event(EventKind.LANGUAGE, ANNA, language="nl"), event(EventKind.LANGUAGE, BERT, language="en")]
    )
    found = await backend.facts([BERT, CARLA, ANNA, BERT])
    assert [f.language for f in found] == ["en", "", "nl", "en"]


async def test_many_people_in_one_call_are_each_themselves(backend):
    people = [person(f"p{n}") for n in range(1500)]
    await backend.record([event(EventKind.ENROLMENT, p, reference=str(n)) for n, p in enumerate(people)])
    assert [f.enrolments for f in await backend.facts(people)] == [{str(n)} for n in range(1500)]


async def test_numbers_follow_the_order_given(backend):
    first = await backend.record([event(EventKind.CONSENT, ANNA, LIST), event(EventKind.CONSENT, BERT, LIST)])
    second = await backend.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    assert first[0] < first[1] < second[0]
    assert (await backend.facts([ANNA]))[0].blocks[0].event == second[0]


async def test_the_order_of_events_counts_and_not_the_times_they_claim(backend):
    await backend.record([event(EventKind.OPT_OUT, ANNA, LIST, at=9_000)])
    await backend.record([event(EventKind.CONSENT, ANNA, LIST, CONFIRMED, at=5_000)])
    assert await scopes(backend) == set()
    await backend.record([event(EventKind.OPT_OUT, ANNA, LIST, at=1)])
    assert await scopes(backend) == {LIST}


async def test_consent_is_per_list(backend):
    await backend.record([event(EventKind.CONSENT, ANNA, LIST)])
    found = (await backend.facts([ANNA]))[0]
    assert found.consents_to(LIST)
    assert found.consents_to(OTHER_LIST) is None


async def test_import_without_evidence_is_kept_but_is_no_consent(backend):
    await backend.record([event(EventKind.CONSENT, ANNA, LIST, Evidence("import:crm"))])
    found = (await backend.facts([ANNA]))[0]
    assert found.known
    assert found.consents == ()


async def test_a_block_under_the_wide_form_stops_every_spelling(backend):
    await backend.record([event(EventKind.OPT_OUT, person("an.na+shop", "wide.example"), MARKETING)])
    assert await scopes(backend, person("anna", "wide.example")) == {MARKETING}
    assert await scopes(backend, person("a.n.n.a", "wide.example")) == {MARKETING}


async def test_facts_under_one_spelling_are_not_those_of_another(backend):
    await backend.record([event(EventKind.CONSENT, person("an.na", "wide.example"), LIST)])
    assert await backend.facts([person("anna", "wide.example")]) == [NOBODY]


async def test_wide_blocks_count_on_after_the_domain_is_no_longer_blocked_wide(backend):
    wide = person("an.na+shop", "wide.example")
    await backend.record([event(EventKind.OPT_OUT, wide, MARKETING)])
    assert await scopes(backend, replace(wide, block_wide=False)) == {MARKETING}


async def test_plus_addresses_elsewhere_are_different_people(backend):
    await backend.record([event(EventKind.OPT_OUT, person("anna+shop"), MARKETING)])
    assert await scopes(backend, person("anna")) == set()


async def test_an_invalid_event_keeps_the_whole_batch_out(backend):
    good, bad = event(EventKind.OPT_OUT, ANNA, LIST), event(EventKind.ENROLMENT, ANNA)
    with pytest.raises(InvalidEvent):
        await backend.record([good, bad])
    assert await backend.facts([ANNA]) == [NOBODY]


async def test_readers_never_see_half_a_batch(backend):
    people = [person(f"p{n}") for n in range(300)]

    async def write() -> None:
        for scope in (LIST, OTHER_LIST, MARKETING):
            await backend.record([event(EventKind.OPT_OUT, p, scope, LINK) for p in people])

    writing = asyncio.create_task(write())
    while not writing.done():
        counts = {len(f.blocks) for f in await backend.facts(people[:100])}
        assert len(counts) == 1
        await asyncio.sleep(0)
    await writing


async def test_no_trouble_when_all_is_well(backend):
    assert backend.trouble() == ""


def test_the_empty_state_is_nobody():
    assert facts_of(None, None) == NOBODY
