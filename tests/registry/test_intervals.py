"""S-65: what was in force when a mail left can be said afterwards."""

from __future__ import annotations

from typing import Any

from gateway.facts import Scope, ScopeKind
from gateway.pseudonym import Person
from gateway.registry.intervals import in_force, intervals
from gateway.registry.protocol import Event, EventKind, Evidence

WHO = Person(b"e" * 32, b"w" * 32)
NEWS, TIPS = Scope(ScopeKind.LIST, 1), Scope(ScopeKind.LIST, 2)
PROVED = Evidence("person", "form", "v1", "log 1")


def event(kind: EventKind, at: int, scope: Scope | None = None, evidence: Evidence = PROVED, **detail: Any) -> Event:
    return Event(kind, WHO, at, evidence, scope, detail)


def told(*events: Event) -> list[tuple[Any, ...]]:
    found = intervals(list(enumerate(events, 1)))
    return [(i.kind.value, i.scope or i.name, i.start, i.end, i.began, i.ended, i.why) for i in found]


def test_s65_a_withdrawal_ends_the_consent_and_leaves_what_was_before() -> None:
    events = [event(EventKind.CONSENT, 10, NEWS), event(EventKind.WITHDRAWAL, 50, NEWS)]
    assert told(*events) == [("consent", NEWS, 10, 50, 1, 2, "withdrawal")]
    found = intervals(list(enumerate(events, 1)))
    assert [bool(in_force(found, at)) for at in (9, 10, 49, 50)] == [False, True, True, False]


def test_a_wider_refusal_ends_all_that_it_contains() -> None:
    marketing = Scope(ScopeKind.MARKETING)
    events = [event(EventKind.CONSENT, 1, NEWS), event(EventKind.CONSENT, 2, TIPS)]
    found = told(*events, event(EventKind.OBJECTION, 9, marketing))
    assert [(end, why) for *_, end, _, _, why in found] == [(9, "objection"), (9, "objection")]


def test_what_is_said_twice_began_once_and_comes_again_after_its_end() -> None:
    again = Evidence("person", "confirmed", "v2", "mail 3")
    found = told(
        event(EventKind.CONSENT, 1, NEWS),
        event(EventKind.CONSENT, 5, NEWS),
        event(EventKind.OPT_OUT, 7, NEWS),
        event(EventKind.CONSENT, 9, NEWS, again),
    )
    assert [(start, end) for _, _, start, end, *_ in found] == [(1, 7), (9, None)]


def test_a_consent_without_evidence_or_against_a_refusal_begins_nothing() -> None:
    assert told(event(EventKind.CONSENT, 1, NEWS, Evidence("person"))) == []
    assert told(event(EventKind.OPT_OUT, 1, NEWS), event(EventKind.CONSENT, 2, NEWS)) == []


def test_facts_have_their_own_ends() -> None:
    found = told(
        event(EventKind.ENROLMENT, 1, reference="c3"),
        event(EventKind.SUBSCRIPTION, 2, category=4, end=None),
        event(EventKind.PURCHASE, 3, category=4),
        event(EventKind.ENROLMENT, 8, reference="c3", active=False),
        event(EventKind.SUBSCRIPTION, 9, category=4, end=20),
    )
    assert [(kind, end, why) for kind, _, _, end, _, _, why in found] == [
        ("fact-enrolment", 8, "fact-enrolment"),
        ("fact-subscription", 20, ""),
        ("fact-purchase", None, ""),
    ]
