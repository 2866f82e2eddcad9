"""The fold from events to state: what a consent gives, what a block takes, what lifts it, and what an import cannot."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import BlockKind, Purchase, Scope, ScopeKind, Subscription
from gateway.registry.applying import apply
from gateway.registry.events import BLOCKS, LIFTED_BY
from gateway.registry.protocol import Event, EventKind, Evidence
from gateway.registry.state import EMPTY, State, facts
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

WIDE = person("an.na+x", "wide.example")
EVERYTHING = Scope(ScopeKind.EVERYTHING)
TOPIC = Scope(ScopeKind.TOPIC, 5)


def fold(*happened: Event) -> tuple[State, State]:
    rows = (EMPTY, EMPTY)
    for number, one in enumerate(happened, 1):
        rows = apply(*rows, one, number)
    return rows


def blocks(*happened: Event) -> set[tuple[BlockKind, Scope]]:
    exact, wide = fold(*happened)
    return {(b.kind, b.scope) for b in facts(exact, wide).blocks}


def consents(*happened: Event) -> set[Scope]:
    return {c.scope for c in fold(*happened)[0].consents}


def consent(scope: Scope = LIST, evidence: Evidence = FORM) -> Event:
    return event(EventKind.CONSENT, scope=scope, evidence=evidence)


def opt_out(scope: Scope = LIST, evidence: Evidence = LINK) -> Event:
    return event(EventKind.OPT_OUT, scope=scope, evidence=evidence)


@pytest.mark.parametrize("evidence", [FORM, CONFIRMED, OPERATOR, IMPORT])
def test_consent_with_evidence_counts(evidence):
    assert consents(consent(evidence=evidence)) == {LIST}


@pytest.mark.parametrize(
    "evidence",
    [
        Evidence("person"),
        Evidence("person", "form", "v1"),
        Evidence("person", "form", "", "p"),
        Evidence("import:old", "form", "v1"),
        Evidence("operator:jan", "phone"),
        Evidence("web", "link", "v1", "proof"),
        Evidence("system", "form", "v1", "proof"),
    ],
)
def test_consent_without_evidence_or_by_a_link_alone_does_not(evidence):
    assert consents(consent(evidence=evidence)) == set()


def test_consent_to_one_list_is_not_consent_to_another():
    assert consents(consent(LIST)) == {LIST}
    assert OTHER_LIST not in consents(consent(LIST))


@pytest.mark.parametrize("kind", sorted(BLOCKS))
def test_every_block_kind_puts_its_block(kind):
    scope = None if kind in ("restriction", "erasure") else LIST
    assert blocks(event(kind, scope=scope)) == {(BLOCKS[kind], scope or EVERYTHING)}


@pytest.mark.parametrize(
    ("reach", "left"),
    [(LIST, {OTHER_LIST}), (MARKETING, set()), (EVERYTHING, set()), (SOURCE, {LIST, OTHER_LIST})],
)
def test_a_withdrawal_ends_the_consents_it_contains(reach, left):
    given_before = (consent(LIST), consent(OTHER_LIST))
    assert consents(*given_before, event(EventKind.WITHDRAWAL, scope=reach)) == left


def test_research_consent_outlives_a_marketing_opt_out_and_tracking_does_not():
    research, tracking = Scope(ScopeKind.PURPOSE, 2), Scope(ScopeKind.PURPOSE, 1)
    assert consents(consent(research), consent(tracking), opt_out(MARKETING)) == {research}


@pytest.mark.parametrize("evidence", [CONFIRMED, OPERATOR])
def test_later_consent_with_proof_lifts_an_opt_out_of_the_same_or_narrower_scope(evidence):
    assert blocks(opt_out(LIST), consent(LIST, evidence)) == set()
    assert blocks(opt_out(LIST), consent(MARKETING, evidence)) == set()
    assert consents(opt_out(LIST), consent(LIST, evidence)) == {LIST}


def test_consent_to_a_list_does_not_lift_a_broader_opt_out():
    assert blocks(opt_out(MARKETING), consent(LIST, CONFIRMED)) == {(BlockKind.OPT_OUT, MARKETING)}
    assert blocks(opt_out(SOURCE), consent(LIST, CONFIRMED)) == {(BlockKind.OPT_OUT, SOURCE)}


@pytest.mark.parametrize("evidence", [FORM, IMPORT, LINK, Evidence("person", "confirmed", "v1")])
def test_consent_without_mailbox_proof_neither_lifts_nor_gives(evidence):
    assert blocks(opt_out(LIST), consent(LIST, evidence)) == {(BlockKind.OPT_OUT, LIST)}
    assert consents(opt_out(LIST), consent(LIST, evidence)) == set()


@pytest.mark.parametrize("reach", [MARKETING, SOURCE, EVERYTHING])
def test_an_import_gives_no_consent_to_somebody_with_a_broader_block(reach):
    assert consents(opt_out(reach), consent(LIST, IMPORT)) == set()


def test_a_block_on_another_list_does_not_stop_an_import():
    assert consents(opt_out(OTHER_LIST), consent(LIST, IMPORT)) == {LIST}


def test_consent_before_the_block_does_not_lift_it():
    assert blocks(consent(LIST, CONFIRMED), opt_out(LIST)) == {(BlockKind.OPT_OUT, LIST)}


def test_lifting_a_block_does_not_bring_back_what_it_stopped():
    lifted = event(EventKind.LIFTED, scope=SOURCE, evidence=CONFIRMED)
    assert consents(consent(LIST), opt_out(SOURCE), consent(OTHER_LIST, CONFIRMED), lifted) == {OTHER_LIST}


LIFTERS = [EventKind.CONSENT, EventKind.LIFTED, EventKind.RESTRICTION_LIFTED]


@pytest.mark.parametrize("kind", sorted(BLOCKS))
@pytest.mark.parametrize("lifter", LIFTERS)
def test_each_block_falls_only_by_the_events_its_row_names(kind, lifter):
    block = event(kind, scope=EVERYTHING)
    after = blocks(block, event(lifter, scope=EVERYTHING, evidence=OPERATOR))
    assert (after == set()) == (lifter in LIFTED_BY[BLOCKS[kind]])


@pytest.mark.parametrize("kind", sorted(BLOCKS))
@pytest.mark.parametrize("lifter", LIFTERS)
@pytest.mark.parametrize("evidence", [IMPORT, LINK, FORM])
def test_nothing_falls_without_the_evidence_for_it(kind, lifter, evidence):
    block = event(kind, scope=EVERYTHING)
    assert blocks(block, event(lifter, scope=EVERYTHING, evidence=evidence)) == blocks(block)


def test_erasure_leaves_only_the_tombstone_and_nothing_refills_it():
    filled = (
        consent(),
        event(EventKind.ENROLMENT, reference="t1"),
        event(EventKind.LANGUAGE, language="nl"),
        opt_out(OTHER_LIST),
    )
    erased = event(EventKind.ERASURE)
    after = (
        consent(evidence=CONFIRMED),
        event(EventKind.CONTRACT, reference="c"),
        event(EventKind.PURCHASE, category=1),
    )
    exact, _ = fold(*filled, erased, *after)
    assert exact == State(blocks=exact.blocks)
    assert [b.kind for b in exact.blocks] == [BlockKind.ERASURE]


def test_restriction_keeps_the_facts():
    exact, _ = fold(consent(), event(EventKind.RESTRICTION))
    assert exact.consents
    assert exact.blocks[0].scope == EVERYTHING


def test_a_wide_domain_blocks_under_wide_and_keeps_facts_under_exact():
    exact, wide = fold(event(EventKind.CONSENT, WIDE, LIST), event(EventKind.OPT_OUT, WIDE, OTHER_LIST))
    assert [c.scope for c in exact.consents] == [LIST]
    assert exact.blocks == ()
    assert [b.scope for b in wide.blocks] == [OTHER_LIST]
    assert wide.consents == ()


@pytest.mark.parametrize("kind", [EventKind.RESTRICTION, EventKind.ERASURE])
def test_restriction_and_erasure_never_reach_look_alikes(kind):
    exact, wide = fold(event(kind, WIDE))
    assert exact.blocks
    assert wide == EMPTY


def test_consent_lifts_blocks_of_both_rows():
    exact, wide = fold(event(EventKind.OPT_OUT, WIDE, LIST), event(EventKind.CONSENT, WIDE, LIST, CONFIRMED))
    assert wide.blocks == ()
    assert exact.consents


def test_the_named_facts_are_what_they_say():
    exact, _ = fold(
        event(EventKind.ENROLMENT, reference="t1"),
        event(EventKind.ENROLMENT, reference="t2"),
        event(EventKind.ENROLMENT, reference="t1", active=False),
        event(EventKind.CONTRACT, reference="c1"),
        event(EventKind.PURCHASE, category=2, at=50),
        event(EventKind.PURCHASE, category=2, at=40),
        event(EventKind.PURCHASE, category=2, declined=True, at=45),
        event(EventKind.SUBSCRIPTION, category=2, end=None),
        event(EventKind.SUBSCRIPTION, category=2, end=99),
        event(EventKind.REQUEST, scope=TOPIC),
        event(EventKind.PUBLICATION, id="p1"),
        event(EventKind.MINOR, minor=True, guardian=True),
        event(EventKind.LANGUAGE, language="en"),
    )
    found = facts(exact, None)
    assert found.enrolments == {"t2"}
    assert found.contracts == {"c1"}
    assert set(found.purchases) == {Purchase(2, False, 50), Purchase(2, True, 45)}
    assert found.subscriptions == (Subscription(2, 99),)
    assert found.requests == {5}
    assert found.publications == {"p1"}
    assert (found.minor, found.guardian_consent, found.language, found.known) == (True, True, "en", True)


def test_requests_publications_and_guardians_need_evidence_too():
    bare = Evidence("import:old")
    exact, _ = fold(
        event(EventKind.REQUEST, scope=TOPIC, evidence=bare),
        event(EventKind.PUBLICATION, id="p1", evidence=bare),
        event(EventKind.MINOR, minor=True, guardian=True, evidence=bare),
    )
    assert (exact.requests, exact.publications, exact.minor, exact.guardian) == ((), frozenset(), True, False)


def test_an_opt_out_ends_requests_and_nobody_found_means_nothing():
    assert fold(event(EventKind.REQUEST, scope=TOPIC), opt_out(MARKETING))[0].requests == ()
    assert not facts(None, None).known


scopes = st.sampled_from([LIST, OTHER_LIST, MARKETING, SOURCE, TOPIC, EVERYTHING])
imported = st.one_of(
    st.builds(lambda s: consent(s, IMPORT), scopes),
    st.builds(lambda k, s: event(k, scope=s, evidence=IMPORT), st.sampled_from(sorted(BLOCKS)), scopes),
    st.builds(lambda: event(EventKind.REQUEST, scope=TOPIC, evidence=IMPORT)),
    st.builds(lambda: event(EventKind.ENROLMENT, reference="t", evidence=IMPORT)),
    st.builds(lambda k, s: event(k, scope=s, evidence=IMPORT), st.sampled_from(LIFTERS), scopes),
)
anything = st.one_of(imported, st.builds(consent, scopes, st.sampled_from([FORM, CONFIRMED, OPERATOR])))


def stopped(state: State) -> set[Scope]:
    """What is blocked, by reach: a tombstone stops everything that a smaller block did."""
    reaches = {b.scope for b in state.blocks}
    return {LIST, OTHER_LIST, MARKETING, SOURCE, TOPIC, EVERYTHING} if EVERYTHING in reaches else reaches


@settings(deadline=None, max_examples=200)
@given(st.lists(anything, max_size=6), st.lists(imported, max_size=8), st.randoms(use_true_random=False))
def test_imports_in_any_order_leave_the_blocked_set_unchanged_or_larger(before, imports, rng: random.Random):
    rows = fold(*before)
    rng.shuffle(imports)
    reached = stopped(rows[0])
    for number, one in enumerate(imports, 100):
        rows = apply(*rows, one, number)
        assert reached <= stopped(rows[0])
        reached = stopped(rows[0])
