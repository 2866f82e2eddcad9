"""A first day: what is missing is reported, what somebody refused still stops the mail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from gateway.decision import Action, Basis, Classification, Decision, Stream
from gateway.facts import NOBODY, BlockKind, Facts, Purpose, ScopeKind
from gateway.policy.circumstances import ORDINARY, Observed
from gateway.policy.decide import decide
from gateway.policy.observation import SAID
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
    with_stream,
)
from tests.policy.test_decide import any_facts, any_mail

ASKING = {
    Stream.NEWSLETTER: "list-consent",
    Stream.NOTIFICATION: "topic-request",
    Stream.PARTICIPATION: "enrolment",
    Stream.RESEARCH: "research-consent",
}


def ask(mail: Classification, facts: Facts = NOBODY, state: Observed = Observed.NOW, **more: Any) -> Decision:
    return decide(ORGANISATION, mail, facts, now=NOW, around=replace(ORDINARY, observed=state), **more)


def reported(made: Decision) -> dict[str, str]:
    assert (made.action, made.rule) == (Action.DELIVER, "observed")
    return {t.rule: t.fact for t in made.tried if t.observed}


@pytest.mark.parametrize("stream", ASKING)
def test_a_missing_consent_request_or_enrolment_is_reported(stream: Stream) -> None:
    rule = ASKING[stream]
    found = reported(ask(MAIL[stream]))
    assert set(found) == {rule}
    assert found[rule].startswith(SAID)
    assert ask(MAIL[stream], state=Observed.NO).rule == rule


def test_missing_marks_are_reported() -> None:
    bare = replace(MAIL[Stream.NEWSLETTER], list=0, lacks="Briefgeheim-List missing")
    assert set(reported(ask(bare))) == {"marks", "list-consent"}
    assert set(reported(ask(replace(MAIL[Stream.INFORMATIONAL], reference="")))) == {"reference"}
    assert set(reported(ask(replace(MAIL[Stream.NOTIFICATION], ready=None), AGREED))) == {"ready"}


def test_what_was_missing_is_held_when_the_day_has_passed_and_not_lost() -> None:
    made = ask(MAIL[Stream.NEWSLETTER], state=Observed.OVER, queued=True)
    assert (made.action, made.rule) == (Action.HOLD, "list-consent")
    assert made.fact == f"consent list:{NEWS} missing; the stream is no longer observed"
    assert ask(MAIL[Stream.NEWSLETTER], AGREED, Observed.OVER, queued=True).action is Action.DELIVER


BLOCKS = [kind for kind in BlockKind if kind is not BlockKind.RESTRICTION]


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("stream", ASKING)
@pytest.mark.parametrize("state", Observed)
def test_every_block_acts(stream: Stream, kind: BlockKind, state: Observed) -> None:
    made = ask(MAIL[stream], blocked(kind, ScopeKind.EVERYTHING, facts=NOBODY), state)
    assert made.action is Action.REFUSE
    held = ask(MAIL[stream], blocked(BlockKind.RESTRICTION, ScopeKind.EVERYTHING, facts=NOBODY), state, queued=True)
    assert held.rule == "restriction"


def test_a_consent_that_was_taken_back_is_not_missing() -> None:
    deaf = with_stream("newsletter", blocked_by=["everything"])
    facts = blocked(BlockKind.WITHDRAWAL, ScopeKind.LIST, NEWS)
    now = replace(ORDINARY, observed=Observed.NOW)
    assert decide(deaf, MAIL[Stream.NEWSLETTER], facts, now=NOW, around=now).action is Action.REFUSE
    profiled = replace(MAIL[Stream.NEWSLETTER], segment="s")
    facts = blocked(BlockKind.OBJECTION, ScopeKind.PURPOSE, Purpose.PROFILING)
    assert ask(profiled, facts).action is Action.REFUSE


@pytest.mark.parametrize(
    ("stream", "kind", "number"),
    [(Stream.NEWSLETTER, ScopeKind.LIST, OTHER_LIST), (Stream.NOTIFICATION, ScopeKind.TOPIC, TOPIC)],
)
def test_mail_that_does_not_say_which_list_it_is_reaches_nobody_who_left_one(
    stream: Stream, kind: ScopeKind, number: int
) -> None:
    left = blocked(BlockKind.OPT_OUT, kind, number, NOBODY)
    unsaid = replace(MAIL[stream], list=0, topic=0, lacks="a mark is missing")
    assert ask(unsaid, left).rule == "opt-out"
    assert ask(unsaid, blocked(BlockKind.OPT_OUT, ScopeKind.SOURCE, SOURCE + 1, NOBODY)).rule == "observed"


def test_minors_and_sensitive_mail_are_not_loosened() -> None:
    minor = Facts(minor=True, known=True)
    assert ask(MAIL[Stream.NEWSLETTER], minor).rule == "minor"
    assert ask(replace(MAIL[Stream.PARTICIPATION], sensitive=True), minor).rule == "sensitive"
    assert ask(replace(MAIL[Stream.PARTICIPATION], sensitive=True, reference="")).rule == "sensitive"


def test_what_the_person_or_the_mail_says_against_it_still_counts() -> None:
    offer = replace(MAIL[Stream.NOTIFICATION], basis=Basis.SOFT_OPT_IN, offer="similar", category=CATEGORY)
    declined = replace(AGREED, purchases=tuple(replace(p, declined=True) for p in AGREED.purchases))
    assert ask(offer, declined).rule == "soft-opt-in"
    assert ask(replace(MAIL[Stream.NOTIFICATION], ready=False), AGREED).rule == "ready"
    assert ask(replace(MAIL[Stream.INFORMATIONAL], offer="similar")).rule == "offer"
    assert ask(replace(MAIL[Stream.NEWSLETTER], basis=Basis.CONTRACT)).rule == "pair"
    told = replace(NOBODY, announced=frozenset({"2027"}))
    assert ask(MAIL[Stream.POLICY_CHANGE], told).rule == "once"


def test_nothing_is_tracked_that_was_not_agreed_to() -> None:
    assert not ask(MAIL[Stream.NEWSLETTER]).variant.tracking


def test_what_is_held_for_a_person_to_judge_is_held_too() -> None:
    assert ask(replace(MAIL[Stream.NEWSLETTER], publication="P-1")).rule == "publication"
    around = replace(ORDINARY, observed=Observed.NOW, opt_out_works=False)
    assert decide(ORGANISATION, MAIL[Stream.NEWSLETTER], NOBODY, now=NOW, around=around).rule == "probe"


@settings(deadline=None, max_examples=300)
@given(any_mail, any_facts)
def test_observing_only_ever_lets_out_what_was_missing(mail: Classification, facts: Facts) -> None:
    strict, lenient = ask(mail, facts, Observed.NO), ask(mail, facts)
    if strict.action is Action.DELIVER:
        assert (lenient.action, lenient.variant) == (strict.action, strict.variant)
    elif lenient.action is Action.DELIVER:
        assert lenient.rule == "observed"
        assert any(t.observed for t in lenient.tried)
    if any(b.kind is BlockKind.ERASURE for b in facts.blocks) and mail.stream not in (
        Stream.RIGHTS, Stream.CONFIRMATION,
    ):  # fmt: skip
        assert lenient.action is not Action.DELIVER
