"""What is news: importing again changes nothing, and what was withdrawn does not come back by an old row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.facts import Scope, ScopeKind
from gateway.registry.protocol import EventKind, Evidence
from gateway.registry.standing import News, held, news, same
from gateway.registry.state import EMPTY
from gateway.registry.state import facts as facts_of
from tests.registry.conftest import FORM, IMPORT, LIST, MARKETING, OPERATOR, SOURCE, event, person
from tests.registry.test_intake import told

TOPIC = Scope(ScopeKind.TOPIC, 5)
ATTESTED = Evidence("operator:jan", "attested", "v0", "sha256:00 form x period y")

EVENTS = [
    event(EventKind.CONSENT, scope=LIST, evidence=IMPORT),
    event(EventKind.OPT_OUT, scope=MARKETING, evidence=IMPORT),
    event(EventKind.RESTRICTION, evidence=IMPORT),
    event(EventKind.ENROLMENT, reference="C1", third_party="x"),
    event(EventKind.CONTRACT, reference="O1"),
    event(EventKind.PURCHASE, category=6, declined=True),
    event(EventKind.SUBSCRIPTION, category=6, end=None, free=True),
    event(EventKind.PUBLICATION, id="photo"),
    event(EventKind.MINOR, minor=True, guardian=True),
    event(EventKind.LANGUAGE, language="nl"),
    event(EventKind.CONTACT, client="crm", contact="17"),
    event(EventKind.ORIGIN, origin="fair"),
    event(EventKind.ANNOUNCED, reference="2026"),
    event(EventKind.RETAINED, id="invoices", reason="tax", until=2_000_000_000),
]


@pytest.mark.parametrize("one", EVENTS, ids=lambda e: e.kind.value)
def test_every_fact_is_news_once(one):
    assert news(EMPTY, EMPTY, one, dated=True) is not News.KNOWN
    known = told(one)
    assert news(known, EMPTY, one, dated=True) is News.KNOWN


@pytest.mark.parametrize("one", EVENTS, ids=lambda e: e.kind.value)
def test_facts_read_back_are_the_state_again_as_far_as_they_show_it(one):
    state = told(one)
    assert news(held(facts_of(state, None)), EMPTY, one, dated=True) is News.KNOWN


@pytest.mark.parametrize(
    ("one", "changed"),
    [
        (EVENTS[3], {"reference": "C2"}),
        (EVENTS[3], {"reference": "C1", "third_party": "y"}),
        (EVENTS[3], {"reference": "C1", "active": False}),
        (EVENTS[5], {"category": 6, "declined": False}),
        (EVENTS[6], {"category": 6, "end": 5}),
        (EVENTS[8], {"minor": False}),
        (EVENTS[10], {"client": "crm", "contact": "18"}),
    ],
)
def test_another_content_is_news(one, changed):
    assert news(told(one), EMPTY, replace(one, detail=changed), dated=True) is News.NEW


def test_a_block_is_news_when_it_is_newer_wider_or_of_another_kind():
    known = told(event(EventKind.OPT_OUT, scope=LIST, at=1000))
    again = event(EventKind.OPT_OUT, scope=LIST, at=1001)
    assert news(known, EMPTY, again, dated=True) is News.NEW
    assert news(known, EMPTY, again, dated=False) is News.KNOWN
    assert news(known, EMPTY, event(EventKind.OPT_OUT, scope=LIST, at=999), dated=True) is News.KNOWN
    assert news(known, EMPTY, event(EventKind.OPT_OUT, scope=MARKETING, at=1000), dated=True) is News.NEW
    assert news(known, EMPTY, event(EventKind.COMPLAINT, scope=LIST, at=1000), dated=True) is News.NEW


def test_a_refusal_after_a_pending_return_is_news_although_its_block_stands():
    known = told(event(EventKind.OPT_OUT, scope=LIST), event(EventKind.CONSENT, scope=LIST, at=2000, evidence=IMPORT))
    assert known.returns
    assert news(known, EMPTY, event(EventKind.OPT_OUT, scope=LIST), dated=False) is News.NEW


def test_what_is_not_in_force_is_asked_of_the_history():
    gone = told(
        event(EventKind.CONSENT, scope=LIST),
        event(EventKind.OPT_OUT, scope=LIST, at=2000),
        event(EventKind.LIFTED, scope=LIST, at=3000, evidence=OPERATOR),
    )
    assert news(gone, EMPTY, event(EventKind.CONSENT, scope=LIST), dated=True) is News.UNCLEAR
    for kind, detail in ((EventKind.SHARED, {"message": 1}), (EventKind.RECEIPT, {"message": 1})):
        assert news(EMPTY, EMPTY, event(kind, **detail), dated=True) is News.UNCLEAR


def test_an_attested_consent_does_not_take_the_place_of_a_better_one():
    attested = event(EventKind.CONSENT, scope=LIST, at=5000, evidence=ATTESTED)
    assert news(told(event(EventKind.CONSENT, scope=LIST)), EMPTY, attested, dated=True) is News.KNOWN
    blocked = told(event(EventKind.CONSENT, scope=LIST), event(EventKind.OPT_OUT, scope=SOURCE))
    assert news(blocked, EMPTY, attested, dated=True) is not News.KNOWN


def test_the_same_is_said_whoever_brings_it():
    one = event(EventKind.CONSENT, scope=LIST, evidence=FORM)
    assert same(one, replace(one, evidence=replace(FORM, actor="import:other"), person=person("bert")))
    assert not same(one, replace(one, evidence=replace(FORM, wording="v2")))
    assert not same(one, replace(one, at=1001))
