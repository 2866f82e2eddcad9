"""S-29, S-32, S-62: what stays, and who got the data, read out of a history."""

from __future__ import annotations

from typing import Any

from gateway.facts import Facts
from gateway.pseudonym import Person
from gateway.registry.protocol import Event, EventKind, Evidence
from gateway.rights.retained import kept_by_law, open_references, shared_with

WHO = Person(b"e" * 32, b"w" * 32)
NOW = 1_800_000_000
YEAR = 365 * 86400


def history(*events: tuple[EventKind, dict[str, Any]]) -> list[tuple[int, Event]]:
    return [
        (n, Event(kind, WHO, n, Evidence("system"), None, detail)) for n, (kind, detail) in enumerate(events, start=1)
    ]


def retained(name: str, until: int, reason: str = "AWR 52") -> tuple[EventKind, dict[str, Any]]:
    return EventKind.RETAINED, {"id": name, "reason": reason, "until": until}


def share(name: str, purpose: str = "order") -> tuple[EventKind, dict[str, Any]]:
    return EventKind.SHARED, {"third_party": name, "message": "m", "purpose": purpose}


def test_what_is_past_its_day_is_no_longer_kept_and_the_latest_word_counts() -> None:
    events = history(
        retained("a", NOW + YEAR), retained("b", NOW), retained("c", NOW - 1), retained("a", NOW + 2 * YEAR)
    )
    assert kept_by_law(events, NOW) == {"a": ("AWR 52", "2029-01-14")}


def test_third_parties_come_with_the_orders_that_they_know_and_authorities_do_not() -> None:
    events = history(
        share("one"),
        share("one"),
        share("two"),
        share("police", "legal"),
        (EventKind.CONTRACT, {"reference": "o-2", "third_party": "one"}),
        (EventKind.ENROLMENT, {"reference": "c-1", "third_party": "one"}),
        (EventKind.ENROLMENT, {"reference": "c-9", "third_party": "three"}),
        (EventKind.CONTRACT, {"reference": "o-3"}),
    )
    assert shared_with(events) == {"one": ("c-1", "o-2"), "two": ()}


def test_orders_and_enrolments_run() -> None:
    assert open_references(Facts(contracts=frozenset({"o"}), enrolments=frozenset({"c"}))) == {"o", "c"}
