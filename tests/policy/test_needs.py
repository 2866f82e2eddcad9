"""What each stream asks of person and mail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.decision import Action, Basis, Decision, Stream
from gateway.facts import NOBODY, BlockKind, Facts, Purchase, Purpose, ScopeKind, Subscription
from gateway.policy.circumstances import ORDINARY
from gateway.policy.decide import decide
from gateway.policy.explain import RULES
from gateway.policy.needs import NEEDS
from tests.policy.example import (
    AGREED,
    CATEGORY,
    MAIL,
    NEWS,
    NOW,
    ORGANISATION,
    OTHER_CATEGORY,
    OTHER_LIST,
    TOPIC,
    blocked,
    consent,
    with_stream,
)


def ask(stream: Stream, facts: Any = AGREED, where: Any = ORGANISATION, **marks: Any) -> Decision:
    return decide(where, replace(MAIL[stream], **marks), facts, now=NOW, around=ORDINARY)


def refused_by(made: Decision) -> str:
    return made.rule if made.action is Action.REFUSE else ""


def test_every_need_has_words_for_people() -> None:
    assert set(NEEDS) <= set(RULES)


def test_consent_to_one_list_is_no_consent_to_another() -> None:
    assert refused_by(ask(Stream.NEWSLETTER, list=OTHER_LIST)) == "list-consent"
    assert refused_by(ask(Stream.NEWSLETTER, list=0)) == "list-consent"


def test_being_known_is_no_consent() -> None:
    assert refused_by(ask(Stream.NEWSLETTER, replace(AGREED, consents=()))) == "list-consent"


def test_a_notification_goes_to_who_asked_for_the_topic() -> None:
    asked = Facts(requests=frozenset({TOPIC}))
    assert ask(Stream.NOTIFICATION, asked).action is Action.DELIVER
    assert refused_by(ask(Stream.NOTIFICATION, asked, topic=TOPIC + 1)) == "topic-request"
    assert refused_by(ask(Stream.NOTIFICATION, Facts(requests=frozenset({0})), topic=0)) == "topic-request"


def test_a_topic_taken_back_is_no_request_any_more() -> None:
    deaf = with_stream("notification", blocked_by=["everything"])
    facts = blocked(BlockKind.WITHDRAWAL, ScopeKind.TOPIC, TOPIC, Facts(requests=frozenset({TOPIC})))
    assert refused_by(ask(Stream.NOTIFICATION, facts, deaf)) == "topic-request"


@pytest.mark.parametrize("ready", [None, False])
def test_a_notification_waits_until_the_information_is_there(ready: bool | None) -> None:
    assert refused_by(ask(Stream.NOTIFICATION, ready=ready)) == "ready"


def test_participation_needs_an_enrolment_in_just_that() -> None:
    assert refused_by(ask(Stream.PARTICIPATION, reference="K-2")) == "enrolment"
    assert refused_by(ask(Stream.PARTICIPATION, reference="")) == "enrolment"
    assert refused_by(ask(Stream.PARTICIPATION, Facts(enrolments=frozenset({""})), reference="")) == "enrolment"


def test_a_related_offer_needs_a_related_sale_too() -> None:
    offer = {"offer": "related", "category": CATEGORY}
    assert ask(Stream.PARTICIPATION, **offer).action is Action.DELIVER
    assert refused_by(ask(Stream.PARTICIPATION, **offer | {"category": OTHER_CATEGORY})) == "soft-opt-in"
    declined = replace(AGREED, purchases=(Purchase(CATEGORY, True, NOW),))
    assert refused_by(ask(Stream.PARTICIPATION, declined, **offer)) == "soft-opt-in"


def test_informational_mail_carries_a_reference_and_then_goes_to_anyone() -> None:
    assert refused_by(ask(Stream.INFORMATIONAL, NOBODY, reference="")) == "reference"
    assert ask(Stream.INFORMATIONAL, NOBODY).action is Action.DELIVER


@pytest.mark.parametrize(
    "marks", [{"offer": "similar", "category": CATEGORY}, {"list": NEWS}, {"segment": "s"}, {"offer": "related"}]
)
def test_informational_mail_with_marketing_in_it_is_refused(marks: dict[str, object]) -> None:
    assert refused_by(ask(Stream.INFORMATIONAL, **marks)) == "offer"


def test_research_needs_consent_to_research() -> None:
    assert refused_by(ask(Stream.RESEARCH, replace(AGREED, consents=(consent(ScopeKind.LIST, NEWS),)))) == (
        "research-consent"
    )
    taken_back = blocked(BlockKind.WITHDRAWAL, ScopeKind.PURPOSE, Purpose.RESEARCH)
    assert refused_by(ask(Stream.RESEARCH, taken_back)) == "opt-out"


def test_results_traceable_to_the_person_need_consent_of_their_own() -> None:
    assert refused_by(ask(Stream.RESEARCH, identified=True)) == "research-consent"
    agreed = replace(AGREED, consents=(*AGREED.consents, consent(ScopeKind.PURPOSE, Purpose.IDENTIFIED)))
    assert ask(Stream.RESEARCH, agreed, identified=True).action is Action.DELIVER


SOFT = {"basis": Basis.SOFT_OPT_IN, "offer": "similar", "category": CATEGORY}


def test_soft_opt_in_mail_stands_on_the_sale_and_not_on_the_list() -> None:
    bought = replace(AGREED, consents=())
    assert ask(Stream.NOTIFICATION, bought, **SOFT).action is Action.DELIVER
    assert refused_by(ask(Stream.NOTIFICATION, replace(AGREED, purchases=()), **SOFT)) == "soft-opt-in"
    assert refused_by(ask(Stream.NOTIFICATION, bought, **SOFT | {"category": OTHER_CATEGORY})) == "soft-opt-in"


def test_soft_opt_in_mail_without_an_offer_mark_needs_the_sale_too() -> None:
    assert refused_by(ask(Stream.NOTIFICATION, NOBODY, basis=Basis.SOFT_OPT_IN)) == "soft-opt-in"


def test_an_offer_in_mail_that_rests_on_a_contract_needs_the_sale() -> None:
    assert refused_by(ask(Stream.WEBSHOP, NOBODY, offer="similar", category=CATEGORY)) == "soft-opt-in"
    assert ask(Stream.WEBSHOP, offer="similar", category=CATEGORY).action is Action.DELIVER


def test_an_offer_in_mail_that_rests_on_consent_needs_no_sale() -> None:
    assert ask(Stream.NEWSLETTER, replace(AGREED, purchases=()), offer="similar", category=CATEGORY).action is (
        Action.DELIVER
    )


def test_consent_to_offers_does_where_the_stream_rests_on_consent() -> None:
    offers = with_stream("notification", basis=["consent"], needs=["soft-opt-in"])
    agreed = Facts(consents=(consent(ScopeKind.PURPOSE, Purpose.OFFERS),))
    assert ask(Stream.NOTIFICATION, agreed, offers, category=CATEGORY).action is Action.DELIVER
    # a sale is another ground than the one this mail names
    assert refused_by(ask(Stream.NOTIFICATION, AGREED, offers, category=CATEGORY)) == "soft-opt-in"


BOTH = with_stream("notification", basis=["soft_opt_in", "consent"], needs=["topic-request", "soft-opt-in", "ready"])


def test_a_stream_with_two_grounds_asks_for_the_one_the_mail_names() -> None:
    bought, asked = replace(AGREED, consents=()), replace(AGREED, purchases=())
    assert ask(Stream.NOTIFICATION, bought, BOTH, **SOFT).action is Action.DELIVER
    assert refused_by(ask(Stream.NOTIFICATION, asked, BOTH, **SOFT)) == "soft-opt-in"
    assert ask(Stream.NOTIFICATION, asked, BOTH, basis=Basis.CONSENT).action is Action.DELIVER
    assert refused_by(ask(Stream.NOTIFICATION, bought, BOTH, basis=Basis.CONSENT)) == "topic-request"


MINOR = replace(AGREED, minor=True)


@pytest.mark.parametrize("stream", [Stream.NEWSLETTER, Stream.NOTIFICATION])
def test_a_minor_gets_no_marketing_without_the_guardian(stream: Stream) -> None:
    assert refused_by(ask(stream, MINOR)) == "minor"
    assert ask(stream, replace(MINOR, guardian_consent=True)).action is Action.DELIVER


@pytest.mark.parametrize("stream", [Stream.PARTICIPATION, Stream.INFORMATIONAL, Stream.PERSONAL])
def test_a_minor_gets_what_is_no_marketing(stream: Stream) -> None:
    assert ask(stream, MINOR).action is Action.DELIVER


def test_sensitive_mail_to_a_minor_or_without_a_reference_is_held() -> None:
    made = ask(Stream.PARTICIPATION, MINOR, sensitive=True)
    assert (made.action, made.rule) == (Action.HOLD, "sensitive")
    made = ask(Stream.PERSONAL, sensitive=True)
    assert (made.action, made.rule) == (Action.HOLD, "sensitive")
    assert ask(Stream.PARTICIPATION, sensitive=True).action is Action.DELIVER


def test_segmented_mail_needs_consent_to_profiling() -> None:
    assert refused_by(ask(Stream.NEWSLETTER, segment="s")) == "segment"
    agreed = replace(AGREED, consents=(*AGREED.consents, consent(ScopeKind.PURPOSE, Purpose.PROFILING)))
    made = ask(Stream.NEWSLETTER, agreed, segment="s")
    assert (made.action, made.rule) == (Action.DELIVER, "list-consent")


def test_s37_each_person_is_told_of_a_version_once_and_queued_mail_is_the_one_that_tells() -> None:
    told = replace(AGREED, announced=frozenset({"2027"}))
    assert ask(Stream.POLICY_CHANGE).action is Action.DELIVER
    assert refused_by(ask(Stream.POLICY_CHANGE, told)) == "once"
    assert ask(Stream.POLICY_CHANGE, told).fact == "already told of version 2027"
    assert ask(Stream.POLICY_CHANGE, told, reference="2028").action is Action.DELIVER
    assert refused_by(ask(Stream.POLICY_CHANGE, reference="")) == "once"
    queued = decide(ORGANISATION, MAIL[Stream.POLICY_CHANGE], told, now=NOW, around=ORDINARY, queued=True)
    assert queued.action is Action.DELIVER


def test_l10_a_minors_own_consent_to_research_does_not_count() -> None:
    assert refused_by(ask(Stream.RESEARCH, MINOR)) == "minor"
    assert ask(Stream.RESEARCH, replace(MINOR, guardian_consent=True)).action is Action.DELIVER


def test_s41_a_basis_that_the_stream_cannot_have_is_refused_whoever_classified_it() -> None:
    assert refused_by(ask(Stream.NEWSLETTER, basis=Basis.CONTRACT)) == "pair"
    # the law's table would let it rest on a legal duty, but the organisation's own rules do not
    assert refused_by(ask(Stream.INFORMATIONAL, basis=Basis.LEGAL, entry="news")) == "pair"
    assert ask(Stream.PERSONAL, basis=Basis.LEGAL, entry="own-report").action is Action.DELIVER


def test_an_operators_release_answers_for_sensitive_mail() -> None:
    mail = replace(MAIL[Stream.PARTICIPATION], sensitive=True)
    released = replace(ORDINARY, released=True)
    assert decide(ORGANISATION, mail, MINOR, now=NOW, around=released).action is Action.DELIVER


def test_l30_the_organisation_says_whether_a_free_subscription_is_a_sale() -> None:
    free = Facts(subscriptions=(Subscription(CATEGORY, None, free=True),))
    assert refused_by(ask(Stream.NOTIFICATION, free, **SOFT)) == "soft-opt-in"
    wide = ORGANISATION.model_copy(update={"free_account_is_sale": True})
    assert ask(Stream.NOTIFICATION, free, wide, **SOFT).action is Action.DELIVER


def test_d07_the_organisation_says_how_long_offers_may_go_out() -> None:
    old = Facts(purchases=(Purchase(CATEGORY, False, NOW - 4 * 366 * 86400),))
    assert refused_by(ask(Stream.NOTIFICATION, old, **SOFT)) == "soft-opt-in"
    for years in (5, "none"):
        longer = ORGANISATION.model_copy(update={"soft_opt_in_years": years})
        assert ask(Stream.NOTIFICATION, old, longer, **SOFT).action is Action.DELIVER
