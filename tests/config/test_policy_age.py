"""How old the stored policy is, and a date that is still to come."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.config.policy_age import age, warning
from tests.config.samples import organisation

CONTROLLER = organisation().controller  # of 2024-01-31


@pytest.mark.parametrize(
    ("today", "days"),
    [(date(2024, 1, 31), 0), (date(2024, 3, 1), 30), (date(2025, 1, 31), 366), (date(2024, 1, 30), -1)],
)
def test_s38_the_age_counts_days_with_leap_days(today: date, days: int) -> None:
    assert age(CONTROLLER, today) == days


def test_s38_a_date_in_the_future_is_warned_of() -> None:
    assert warning(CONTROLLER, date(2024, 1, 31)) == ""
    assert "2024-01-31 is 1 days in the future" in warning(CONTROLLER, date(2024, 1, 30))
