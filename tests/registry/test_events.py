"""The tables of rules: complete, as documented, and strict about what may be kept."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.facts import BlockKind, Purpose, Scope, ScopeKind
from gateway.registry.events import (
    BLOCKS,
    LIFTED_BY,
    PURGEABLE,
    REFUSALS,
    InvalidEvent,
    check,
    contains,
    kind_named,
    may_reach,
    quarter,
    undated,
)
from gateway.registry.protocol import Event, EventKind, Evidence
from tests.registry.conftest import LIST, MARKETING, OPERATOR, SOURCE, event, person

PAGE = (Path(__file__).parents[2] / "docs" / "registry.md").read_text(encoding="utf-8")
EVERYTHING = Scope(ScopeKind.EVERYTHING)


def test_every_block_kind_has_an_event_and_a_way_to_be_lifted():
    assert set(BLOCKS.values()) == set(BlockKind) == set(LIFTED_BY)


@pytest.mark.parametrize("kind", list(BlockKind))
def test_the_documentation_shows_the_same_table(kind):
    row = re.search(rf"^\| `{kind}` \| (.*) \| (.*) \|$", PAGE, re.MULTILINE)
    assert row is not None
    assert set(re.findall(r"`([a-z-]+)`", row[2])) == {e.value for e in LIFTED_BY[kind]}
    assert (row[1] != "no") == (kind in REFUSALS or kind is BlockKind.ERASURE)


def test_containing_is_certain_and_reaching_is_cautious():
    tracking, research = Scope(ScopeKind.PURPOSE, Purpose.TRACKING), Scope(ScopeKind.PURPOSE, Purpose.RESEARCH)
    assert contains(EVERYTHING, research)
    assert contains(MARKETING, LIST)
    assert contains(MARKETING, tracking)
    assert not contains(MARKETING, research)
    assert not contains(MARKETING, SOURCE)
    assert not contains(LIST, MARKETING)
    assert not contains(SOURCE, LIST)
    assert may_reach(SOURCE, LIST)
    assert not may_reach(LIST, SOURCE)


@pytest.mark.parametrize("actor", ["", "somebody", "operator", "operator:", "import: ", "Person"])
def test_an_actor_is_known_and_named(actor):
    with pytest.raises(InvalidEvent, match="actor"):
        check(event(EventKind.OPT_OUT, scope=LIST, evidence=Evidence(actor)))


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        (EventKind.ENROLMENT, {}),
        (EventKind.ENROLMENT, {"reference": 7}),
        (EventKind.PURCHASE, {"category": "books"}),
        (EventKind.PURCHASE, {"category": True}),
        (EventKind.PURCHASE, {"category": -1}),
        (EventKind.SUBSCRIPTION, {"category": 1, "end": "2026"}),
        (EventKind.MINOR, {"minor": "yes"}),
        (EventKind.LANGUAGE, {"language": None}),
        (EventKind.ENROLMENT, {"reference": "x" * 501}),
    ],
)
def test_details_of_the_wrong_shape_are_refused(kind, detail):
    with pytest.raises(InvalidEvent):
        check(event(kind, **detail))


@pytest.mark.parametrize("field", ["actor", "channel", "wording", "proof"])
def test_an_address_in_the_evidence_is_refused_without_repeating_it(field):
    values = {"actor": "operator:jan", "channel": "phone", "wording": "", "proof": "x"}
    values[field] += " jan@example.nl"
    with pytest.raises(InvalidEvent) as caught:
        check(event(EventKind.CONSENT, scope=LIST, evidence=Evidence(**values)))
    assert field in str(caught.value)
    assert "jan@" not in str(caught.value)


def test_an_address_in_a_detail_is_refused():
    with pytest.raises(InvalidEvent, match="reference"):
        check(event(EventKind.ENROLMENT, reference="jan@example.nl"))


def test_a_request_is_for_a_topic_and_consents_and_blocks_have_a_scope():
    for wrong in (event(EventKind.REQUEST, scope=LIST), event(EventKind.CONSENT), event(EventKind.OPT_OUT)):
        with pytest.raises(InvalidEvent, match="scope"):
            check(wrong)
    check(event(EventKind.RESTRICTION, evidence=OPERATOR))


def test_a_time_beyond_reason_is_refused():
    with pytest.raises(InvalidEvent, match="at"):
        check(event(EventKind.OPT_OUT, scope=LIST, at=-1))


def test_kinds_are_named_with_or_without_their_prefix():
    assert kind_named("enrolment") == kind_named("fact-enrolment") == EventKind.ENROLMENT
    assert kind_named(" Opt-Out") == EventKind.OPT_OUT
    with pytest.raises(InvalidEvent):
        kind_named("nonsense")


TOPIC = Scope(ScopeKind.TOPIC, 5)
CALLED = Evidence("person", "phone", "v1", "call 3")


@pytest.mark.parametrize("kind", [EventKind.REQUEST, EventKind.CONSENT])
@pytest.mark.parametrize("evidence", [CALLED, replace(CALLED, actor="import:crm"), replace(CALLED, channel=" Phone ")])
def test_s19_what_was_asked_by_phone_names_who_took_the_call(kind, evidence):
    with pytest.raises(InvalidEvent, match="by: who took the call"):
        check(event(kind, scope=TOPIC, evidence=evidence))
    with pytest.raises(InvalidEvent, match="by"):
        check(event(kind, scope=TOPIC, evidence=evidence, by=" "))


@pytest.mark.parametrize("kind", [EventKind.REQUEST, EventKind.CONSENT])
def test_s19_an_operator_or_an_import_that_names_one_may_record_a_call(kind):
    check(event(kind, scope=TOPIC, evidence=replace(CALLED, actor="operator:jan")))
    check(event(kind, scope=TOPIC, evidence=replace(CALLED, actor="import:crm"), by="Jan"))


def test_s19_a_call_has_its_day():
    with pytest.raises(InvalidEvent, match="at: when was the call"):
        check(event(EventKind.REQUEST, scope=TOPIC, evidence=replace(CALLED, actor="operator:jan"), at=0))


def test_s19_only_topics_asked_for_by_phone_need_a_witness():
    check(event(EventKind.REQUEST, scope=TOPIC, evidence=replace(CALLED, channel="form")))
    check(event(EventKind.CONSENT, scope=LIST, evidence=CALLED))
    check(event(EventKind.REQUEST, scope=TOPIC, evidence=CALLED, active=False))


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        (EventKind.CONTACT, {"client": "crm"}),
        (EventKind.CONTACT, {"client": "crm", "contact": 7}),
        (EventKind.ORIGIN, {}),
        (EventKind.ANNOUNCED, {"reference": None}),
        (EventKind.SHARED, {"third_party": "a", "message": 1}),
        (EventKind.RECEIPT, {"message": 1}),
        (EventKind.RETAINED, {"id": "i", "reason": "tax"}),
        (EventKind.RETAINED, {"id": "i", "reason": "tax", "until": "2030"}),
        (EventKind.ENROLMENT, {"reference": "t", "third_party": 4}),
        (EventKind.SUBSCRIPTION, {"category": 1, "free": "yes"}),
        (EventKind.CONTACT, {"client": "crm", "contact": "jan@example.nl"}),
    ],
)
def test_the_details_of_newer_facts_are_as_strict(kind, detail):
    with pytest.raises(InvalidEvent):
        check(Event(kind, person(), 1_000, OPERATOR, None, detail))


@pytest.mark.parametrize("text", ["a\x1fb", "a\x00", "a\rb", "a\x7f"])
def test_a_control_character_is_refused(text):
    with pytest.raises(InvalidEvent, match="reference: holds a control character"):
        check(event(EventKind.ENROLMENT, reference=text))


def test_a_long_text_is_refused_and_several_shorter_ones_are_not():
    with pytest.raises(InvalidEvent, match="proof: longer"):
        check(event(EventKind.CONSENT, scope=LIST, evidence=Evidence("person", "form", "v1", "x" * 501)))
    check(event(EventKind.CONSENT, scope=LIST, evidence=Evidence("person", "form", "v" * 400, "x" * 400)))


@pytest.mark.parametrize(
    ("at", "first"), [(0, 0), (1_709_164_800, 1_704_067_200), (1_735_689_599, 1_727_740_800), (2**37 - 1, None)]
)
def test_a_quarter_begins_with_its_first_second(at, first):
    assert quarter(at) == quarter(quarter(at)) <= at
    assert first in (None, quarter(at))


def test_an_erasure_is_kept_without_day_words_and_message():
    given = event(EventKind.ERASURE, evidence=OPERATOR, at=1_709_164_800, message=7)
    kept = undated(given)
    assert (kept.at, kept.evidence, dict(kept.detail)) == (1_704_067_200, Evidence("operator:jan", "phone"), {})
    other = event(EventKind.OPT_OUT, scope=LIST)
    assert undated(other) is other


def test_only_facts_are_purgeable_and_no_consent_among_them():
    assert all(kind.value.startswith("fact-") for kind in PURGEABLE)
    assert not PURGEABLE & {EventKind.REQUEST, EventKind.PUBLICATION, EventKind.MINOR}
