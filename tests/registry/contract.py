"""What every registry backend promises, whichever it is.

A backend's own test file imports every test from here and gives two fixtures. `make_registry()` makes a new, empty
registry of organisation 7 with the keys of conftest, and opens it; each call makes another one. With `like=registry` it
opens the same registry once more, as another process of the node would. `web_journal(registry)` gives the page's
journal that this registry reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.facts import NOBODY, BlockKind, Purchase, Retained, Scope, ScopeKind, Subscription
from gateway.pseudonym import Person
from gateway.registry.events import InvalidEvent, quarter
from gateway.registry.intervals import state_at
from gateway.registry.protocol import (
    Act,
    Event,
    EventKind,
    EventRow,
    Evidence,
    PeopleRegistry,
    RegistryMistrusted,
    StateRow,
)
from gateway.token import OptOut
from tests.registry.conftest import (
    CONFIRMED,
    FORM,
    IMPORT,
    LINK,
    LIST,
    MARKETING,
    OPERATOR,
    OTHER_LIST,
    SOURCE,
    event,
    person,
)

ANNA, BERT, CARLA = person("anna"), person("bert"), person("carla")
WIDE = person("an.na+shop", "wide.example")
EVERYTHING = Scope(ScopeKind.EVERYTHING)
TOPIC = Scope(ScopeKind.TOPIC, 5)
NOW = 1_800_000_000  # 15 January 2027
MakeRegistry = Callable[..., PeopleRegistry]


@pytest.fixture
def backend(make_registry: MakeRegistry) -> PeopleRegistry:
    return make_registry()


async def scopes(backend: PeopleRegistry, who: Person = ANNA) -> set[Scope]:
    return {b.scope for b in (await backend.facts([who]))[0].blocks}


async def reasons(backend: PeopleRegistry, who: Person = ANNA) -> set[tuple[BlockKind, Scope]]:
    return {(b.kind, b.scope) for b in (await backend.facts([who]))[0].blocks}


async def kinds(backend: PeopleRegistry, who: Person = ANNA) -> list[EventKind]:
    return [e.kind for _, e in await backend.history(who)]


async def trouble(backend: PeopleRegistry) -> str:
    """What is wrong, once the look that asking sets off is done."""
    backend.trouble()
    await backend.settled()
    return backend.trouble()


def contact(who: Person, name: str, client: str = "crm") -> Event:
    return event(EventKind.CONTACT, who, client=client, contact=name)


def retained(until: int, name: str = "invoice 7", who: Person = ANNA) -> Event:
    return event(EventKind.RETAINED, who, id=name, reason="tax law", until=until)


# Facts and events


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


async def test_recording_nothing_is_nothing(backend):
    assert await backend.record([]) == []


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


async def test_every_named_fact_comes_back(backend):
    await backend.record(
        [
            event(EventKind.ENROLMENT, reference="t1", third_party="school 4"),
            event(EventKind.CONTRACT, reference="c1"),
            event(EventKind.PURCHASE, category=2, at=50),
            event(EventKind.SUBSCRIPTION, category=3, end=99, free=True),
            event(EventKind.REQUEST, scope=TOPIC),
            event(EventKind.PUBLICATION, id="p1"),
            event(EventKind.MINOR, minor=True, guardian=True),
            event(EventKind.LANGUAGE, language="en"),
            contact(ANNA, "123"),
            event(EventKind.ORIGIN, origin="contest"),
            event(EventKind.ANNOUNCED, reference="policy 3"),
            retained(NOW),
        ]
    )
    found = (await backend.facts([ANNA]))[0]
    assert (found.enrolments, found.contracts) == ({"t1"}, {"c1"})
    assert found.third_parties == {("t1", "school 4")}
    assert found.purchases == (Purchase(2, False, 50),)
    assert found.subscriptions == (Subscription(3, 99, free=True),)
    assert (found.requests, found.publications) == ({5}, {"p1"})
    assert (found.minor, found.guardian_consent, found.language) == (True, True, "en")
    assert (found.contacts, found.origins, found.announced) == ({("crm", "123")}, {"contest"}, {"policy 3"})
    assert found.retained == (Retained("invoice 7", "tax law", NOW),)


async def test_what_was_shared_and_receipts_are_events_only(backend):
    await backend.record(
        [
            event(EventKind.SHARED, third_party="school 4", message=9, purpose="enrolment"),
            event(EventKind.RECEIPT, message=9, kind="read"),
        ]
    )
    found = (await backend.facts([ANNA]))[0]
    assert replace(found, known=False) == NOBODY
    assert await kinds(backend) == [EventKind.SHARED, EventKind.RECEIPT]


async def test_an_order_that_ends_takes_its_third_party_along(backend):
    await backend.record([event(EventKind.ENROLMENT, reference="t1", third_party="school 4")])
    await backend.record([event(EventKind.ENROLMENT, reference="t1", active=False)])
    assert (await backend.facts([ANNA]))[0].third_parties == frozenset()


async def test_a_block_under_the_wide_form_stops_every_spelling(backend):
    await backend.record([event(EventKind.OPT_OUT, WIDE, MARKETING)])
    assert await scopes(backend, person("anna", "wide.example")) == {MARKETING}
    assert await scopes(backend, person("a.n.n.a", "wide.example")) == {MARKETING}


async def test_facts_under_one_spelling_are_not_those_of_another(backend):
    await backend.record([event(EventKind.CONSENT, person("an.na", "wide.example"), LIST)])
    assert await backend.facts([person("anna", "wide.example")]) == [NOBODY]


async def test_wide_blocks_count_on_after_the_domain_is_no_longer_blocked_wide(backend):
    await backend.record([event(EventKind.OPT_OUT, WIDE, MARKETING)])
    assert await scopes(backend, replace(WIDE, block_wide=False)) == {MARKETING}


async def test_plus_addresses_elsewhere_are_different_people(backend):
    await backend.record([event(EventKind.OPT_OUT, person("anna+shop"), MARKETING)])
    assert await scopes(backend, person("anna")) == set()


async def test_an_invalid_event_keeps_the_whole_batch_out(backend):
    good, bad = event(EventKind.OPT_OUT, ANNA, LIST), event(EventKind.ENROLMENT, ANNA)
    with pytest.raises(InvalidEvent):
        await backend.record([good, bad])
    assert await backend.facts([ANNA]) == [NOBODY]
    assert await backend.feed(0, 10) == []


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


async def test_what_one_process_records_another_sees_at_once(backend, make_registry):
    other = make_registry(like=backend)
    assert await scopes(other) == set()
    await backend.record([event(EventKind.OPT_OUT, scope=LIST)])
    assert await scopes(other) == {LIST}
    await other.record([event(EventKind.OPT_OUT, scope=OTHER_LIST)])
    assert await scopes(backend) == {LIST, OTHER_LIST}


async def test_no_trouble_when_all_is_well(backend):
    assert await trouble(backend) == ""


async def test_history_tells_events_as_they_were_given_in_their_order(backend):
    given = [
        event(EventKind.CONSENT, ANNA, LIST, at=9),
        event(EventKind.ENROLMENT, ANNA, reference="t1", at=3),
        event(EventKind.OPT_OUT, ANNA, MARKETING, OPERATOR, at=5),
    ]
    numbers = await backend.record(given)
    await backend.record([event(EventKind.LANGUAGE, BERT, language="nl")])
    assert await backend.history(ANNA) == list(zip(numbers, given, strict=True))
    assert await backend.history(CARLA) == []


async def test_status_counts(backend):
    await backend.record([event(EventKind.OPT_OUT, ANNA, LIST), event(EventKind.LANGUAGE, BERT, language="nl")])
    found = await backend.status()
    assert (found["people"], found["events"], found["journal"], found["applied"]) == (2, 2, 1, 1)
    assert {"web", "layer", "octets"} <= set(found)


# Acts


async def test_acts_are_told_to_whom_they_are_about(backend):
    await backend.record([event(EventKind.LANGUAGE, ANNA, language="nl")])
    about, general = Act(5, "jan", "asked", "show"), Act(6, "jan", "disk", "adopt")
    await backend.act(about, ANNA)
    await backend.act(general, None)
    assert await backend.acts(ANNA) == [about]
    assert await backend.acts(BERT) == []


# Contact ids and publications


async def test_a_contact_id_leads_to_its_person_per_client(backend):
    await backend.record([contact(ANNA, "123"), contact(BERT, "123", "shop")])
    assert await backend.contact("crm", "123") == ANNA.exact
    assert await backend.contact("shop", "123") == BERT.exact
    assert await backend.contact("crm", "124") is None
    assert await backend.contact("crm\x1f1", "23") is None


async def test_a_contact_id_belongs_to_whom_it_was_last_given(backend):
    await backend.record([contact(BERT, "123")])
    await backend.record([contact(ANNA, "123")])
    assert await backend.contact("crm", "123") == ANNA.exact
    await backend.record([contact(BERT, "123")])
    assert await backend.contact("crm", "123") == BERT.exact
    await backend.record([event(EventKind.CONTACT, BERT, client="crm", contact="123", active=False)])
    assert await backend.contact("crm", "123") == ANNA.exact


async def test_publications_in_force_are_those_that_somebody_gave_and_nobody_took_back(backend):
    await backend.record([event(EventKind.PUBLICATION, ANNA, id="p1"), event(EventKind.PUBLICATION, BERT, id="p2")])
    assert await backend.published(["p1", "p2", "p3"]) == {"p1", "p2"}
    await backend.record([event(EventKind.PUBLICATION, ANNA, id="p1", active=False)])
    assert await backend.published({"p1", "p2"}) == {"p2"}
    assert await backend.published([]) == frozenset()


async def test_a_publication_without_evidence_is_not_in_force(backend):
    await backend.record([event(EventKind.PUBLICATION, ANNA, evidence=LINK, id="p1")])
    assert await backend.published(["p1"]) == frozenset()


# The feed


async def test_the_feed_tells_every_event_once_behind_its_cursor(backend):
    await backend.record([contact(ANNA, "123"), event(EventKind.OPT_OUT, ANNA, LIST, at=77)])
    await backend.record([event(EventKind.CONSENT, BERT, LIST)])
    first = await backend.feed(0, 2)
    assert [(f.kind, f.scope, f.person) for f in first] == [
        (EventKind.CONTACT, None, ANNA.exact),
        (EventKind.OPT_OUT, LIST, ANNA.exact),
    ]
    assert first[1].at == 77
    assert first[1].contacts == {("crm", "123")}
    rest = await backend.feed(first[-1].number, 10)
    assert [(f.kind, f.person, f.contacts) for f in rest] == [(EventKind.CONSENT, BERT.exact, frozenset())]
    assert await backend.feed(rest[-1].number, 10) == []


async def test_numbers_are_never_used_again(backend):
    await backend.record([event(EventKind.ANNOUNCED, ANNA, reference="v1", at=1)])
    last = (await backend.record([event(EventKind.ANNOUNCED, BERT, reference="v1", at=1)]))[0]
    assert await backend.purge([EventKind.ANNOUNCED], 100) == 2
    assert await backend.feed(0, 10) == []
    assert (await backend.record([event(EventKind.LANGUAGE, CARLA, language="nl")]))[0] > last


# Pending returns


@pytest.mark.parametrize("evidence", [FORM, IMPORT])
async def test_a_consent_that_a_block_stops_waits_for_an_operator(backend, evidence):
    await backend.record([contact(ANNA, "123"), event(EventKind.OPT_OUT, ANNA, MARKETING, at=10)])
    number = (await backend.record([event(EventKind.CONSENT, ANNA, LIST, evidence, at=20)]))[0]
    (found,) = await backend.returns(10)
    assert (found.event, found.person, found.scope, found.at) == (number, ANNA.exact, LIST, 20)
    assert found.contacts == {("crm", "123")}
    facts = (await backend.facts([ANNA]))[0]
    assert facts.consents == ()
    assert {b.scope for b in facts.blocks} == {MARKETING}


async def test_requests_wait_too_and_the_oldest_comes_first(backend):
    await backend.record([event(EventKind.OPT_OUT, who, MARKETING) for who in (ANNA, BERT)])
    await backend.record([event(EventKind.REQUEST, BERT, TOPIC), event(EventKind.CONSENT, ANNA, LIST)])
    assert [(r.person, r.scope) for r in await backend.returns(10)] == [(BERT.exact, TOPIC), (ANNA.exact, LIST)]
    assert [r.person for r in await backend.returns(1)] == [BERT.exact]


async def test_what_an_old_list_says_about_the_time_before_the_refusal_is_no_return(backend):
    await backend.record([event(EventKind.OPT_OUT, ANNA, LIST, at=20)])
    await backend.record([event(EventKind.CONSENT, ANNA, LIST, IMPORT, at=10)])
    assert await backend.returns(10) == []


@pytest.mark.parametrize("evidence", [LINK, Evidence("import:old"), Evidence("system", "form", "v1", "p")])
async def test_a_consent_that_would_count_for_nothing_does_not_wait(backend, evidence):
    await backend.record([event(EventKind.OPT_OUT, ANNA, LIST), event(EventKind.CONSENT, ANNA, LIST, evidence)])
    assert await backend.returns(10) == []


@pytest.mark.parametrize(
    "ending",
    [
        event(EventKind.LIFTED, ANNA, MARKETING, OPERATOR),
        event(EventKind.CONSENT, ANNA, LIST, CONFIRMED),
        event(EventKind.CONSENT, ANNA, LIST, OPERATOR),
        event(EventKind.WITHDRAWAL, ANNA, LIST),
        event(EventKind.OPT_OUT, ANNA, MARKETING),
        event(EventKind.CONSENT, ANNA, LIST, OPERATOR, active=False),
        event(EventKind.ERASURE, ANNA),
    ],
)
async def test_a_pending_return_ends(backend, ending):
    await backend.record([event(EventKind.OPT_OUT, ANNA, LIST), event(EventKind.CONSENT, ANNA, LIST)])
    assert len(await backend.returns(10)) == 1
    await backend.record([ending])
    assert await backend.returns(10) == []


@pytest.mark.parametrize(
    "other",
    [
        event(EventKind.WITHDRAWAL, ANNA, OTHER_LIST),
        event(EventKind.CONSENT, ANNA, LIST, IMPORT),
        event(EventKind.LIFTED, ANNA, OTHER_LIST, OPERATOR),
        event(EventKind.BOUNCE, ANNA, EVERYTHING),
        event(EventKind.CONSENT, ANNA, OTHER_LIST, OPERATOR, active=False),
    ],
)
async def test_a_pending_return_does_not_end_by_something_else(backend, other):
    await backend.record([event(EventKind.OPT_OUT, ANNA, MARKETING), event(EventKind.CONSENT, ANNA, LIST)])
    await backend.record([other])
    assert LIST in {r.scope for r in await backend.returns(10)}


async def test_a_pending_return_that_no_block_stops_any_more_has_ended(backend):
    await backend.record([event(EventKind.OPT_OUT, ANNA, SOURCE), event(EventKind.CONSENT, ANNA, LIST)])
    await backend.record([event(EventKind.LIFTED, ANNA, SOURCE, OPERATOR)])
    assert await backend.returns(10) == []


# Erasure


def filled(who: Person = ANNA) -> list[Event]:
    return [
        contact(who, "K-4711"),
        event(EventKind.CONSENT, who, LIST),
        event(EventKind.ENROLMENT, who, reference="T-77", third_party="school 4"),
        event(EventKind.PUBLICATION, who, id="photo-9"),
        event(EventKind.OPT_OUT, who, OTHER_LIST),
        event(EventKind.SHARED, who, third_party="school 4", message=9, purpose="enrolment"),
    ]


async def test_an_erasure_leaves_the_tombstone_only(backend):
    await backend.record(filled())
    assert await backend.erase(ANNA, NOW, OPERATOR) == 6
    found = (await backend.facts([ANNA]))[0]
    assert [(b.kind, b.scope, b.at) for b in found.blocks] == [(BlockKind.ERASURE, EVERYTHING, quarter(NOW))]
    assert replace(found, blocks=(), known=False) == NOBODY
    ((_, stone),) = await backend.history(ANNA)
    assert (stone.kind, stone.at, stone.scope) == (EventKind.ERASURE, quarter(NOW), None)


async def test_nothing_else_finds_an_erased_person(backend):
    await backend.record([*filled(), *filled(BERT)])
    await backend.act(Act(5, "jan", "asked", "show"), ANNA)
    await backend.erase(ANNA, NOW, OPERATOR)
    assert await backend.contact("crm", "K-4711") == BERT.exact
    assert await backend.published(["photo-9"]) == {"photo-9"}
    assert await backend.acts(ANNA) == []
    about = [f for f in await backend.feed(0, 100) if f.person == ANNA.exact]
    assert [(f.kind, f.at, f.contacts) for f in about] == [(EventKind.ERASURE, quarter(NOW), frozenset())]
    await backend.erase(BERT, NOW, OPERATOR)
    assert await backend.contact("crm", "K-4711") is None
    assert await backend.published(["photo-9"]) == frozenset()


@pytest.mark.parametrize(
    ("day", "first"),
    [
        (1_800_000_000, 1_798_761_600),  # 15 January 2027 → 1 January, 00:00 UTC
        (1_798_761_600, 1_798_761_600),
        (1_798_761_599, 1_790_812_800),  # 31 December 2026 → 1 October
        (1_709_164_800, 1_704_067_200),  # 29 February 2024
    ],
)
async def test_the_tombstone_carries_the_first_second_of_the_quarter(backend, day, first):
    await backend.erase(ANNA, day, OPERATOR)
    assert (await backend.facts([ANNA]))[0].blocks[0].at == first


async def test_a_recorded_erasure_is_as_complete_as_any(backend):
    await backend.record([*filled(), event(EventKind.ERASURE, ANNA, evidence=OPERATOR, at=NOW)])
    assert await kinds(backend) == [EventKind.ERASURE]
    assert (await backend.history(ANNA))[0][1].at == quarter(NOW)


async def test_the_tombstone_has_no_words_of_a_case(backend):
    await backend.erase(ANNA, NOW, Evidence("operator:jan", "letter", "v1", "case 12"))
    ((_, stone),) = await backend.history(ANNA)
    assert stone.evidence == Evidence("operator:jan", "letter")


async def test_what_the_law_keeps_survives_an_erasure_until_its_time(backend):
    await backend.record([*filled(), retained(NOW + 10), retained(NOW - 10, "old invoice")])
    await backend.erase(ANNA, NOW, OPERATOR)
    kept = Retained("invoice 7", "tax law", NOW + 10)
    assert (await backend.facts([ANNA]))[0].retained == (kept,)
    assert await kinds(backend) == [EventKind.ERASURE]
    assert await backend.purge([EventKind.RETAINED], NOW + 10) == 0
    assert (await backend.facts([ANNA]))[0].retained == (kept,)
    assert await backend.purge([EventKind.RETAINED], NOW + 11) == 1
    assert (await backend.facts([ANNA]))[0].retained == ()


async def test_nothing_dated_comes_back_to_an_erased_person(backend):
    await backend.erase(ANNA, NOW, OPERATOR)
    for given in (*filled()[:4], event(EventKind.CONSENT, ANNA, LIST, IMPORT, at=NOW), filled()[5]):
        assert await backend.record([given]) == [0]
    assert await kinds(backend) == [EventKind.ERASURE]
    assert await backend.contact("crm", "K-4711") is None
    assert await backend.returns(10) == []


async def test_numbers_stay_in_step_around_an_event_that_was_not_taken(backend):
    await backend.erase(ANNA, NOW, OPERATOR)
    numbers = await backend.record([filled(BERT)[1], filled()[1], filled(BERT)[4]])
    assert numbers[1] == 0
    assert [n for n, _ in await backend.history(BERT)] == [numbers[0], numbers[2]]


async def test_a_block_still_counts_for_an_erased_person(backend):
    await backend.erase(ANNA, NOW, OPERATOR)
    await backend.record([event(EventKind.COMPLAINT, ANNA, MARKETING)])
    assert (BlockKind.COMPLAINT, MARKETING) in await reasons(backend)


async def test_erasing_twice_or_somebody_unknown_is_harmless(backend):
    await backend.record(filled())
    await backend.erase(ANNA, NOW, OPERATOR)
    assert await backend.erase(ANNA, NOW, OPERATOR) == 1
    assert await kinds(backend) == [EventKind.ERASURE]
    assert await backend.erase(CARLA, NOW, OPERATOR) == 0
    assert await reasons(backend, CARLA) == {(BlockKind.ERASURE, EVERYTHING)}


async def test_an_erasure_reaches_nobody_else(backend):
    await backend.record([event(EventKind.OPT_OUT, WIDE, LIST), *filled(WIDE)[1:3], *filled(BERT)])
    before = await backend.facts([BERT])
    await backend.erase(WIDE, NOW, OPERATOR)
    assert await reasons(backend, person("anna", "wide.example")) == {(BlockKind.OPT_OUT, LIST)}
    assert await reasons(backend, WIDE) == {(BlockKind.OPT_OUT, LIST), (BlockKind.ERASURE, EVERYTHING)}
    assert await backend.facts([BERT]) == before


async def test_an_erasure_is_forgotten_by_no_replay(backend):
    await backend.record(filled())
    await backend.erase(ANNA, NOW, OPERATOR)
    await backend.replay()
    found = (await backend.facts([ANNA]))[0]
    assert (BlockKind.ERASURE, EVERYTHING) in await reasons(backend)
    assert {b.at for b in found.blocks if b.kind is BlockKind.ERASURE} == {quarter(NOW)}
    assert found.consents == ()


async def test_lifting_an_erasure_lets_the_person_start_anew(backend):
    await backend.record(filled())
    await backend.erase(ANNA, NOW, OPERATOR)
    await backend.record([event(EventKind.LIFTED, ANNA, EVERYTHING, CONFIRMED)])
    await backend.record([event(EventKind.CONSENT, ANNA, OTHER_LIST, CONFIRMED)])
    found = (await backend.facts([ANNA]))[0]
    assert (found.blocks, {c.scope for c in found.consents}, found.enrolments) == ((), {OTHER_LIST}, frozenset())


# Rectification


async def test_everything_follows_to_the_new_address(backend):
    await backend.record(filled())
    before = (await backend.facts([ANNA]))[0]
    number = await backend.move(ANNA, BERT, NOW, OPERATOR)
    assert (await backend.facts([BERT]))[0] == before
    assert await backend.contact("crm", "K-4711") == BERT.exact
    history = await backend.history(BERT)
    assert [e.kind for _, e in history] == [*(e.kind for e in filled()), EventKind.RECTIFIED]
    assert history[-1][0] == number
    assert {f.person for f in await backend.feed(0, 100)} == {ANNA.exact, BERT.exact}
    assert [f.kind for f in await backend.feed(0, 100) if f.person == ANNA.exact] == [EventKind.MANUAL]


async def test_the_old_address_stays_blocked_and_keeps_its_own_blocks(backend):
    await backend.record(filled())
    await backend.move(ANNA, BERT, NOW, OPERATOR)
    found = (await backend.facts([ANNA]))[0]
    assert await reasons(backend) == {(BlockKind.OPT_OUT, OTHER_LIST), (BlockKind.MANUAL, EVERYTHING)}
    assert replace(found, blocks=(), known=False) == NOBODY
    assert await kinds(backend) == [EventKind.MANUAL]


async def test_an_address_that_nobody_knew_is_blocked_when_it_is_corrected(backend):
    await backend.move(ANNA, BERT, NOW, OPERATOR)
    assert await reasons(backend) == {(BlockKind.MANUAL, EVERYTHING)}
    assert await reasons(backend, BERT) == set()
    assert await kinds(backend, BERT) == [EventKind.RECTIFIED]


async def test_blocks_and_facts_of_both_addresses_are_joined(backend):
    await backend.record(
        [
            event(EventKind.OPT_OUT, ANNA, LIST),
            event(EventKind.ENROLMENT, ANNA, reference="t1"),
            event(EventKind.PURCHASE, ANNA, category=1, at=50),
            event(EventKind.BOUNCE, BERT, EVERYTHING),
            event(EventKind.ENROLMENT, BERT, reference="t2"),
            event(EventKind.PURCHASE, BERT, category=1, at=40),
            contact(ANNA, "1"),
            contact(BERT, "2"),
        ]
    )
    await backend.act(Act(5, "jan", "asked", "show"), ANNA)
    await backend.move(ANNA, BERT, NOW, OPERATOR)
    found = (await backend.facts([BERT]))[0]
    assert await reasons(backend, BERT) == {(BlockKind.OPT_OUT, LIST), (BlockKind.BOUNCE, EVERYTHING)}
    assert found.enrolments == {"t1", "t2"}
    assert found.purchases == (Purchase(1, False, 50),)
    assert found.contacts == {("crm", "1"), ("crm", "2")}
    history = await backend.history(BERT)
    assert [e.kind for _, e in history[-3:]] == [EventKind.OPT_OUT, EventKind.BOUNCE, EventKind.RECTIFIED]
    assert len(history) == 11
    assert [a.what for a in await backend.acts(BERT)] == ["show"]
    assert await backend.contact("crm", "1") == await backend.contact("crm", "2") == BERT.exact


@pytest.mark.parametrize(("consenting", "refusing"), [(ANNA, BERT), (BERT, ANNA)])
@pytest.mark.parametrize("reach", [LIST, MARKETING, SOURCE, EVERYTHING])
@pytest.mark.parametrize("late", [True, False])
async def test_no_consent_survives_that_a_refusal_of_the_other_address_reaches(
    backend, consenting, refusing, reach, late
):
    both = [event(EventKind.CONSENT, consenting, LIST), event(EventKind.OPT_OUT, refusing, reach)]
    await backend.record(both if late else both[::-1])
    await backend.move(ANNA, BERT, NOW, OPERATOR)
    found = (await backend.facts([BERT]))[0]
    assert found.consents == ()
    assert {b.scope for b in found.blocks} == {reach}
    told = state_at(await backend.history(BERT), NOW)
    assert (told.consents, {b.scope for b in told.blocks}) == ((), {reach})
    # Nor does it come back when the refusal is lifted.
    await backend.record([event(EventKind.LIFTED, BERT, reach, OPERATOR)])
    assert (await backend.facts([BERT]))[0].consents == ()


async def test_a_consent_that_no_refusal_reaches_survives(backend):
    await backend.record([event(EventKind.CONSENT, ANNA, LIST), event(EventKind.OPT_OUT, BERT, OTHER_LIST)])
    await backend.move(ANNA, BERT, NOW, OPERATOR)
    assert {c.scope for c in (await backend.facts([BERT]))[0].consents} == {LIST}


@pytest.mark.parametrize("target", [BERT, person("b.ert", "wide.example")])
async def test_a_block_of_a_wide_row_follows_and_stays(backend, target):
    await backend.record([event(EventKind.OPT_OUT, WIDE, LIST)])
    await backend.move(WIDE, target, NOW, OPERATOR)
    assert await reasons(backend, target) == {(BlockKind.OPT_OUT, LIST)}
    assert await reasons(backend, person("anna", "wide.example")) == {(BlockKind.OPT_OUT, LIST)}
    assert (await backend.history(target))[0][1].kind is EventKind.OPT_OUT


async def test_blocks_are_wide_at_a_domain_where_blocks_are_wide(backend):
    await backend.record([event(EventKind.OPT_OUT, ANNA, LIST), event(EventKind.RESTRICTION, ANNA)])
    await backend.move(ANNA, person("b.ert", "wide.example"), NOW, OPERATOR)
    assert await reasons(backend, person("bert", "wide.example")) == {(BlockKind.OPT_OUT, LIST)}


async def test_one_spelling_corrected_to_another_leaves_the_new_one_free(backend):
    await backend.record([event(EventKind.CONSENT, WIDE, LIST)])
    right = person("anna", "wide.example")
    await backend.move(WIDE, right, NOW, OPERATOR)
    assert await reasons(backend, right) == set()
    assert await reasons(backend, WIDE) == {(BlockKind.MANUAL, EVERYTHING)}
    assert (await backend.facts([right]))[0].consents


async def test_a_moved_block_is_lifted_like_any_other(backend):
    await backend.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    await backend.move(ANNA, BERT, NOW, OPERATOR)
    await backend.record([event(EventKind.CONSENT, BERT, LIST, CONFIRMED)])
    assert await reasons(backend, BERT) == set()


async def test_a_rectification_is_in_the_journal(backend):
    await backend.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    await backend.move(ANNA, BERT, NOW, OPERATOR)
    await backend.record(
        [
            event(EventKind.LIFTED, BERT, EVERYTHING, OPERATOR),
            event(EventKind.LIFTED, ANNA, EVERYTHING, OPERATOR),
        ]
    )
    assert await reasons(backend) == await reasons(backend, BERT) == set()
    await backend.replay()
    assert await reasons(backend, BERT) == {(BlockKind.OPT_OUT, LIST)}
    assert (BlockKind.MANUAL, EVERYTHING) in await reasons(backend)


@pytest.mark.parametrize("erased", [ANNA, BERT])
async def test_nothing_is_corrected_under_a_tombstone(backend, erased):
    await backend.record(filled())
    await backend.erase(erased, NOW, OPERATOR)
    before = await backend.facts([ANNA, BERT])
    with pytest.raises(InvalidEvent, match="erased"):
        await backend.move(ANNA, BERT, NOW, OPERATOR)
    assert await backend.facts([ANNA, BERT]) == before


async def test_an_address_is_not_corrected_to_itself_nor_without_a_name(backend):
    with pytest.raises(InvalidEvent, match="same"):
        await backend.move(ANNA, ANNA, NOW, OPERATOR)
    with pytest.raises(InvalidEvent, match="actor"):
        await backend.move(ANNA, BERT, NOW, Evidence("operator"))
    with pytest.raises(InvalidEvent, match="rectification"):
        await backend.record([event(EventKind.RECTIFIED, ANNA)])


async def test_corrected_twice_all_is_at_the_last_address(backend):
    await backend.record(filled())
    before = (await backend.facts([ANNA]))[0]
    await backend.move(ANNA, BERT, NOW, OPERATOR)
    await backend.move(BERT, CARLA, NOW, OPERATOR)
    assert (await backend.facts([CARLA]))[0] == before
    assert await reasons(backend, BERT) == {(BlockKind.OPT_OUT, OTHER_LIST), (BlockKind.MANUAL, EVERYTHING)}
    assert await kinds(backend, CARLA) == [*(e.kind for e in filled()), EventKind.RECTIFIED, EventKind.RECTIFIED]


async def test_a_person_who_moved_can_be_erased_and_the_old_address_stays_blocked(backend):
    await backend.record(filled())
    await backend.move(ANNA, BERT, NOW, OPERATOR)
    assert await backend.erase(BERT, NOW, OPERATOR) == 7
    assert await kinds(backend, BERT) == [EventKind.ERASURE]
    assert (BlockKind.MANUAL, EVERYTHING) in await reasons(backend)


# Retention


async def test_a_purge_takes_old_facts_and_what_rests_on_them(backend):
    await backend.record(
        [
            event(EventKind.ENROLMENT, reference="old", third_party="school 4", at=10),
            event(EventKind.ENROLMENT, reference="both", at=10),
            event(EventKind.ENROLMENT, reference="both", at=200),
            event(EventKind.CONTRACT, reference="c1", third_party="school 5", at=10),
            event(EventKind.LANGUAGE, language="nl", at=10),
            event(EventKind.ENROLMENT, BERT, reference="new", at=100),
        ]
    )
    assert await backend.purge([EventKind.ENROLMENT], 100) == 2
    anna, bert = await backend.facts([ANNA, BERT])
    assert (anna.enrolments, anna.contracts, anna.language) == ({"both"}, {"c1"}, "nl")
    assert anna.third_parties == {("c1", "school 5")}
    assert bert.enrolments == {"new"}
    assert len(await backend.history(ANNA)) == 3


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (event(EventKind.PURCHASE, category=2), "purchases"),
        (event(EventKind.SUBSCRIPTION, category=2), "subscriptions"),
        (event(EventKind.LANGUAGE, language="nl"), "language"),
        (contact(ANNA, "1"), "contacts"),
        (event(EventKind.ORIGIN, origin="contest"), "origins"),
        (event(EventKind.ANNOUNCED, reference="v1"), "announced"),
        (event(EventKind.CONTRACT, reference="c", third_party="x"), "third_parties"),
    ],
)
async def test_every_purgeable_fact_goes_with_its_event(backend, given, name):
    await backend.record([given])
    assert getattr((await backend.facts([ANNA]))[0], name)
    assert await backend.purge([given.kind], given.at + 1) == 1
    assert not getattr((await backend.facts([ANNA]))[0], name)
    assert await backend.contact("crm", "1") is None


async def test_a_purge_leaves_blocks_consents_and_pending_returns_alone(backend):
    await backend.record(
        [
            event(EventKind.CONSENT, scope=LIST, at=10),
            event(EventKind.REQUEST, scope=TOPIC, at=10),
            event(EventKind.OPT_OUT, scope=OTHER_LIST, at=10),
            event(EventKind.CONSENT, scope=OTHER_LIST, at=10),
            event(EventKind.PUBLICATION, id="p1", at=10),
            event(EventKind.MINOR, minor=True, at=10),
            event(EventKind.RECEIPT, message=1, kind="read", at=10),
        ]
    )
    before = await backend.facts([ANNA])
    everything = [k for k in EventKind if k.value.startswith("fact-")]
    for kind in everything:
        try:
            await backend.purge([kind], 100)
        except InvalidEvent:
            continue
    assert await backend.facts([ANNA]) == before
    assert len(await backend.returns(10)) == 1
    assert EventKind.RECEIPT not in await kinds(backend)
    assert len(await backend.history(ANNA)) == 6


@pytest.mark.parametrize("kind", ["consent", "opt-out", "erasure", "fact-request", "fact-publication", "fact-minor"])
async def test_consents_blocks_and_protections_are_never_purged(backend, kind):
    with pytest.raises(InvalidEvent, match="purged"):
        await backend.purge([EventKind(kind)], NOW)


async def test_the_oldest_event_is_known(backend):
    assert await backend.oldest([EventKind.RECEIPT]) is None
    assert await backend.oldest([]) is None
    await backend.record(
        [
            event(EventKind.RECEIPT, message=1, kind="read", at=30),
            event(EventKind.ANNOUNCED, reference="v1", at=20),
            event(EventKind.CONSENT, scope=LIST, at=10),
        ]
    )
    assert await backend.oldest([EventKind.RECEIPT]) == 30
    assert await backend.oldest([EventKind.RECEIPT, EventKind.ANNOUNCED]) == 20
    assert await backend.oldest([EventKind.CONSENT, EventKind.ANNOUNCED]) == 10


# Journals


def link(scope: Scope = LIST, who: Person = ANNA) -> OptOut:
    return OptOut(7, who.exact, 0, scope, 1, 77)


async def test_a_web_opt_out_counts_as_soon_as_it_is_on_disk_and_is_taken_in_once(backend, make_registry, web_journal):
    other = make_registry(like=backend)
    web_journal(backend).append_opt_outs([link()], 5)
    assert await scopes(backend) == await scopes(other) == {LIST}
    assert await backend.ingest() == 1
    assert await backend.ingest() == 1
    assert await scopes(backend) == await scopes(other) == {LIST}
    assert await kinds(backend) == [EventKind.OPT_OUT]


async def test_a_web_opt_out_comes_before_a_consent_recorded_after_it(backend, web_journal):
    web_journal(backend).append_opt_outs([link()], 5)
    await backend.record([event(EventKind.CONSENT, scope=LIST, evidence=CONFIRMED)])
    assert await scopes(backend) == set()
    assert (await backend.facts([ANNA]))[0].consents_to(LIST)


async def test_a_web_opt_out_ends_a_pending_return(backend, web_journal):
    await backend.record([event(EventKind.OPT_OUT, ANNA, MARKETING), event(EventKind.CONSENT, ANNA, LIST)])
    web_journal(backend).append_opt_outs([link()], 5)
    await backend.ingest()
    assert await backend.returns(10) == []


async def test_replaying_the_whole_journal_brings_back_what_was_lifted(backend):
    await backend.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    await backend.record([event(EventKind.LIFTED, ANNA, LIST, CONFIRMED)])
    assert await scopes(backend) == set()
    assert await backend.replay() == 1
    assert await scopes(backend) == {LIST}


async def test_replaying_again_and_again_changes_nothing_more(backend):
    await backend.record([*filled(), event(EventKind.CONSENT, ANNA, OTHER_LIST), retained(NOW)])
    await backend.replay()
    once = await backend.facts([ANNA])
    await backend.replay()
    twice = await backend.facts([ANNA])
    assert [replace(b, event=0) for b in once[0].blocks] == [replace(b, event=0) for b in twice[0].blocks]
    assert replace(once[0], blocks=()) == replace(twice[0], blocks=())


# Copying


async def rows_of(backend: PeopleRegistry, size: int) -> tuple[list[StateRow], list[EventRow]]:
    states: list[StateRow] = []
    events: list[EventRow] = []
    while page := await backend.state_rows(states[-1].pseudonym if states else b"", size):
        states += page
    while found := await backend.event_rows(events[-1].number if events else 0, size):
        events += found
    return states, events


async def test_rows_come_in_order_and_whole(backend):
    await backend.record([*filled(), *filled(BERT), *filled(WIDE)])
    states, events = await rows_of(backend, 2)
    assert [r.pseudonym for r in states] == sorted({ANNA.exact, BERT.exact, WIDE.exact, WIDE.wide})
    assert [r.number for r in events] == sorted(r.number for r in events)
    assert len(events) == 18
    assert (states, events) == await rows_of(backend, 1000)


async def test_a_copy_is_the_same_registry_again(backend, make_registry):
    await backend.record([*filled(), *filled(WIDE), event(EventKind.OPT_OUT, BERT, LIST)])
    await backend.record([event(EventKind.CONSENT, BERT, LIST)])
    await backend.erase(CARLA, NOW, OPERATOR)
    states, events = await rows_of(backend, 1000)
    copy = make_registry()
    await copy.load(states[:2], events[:3])
    await copy.load(states[2:], events[3:])
    await copy.load((), ())
    people = [ANNA, BERT, CARLA, WIDE]
    assert await copy.facts(people) == await backend.facts(people)
    assert [await copy.history(p) for p in people] == [await backend.history(p) for p in people]
    assert await rows_of(copy, 1000) == (states, events)
    assert await copy.returns(10) == await backend.returns(10)
    assert await copy.contact("crm", "K-4711") == await backend.contact("crm", "K-4711")
    assert await copy.published(["photo-9"]) == {"photo-9"}
    assert await copy.feed(0, 100) == await backend.feed(0, 100)


async def test_a_copy_goes_on_with_numbers_behind_all_others(backend, make_registry):
    await backend.record(filled())
    states, events = await rows_of(backend, 1000)
    copy = make_registry()
    await copy.load(states, events)
    await copy.load((), ())
    assert (await copy.record([event(EventKind.LANGUAGE, BERT, language="nl")]))[0] > events[-1].number
    assert len(await copy.history(BERT)) == 1


async def test_the_blocks_of_a_copy_are_in_its_journal(backend, make_registry):
    await backend.record([event(EventKind.OPT_OUT, ANNA, LIST), event(EventKind.OPT_OUT, WIDE, MARKETING)])
    states, events = await rows_of(backend, 1000)
    copy = make_registry()
    await copy.load(states, events)
    await copy.load((), ())
    await copy.record([event(EventKind.LIFTED, who, EVERYTHING, OPERATOR) for who in (ANNA, WIDE)])
    assert await scopes(copy) == set()
    assert await copy.replay() == 2
    assert (await scopes(copy), await scopes(copy, WIDE)) == ({LIST}, {MARKETING})


async def test_nobody_rests_on_half_a_copy(backend, make_registry):
    await backend.record(filled())
    states, events = await rows_of(backend, 1000)
    copy = make_registry()
    await copy.load(states, ())
    assert "loaded" in await trouble(copy)
    with pytest.raises(RegistryMistrusted, match="loaded"):
        await copy.facts([ANNA])
    with pytest.raises(RegistryMistrusted, match="loaded"):
        await copy.record(filled())
    again = make_registry(like=copy)
    with pytest.raises(RegistryMistrusted, match="loaded"):
        await again.facts([ANNA])
    await again.load((), events)
    await again.load((), ())
    assert await again.facts([ANNA]) == await backend.facts([ANNA])


async def test_only_a_new_registry_takes_the_rows_of_another(backend, make_registry):
    await backend.record(filled())
    states, events = await rows_of(backend, 1000)
    with pytest.raises(InvalidEvent, match="load"):
        await backend.load(states, events)
    assert await rows_of(backend, 1000) == (states, events)


async def test_rows_that_cannot_be_read_are_not_taken(make_registry):
    copy = make_registry()
    for data in ('{"b":[[1,1,0,5,1]],"zz":1}', "[]", "", '{"b":[[99,1,0,5,1]]}'):
        with pytest.raises(RegistryMistrusted):
            await copy.load([StateRow(ANNA.exact, 1, 0, data)], ())
    assert await copy.facts([ANNA]) == [NOBODY]
