"""What is late, what falls due, and the numbers for /metrics."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from prometheus_client import REGISTRY

from gateway.cases.protocol import CaseKind
from gateway.rights.standing import Standing, measure, pressing, standing
from tests.rights.house import NOW, example
from tests.rights.test_replies import case

PAREL = example().organisations[0]
TODAY = date(2027, 1, 15)


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"briefgeheim_rights_{name}", {"organisation": "kleine-parel", **labels})


@pytest.mark.parametrize(
    ("days", "found"),
    [(-1, Standing.OVERDUE), (0, Standing.SOON), (7, Standing.SOON), (8, Standing.IN_TIME)],
)
def test_s34_the_last_day_itself_is_in_time_and_the_week_before_is_a_warning(days: int, found: Standing) -> None:
    assert standing(PAREL, replace(case(), due=TODAY + timedelta(days=days)), TODAY) is found


def test_what_was_answered_is_never_late() -> None:
    assert standing(PAREL, replace(case(), due=date(2020, 1, 1), answered=NOW), TODAY) is Standing.ANSWERED


def test_s34_what_is_pressing_comes_earliest_due_first() -> None:
    cases = [replace(case(), number=n, due=TODAY + timedelta(days=d)) for n, d in ((1, 3), (2, -1), (3, -9), (4, 30))]
    late, soon = pressing(PAREL, cases, NOW)
    assert ([c.number for c in late], [c.number for c in soon]) == ([3, 2], [1])


def test_s34_thirty_one_days_without_an_answer_is_overdue_and_the_answer_ends_that() -> None:
    asked = replace(case(CaseKind.TIP), received=TODAY, due=TODAY + timedelta(days=30))
    later = NOW + 31 * 86400
    measure(PAREL, [asked], later)
    assert value("overdue", kind="tip") == 1
    measure(PAREL, [replace(asked, answered=later)], later)
    assert (value("overdue", kind="tip"), value("open", kind="tip")) == (0, 1)
    measure(PAREL, [], later)
    assert value("open", kind="tip") == 0


def test_s67_ages_are_counted_from_the_day_it_came_in() -> None:
    received = [TODAY - timedelta(days=n) for n in (0, 2, 20, 100)]
    measure(PAREL, [replace(case(), received=day) for day in received], NOW)
    limits = [*(str(days * 86400) for days in (1, 3, 21, 90)), "+Inf"]
    assert [value("age_seconds", le=le) for le in limits] == [1, 2, 3, 3, 4]


def test_s59_the_longest_time_to_effect_is_of_requests_that_stop_something() -> None:
    stops = replace(case(CaseKind.OBJECTION), entered=NOW, effective=NOW + 0.5)
    other = replace(case(CaseKind.ACCESS), entered=NOW, effective=NOW + 9)
    measure(PAREL, [stops, other], NOW)
    assert value("effect_seconds_max") == 0.5
