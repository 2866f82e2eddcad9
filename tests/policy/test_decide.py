"""The order of the rules, and what each state of a person does to each stream."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.decision import Action, Basis, Classification, Decision, Stream, Variant
from gateway.facts import (
    NOBODY,
    Block,
    BlockKind,
    Consent,
    Facts,
    Purchase,
    Purpose,
    Scope,
    ScopeKind,
    Subscription,
)
from gateway.policy.case import EXEMPT
from gateway.policy.circumstances import ORDINARY
from gateway.policy.decide import decide
from gateway.reply import BLOCKED, RESTRICTED
from tests.policy.example import (
    AGREED,
    CATEGORY,
    MAIL,
    NEWS,
    NOW,
    ORGANISATION,
    OTHER_LIST,
    SOURCE,
    TOPIC,
    blocked,
    consent,
    organisation,
    with_stream,
)

EVERY_STREAM = sorted(MAIL)
BLOCKABLE = [s for s in EVERY_STREAM if s not in EXEMPT]


def ask(stream: Stream, facts: Facts = AGREED, *, queued: Any = False, **marks: Any) -> Decision:
    mail = replace(MAIL[stream], **marks)
    return decide(ORGANISATION, mail, facts, now=NOW, around=ORDINARY, queued=queued)


@pytest.mark.parametrize("stream", EVERY_STREAM)
def test_a_person_who_agreed_to_all_gets_every_stream(stream: Stream) -> None:
    assert ask(stream).action is Action.DELIVER


def test_exactly_one_rule_decides_and_it_is_the_one_named() -> None:
    for facts in (AGREED, NOBODY, blocked(BlockKind.ERASURE, ScopeKind.EVERYTHING)):
        for stream in EVERY_STREAM:
            made = ask(stream, facts)
            deciders = [t for t in made.tried if t.decided]
            assert [(t.rule, t.fact) for t in deciders] == [(made.rule, made.fact)]


def test_unclassified_mail_is_refused_with_the_reason() -> None:
    made = decide(
        ORGANISATION, Classification(Stream.UNCLASSIFIED, why="stream_missing: x"), AGREED, now=NOW, around=ORDINARY
    )
    assert (made.action, made.rule) == (Action.REFUSE, "unclassified")
    assert made.reply is not None
    assert "stream_missing" in made.reply.text


def test_a_stream_without_rules_is_refused() -> None:
    made = decide(organisation(streams={}), MAIL[Stream.WEBSHOP], AGREED, now=NOW, around=ORDINARY)
    assert (made.action, made.rule) == (Action.REFUSE, "unclassified")


def test_postmaster_is_reached_whatever_is_known() -> None:
    facts = blocked(BlockKind.ERASURE, ScopeKind.EVERYTHING)
    made = decide(ORGANISATION, MAIL[Stream.NEWSLETTER], facts, now=NOW, around=ORDINARY, postmaster=True)
    assert (made.action, made.rule) == (Action.DELIVER, "postmaster")


@pytest.mark.parametrize("stream", BLOCKABLE)
def test_an_erased_person_gets_nothing(stream: Stream) -> None:
    for scope in (ScopeKind.EVERYTHING, ScopeKind.LIST):
        made = ask(stream, blocked(BlockKind.ERASURE, scope))
        assert (made.action, made.rule) == (Action.REFUSE, "erasure")


@pytest.mark.parametrize("stream", BLOCKABLE)
def test_restriction_refuses_new_mail_and_holds_queued_mail(stream: Stream) -> None:
    facts = blocked(BlockKind.RESTRICTION, ScopeKind.EVERYTHING)
    new, queued = ask(stream, facts), ask(stream, facts, queued=True)
    assert (new.action, new.rule, new.reply) == (Action.REFUSE, "restriction", RESTRICTED)
    assert (queued.action, queued.rule) == (Action.HOLD, "restriction")


def test_erasure_wins_over_restriction_in_the_queue() -> None:
    facts = blocked(BlockKind.RESTRICTION, ScopeKind.EVERYTHING)
    facts = blocked(BlockKind.ERASURE, ScopeKind.EVERYTHING, facts=facts)
    assert ask(Stream.NEWSLETTER, facts, queued=True).action is Action.REFUSE


@pytest.mark.parametrize("stream", sorted(EXEMPT))
@pytest.mark.parametrize("kind", list(BlockKind))
def test_no_block_stops_what_the_person_asked_for(stream: Stream, kind: BlockKind) -> None:
    assert ask(stream, blocked(kind, ScopeKind.EVERYTHING)).action is Action.DELIVER


@pytest.mark.parametrize("stream", BLOCKABLE)
@pytest.mark.parametrize("kind", [BlockKind.COMPLAINT, BlockKind.BOUNCE, BlockKind.MANUAL])
def test_complaint_bounce_and_manual_block_of_everything_stop_every_stream(stream: Stream, kind: BlockKind) -> None:
    made = ask(stream, blocked(kind, ScopeKind.EVERYTHING))
    assert (made.action, made.rule) == (Action.REFUSE, kind.value)
    assert made.reply is not None
    assert made.reply.text.startswith(BLOCKED.text)


def test_opt_out_from_a_source_stops_all_three_kinds_from_it_and_nothing_else() -> None:
    facts = blocked(BlockKind.OPT_OUT, ScopeKind.SOURCE, SOURCE)
    stopped = {s for s in EVERY_STREAM if ask(s, facts).action is Action.REFUSE}
    assert stopped == {Stream.NEWSLETTER, Stream.NOTIFICATION, Stream.PARTICIPATION, Stream.POLICY_CHANGE}


def test_opt_out_from_another_source_stops_nothing() -> None:
    facts = blocked(BlockKind.OPT_OUT, ScopeKind.SOURCE, SOURCE + 1)
    assert all(ask(s, facts).action is Action.DELIVER for s in EVERY_STREAM)


def test_a_list_opt_out_stops_that_list_only() -> None:
    facts = replace(AGREED, consents=(*AGREED.consents, consent(ScopeKind.LIST, OTHER_LIST)))
    facts = blocked(BlockKind.OPT_OUT, ScopeKind.LIST, NEWS, facts)
    assert ask(Stream.NEWSLETTER, facts).rule == "opt-out"
    assert ask(Stream.NEWSLETTER, facts, list=OTHER_LIST).action is Action.DELIVER


def test_withdrawn_list_consent_stops_the_list_even_where_the_stream_ignores_list_blocks() -> None:
    deaf = with_stream("newsletter", blocked_by=["everything"])
    facts = blocked(BlockKind.WITHDRAWAL, ScopeKind.LIST, NEWS)
    made = decide(deaf, MAIL[Stream.NEWSLETTER], facts, now=NOW, around=ORDINARY)
    assert (made.action, made.rule) == (Action.REFUSE, "list-consent")


def test_a_block_without_a_number_reaches_its_whole_kind() -> None:
    assert ask(Stream.NEWSLETTER, blocked(BlockKind.OPT_OUT, ScopeKind.LIST, 0)).rule == "opt-out"


@pytest.mark.parametrize("stream", [Stream.NEWSLETTER, Stream.NOTIFICATION])
def test_objection_to_marketing_stops_marketing_though_no_stream_lists_it(stream: Stream) -> None:
    assert ask(stream, blocked(BlockKind.OBJECTION, ScopeKind.MARKETING)).rule == "opt-out"


@pytest.mark.parametrize("stream", [Stream.PARTICIPATION, Stream.INFORMATIONAL, Stream.WEBSHOP, Stream.PERSONAL])
def test_objection_to_marketing_leaves_other_mail_alone(stream: Stream) -> None:
    assert ask(stream, blocked(BlockKind.OBJECTION, ScopeKind.MARKETING)).action is Action.DELIVER


def test_unstoppable_mail_ignores_narrow_opt_outs_and_obeys_the_widest() -> None:
    assert ask(Stream.INFORMATIONAL, blocked(BlockKind.OPT_OUT, ScopeKind.MARKETING)).action is Action.DELIVER
    assert ask(Stream.INFORMATIONAL, blocked(BlockKind.OPT_OUT, ScopeKind.EVERYTHING)).action is Action.REFUSE


def test_category_objection_stops_offers_of_that_category_only() -> None:
    facts = blocked(BlockKind.OBJECTION, ScopeKind.CATEGORY, CATEGORY)
    offer = {"basis": Basis.SOFT_OPT_IN, "offer": "similar"}
    assert ask(Stream.NOTIFICATION, facts, category=CATEGORY, **offer).rule == "opt-out"
    assert ask(Stream.WEBSHOP, facts).action is Action.DELIVER


def test_the_widest_scope_wins() -> None:
    plain = with_stream("newsletter", opt_out={})  # no link of its own, so no marketing by definition
    objected = blocked(BlockKind.OBJECTION, ScopeKind.MARKETING)
    assert decide(plain, MAIL[Stream.NEWSLETTER], objected, now=NOW, around=ORDINARY).rule == "opt-out"


def test_objection_to_offers_stops_soft_opt_in_mail() -> None:
    facts = blocked(BlockKind.OBJECTION, ScopeKind.PURPOSE, Purpose.OFFERS)
    made = ask(Stream.NOTIFICATION, facts, basis=Basis.SOFT_OPT_IN, offer="similar", category=CATEGORY)
    assert made.rule == "opt-out"


def test_deliver_names_the_ground_it_went_out_on() -> None:
    made = ask(Stream.NEWSLETTER)
    assert (made.rule, made.fact) == ("list-consent", f"consent list:{NEWS}")
    assert (ask(Stream.PERSONAL).rule, ask(Stream.PERSONAL).fact) == ("basis", "basis legitimate_interest")


def test_a_refusal_names_the_missing_fact_in_its_reply() -> None:
    made = ask(Stream.NEWSLETTER, NOBODY)
    assert made.fact == f"consent list:{NEWS} missing"
    assert made.reply is not None
    assert made.fact in made.reply.text


TRACKED = replace(AGREED, consents=(*AGREED.consents, consent(ScopeKind.PURPOSE, Purpose.TRACKING)))


def test_links_stay_individual_only_with_consent_to_tracking() -> None:
    assert not ask(Stream.NEWSLETTER).variant.tracking
    assert ask(Stream.NEWSLETTER, TRACKED).variant.tracking


@pytest.mark.parametrize("stream", [s for s in EVERY_STREAM if s not in (Stream.NEWSLETTER, Stream.RESEARCH)])
def test_streams_that_never_track_ignore_tracking_consent(stream: Stream) -> None:
    assert not ask(stream, TRACKED).variant.tracking


def test_tracking_consent_taken_back_cleans_the_links() -> None:
    facts = blocked(BlockKind.WITHDRAWAL, ScopeKind.PURPOSE, Purpose.TRACKING, TRACKED)
    made = ask(Stream.NEWSLETTER, facts)
    assert (made.action, made.variant.tracking) == (Action.DELIVER, False)


def test_an_offer_by_soft_opt_in_is_never_tracked() -> None:
    made = ask(Stream.NOTIFICATION, TRACKED, basis=Basis.SOFT_OPT_IN, category=CATEGORY, offer="similar")
    assert (made.action, made.rule, made.variant.tracking) == (Action.DELIVER, "soft-opt-in", False)


def test_consent_to_the_list_does_for_tracking_where_the_organisation_is_not_strict() -> None:
    lenient = organisation(strict_tracking=False)
    assert decide(lenient, MAIL[Stream.NEWSLETTER], AGREED, now=NOW, around=ORDINARY).variant.tracking
    facts = blocked(BlockKind.WITHDRAWAL, ScopeKind.PURPOSE, Purpose.TRACKING)
    assert not decide(lenient, MAIL[Stream.NEWSLETTER], facts, now=NOW, around=ORDINARY).variant.tracking
    assert not decide(lenient, MAIL[Stream.RESEARCH], AGREED, now=NOW, around=ORDINARY).variant.tracking


def test_the_persons_language_goes_before_the_mails_and_the_organisations() -> None:
    mail = MAIL[Stream.PERSONAL]
    assert decide(ORGANISATION, mail, NOBODY, now=NOW, around=ORDINARY).variant == Variant("nl")
    assert decide(ORGANISATION, mail, NOBODY, now=NOW, around=ORDINARY, language="en-GB").variant == Variant("en")
    assert decide(
        ORGANISATION, mail, replace(NOBODY, language="de"), now=NOW, around=ORDINARY, language="en"
    ).variant == Variant("de")


def test_the_decision_does_not_depend_on_the_order_of_blocks() -> None:
    facts = blocked(BlockKind.OPT_OUT, ScopeKind.LIST, OTHER_LIST)
    facts = blocked(BlockKind.OPT_OUT, ScopeKind.SOURCE, SOURCE, facts)
    turned = replace(facts, blocks=tuple(reversed(facts.blocks)))
    assert ask(Stream.NEWSLETTER, facts) == ask(Stream.NEWSLETTER, turned)


anything = st.integers(min_value=-(2**70), max_value=2**70)
scopes = st.builds(Scope, st.sampled_from(ScopeKind), st.sampled_from([0, 1, SOURCE, NEWS, TOPIC, CATEGORY, 2**32 - 1]))
any_facts = st.builds(
    Facts,
    blocks=st.lists(st.builds(Block, st.sampled_from(BlockKind), scopes, anything, anything), max_size=3).map(tuple),
    consents=st.lists(st.builds(Consent, scopes, anything, anything), max_size=4).map(tuple),
    enrolments=st.frozensets(st.sampled_from(["K-1", "", "x"])),
    purchases=st.lists(st.builds(Purchase, st.sampled_from([0, CATEGORY]), st.booleans(), anything), max_size=3).map(
        tuple
    ),
    subscriptions=st.lists(
        st.builds(Subscription, st.sampled_from([0, CATEGORY]), st.none() | anything), max_size=2
    ).map(tuple),
    requests=st.frozensets(st.sampled_from([0, TOPIC])),
    minor=st.booleans(),
    guardian_consent=st.booleans(),
    language=st.text(max_size=5),
)
any_mail = st.builds(
    Classification,
    st.sampled_from(Stream),
    basis=st.none() | st.sampled_from(Basis),
    source=st.sampled_from([0, SOURCE]),
    list=st.sampled_from([0, NEWS, 99]),
    topic=st.sampled_from([0, TOPIC]),
    category=st.sampled_from([0, CATEGORY]),
    offer=st.sampled_from(["", "similar", "related"]),
    reference=st.sampled_from(["", "K-1"]),
    segment=st.sampled_from(["", "s"]),
    sensitive=st.booleans(),
    ready=st.sampled_from([None, True, False]),
    identified=st.booleans(),
    why=st.text(max_size=700),
)


@settings(deadline=None, max_examples=300)
@given(any_mail, any_facts, anything, st.booleans(), st.booleans(), st.text(max_size=8))
def test_every_input_has_a_decision(
    mail: Classification, facts: Facts, now: int, postmaster: bool, queued: bool, language: str
) -> None:
    made = decide(
        ORGANISATION, mail, facts, now=now, around=ORDINARY, language=language, postmaster=postmaster, queued=queued
    )
    assert [t.rule for t in made.tried if t.decided] == [made.rule]
    assert made == decide(
        ORGANISATION, mail, facts, now=now, around=ORDINARY, language=language, postmaster=postmaster, queued=queued
    )


@settings(deadline=None, max_examples=300)
@given(any_mail, any_facts, st.builds(Block, st.sampled_from(BlockKind), scopes, anything, anything))
def test_one_more_block_never_lets_mail_out_or_makes_it_looser(
    mail: Classification, facts: Facts, block: Block
) -> None:
    before = decide(ORGANISATION, mail, facts, now=NOW, around=ORDINARY)
    after = decide(ORGANISATION, mail, replace(facts, blocks=(*facts.blocks, block)), now=NOW, around=ORDINARY)
    if before.action is not Action.DELIVER:
        assert after.action is not Action.DELIVER
    elif after.action is Action.DELIVER:
        assert after.variant.tracking <= before.variant.tracking
