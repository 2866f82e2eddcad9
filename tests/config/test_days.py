"""Days where the organisation is."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.days import day_in


def test_a_day_begins_at_midnight_of_its_own_zone() -> None:
    half_past_eleven = datetime(2026, 3, 31, 22, 30, tzinfo=UTC).timestamp()
    assert day_in("Europe/Amsterdam", half_past_eleven) == date(2026, 4, 1)
    assert day_in("UTC", half_past_eleven) == date(2026, 3, 31)


def test_the_leap_day_and_days_before_1970_are_days() -> None:
    assert day_in("UTC", datetime(2024, 2, 29, tzinfo=UTC).timestamp()) == date(2024, 2, 29)
    assert day_in("UTC", -1) == date(1969, 12, 31)


@pytest.mark.parametrize("zone", ["", "Nowhere/Here", "../etc/passwd", "Europe"])
def test_a_zone_that_cannot_be_read_has_no_day(zone: str) -> None:
    assert day_in(zone, 0) is None


@given(st.text(max_size=10), st.floats(allow_nan=False) | st.integers())
def test_never_raises(zone: str, at: float) -> None:
    day_in(zone, at)
