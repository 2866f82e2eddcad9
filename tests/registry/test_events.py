"""The tables of rules: complete, as documented, and strict about what may be kept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.facts import BlockKind, Purpose, Scope, ScopeKind
from gateway.registry.events import (
    BLOCKS,
    LIFTED_BY,
    REFUSALS,
    InvalidEvent,
    check,
    contains,
    kind_named,
    may_reach,
)
from gateway.registry.protocol import EventKind, Evidence
from tests.registry.conftest import LIST, MARKETING, OPERATOR, SOURCE, event

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
