"""Terms are counted by the calendar of the place: leap days, ends of months, time zones, strange clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.config.retention import Retention, Span, start_of

ZONE = "Europe/Amsterdam"


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("span", "now", "before"),
    [
        ("1 day", "2026-11-22T12:00+01:00", "2026-11-21T00:00+01:00"),
        ("2 weeks", "2026-11-22T12:00+01:00", "2026-11-08T00:00+01:00"),
        ("2 years", "2026-11-22T12:00+01:00", "2024-11-22T00:00+01:00"),
        ("1 year", "2025-03-01T12:00+01:00", "2024-03-01T00:00+01:00"),
        ("1 year", "2024-02-29T12:00+01:00", "2023-02-28T00:00+01:00"),
        ("4 years", "2028-02-29T12:00+01:00", "2024-02-29T00:00+01:00"),
        ("1 month", "2026-03-31T12:00+02:00", "2026-02-28T00:00+01:00"),
        ("6 months", "2026-11-22T12:00+01:00", "2026-05-22T00:00+02:00"),
    ],
)
def test_s56_what_is_older_than_the_same_day_so_long_ago_is_past_its_term(span: str, now: str, before: str) -> None:
    assert Retention(audit=span).audit.before(at(now), ZONE) == at(before)  # type: ignore[arg-type]


def test_s56_the_day_is_the_organisations_own() -> None:
    moment = at("2026-11-21T23:30+00:00")  # half past midnight of the 22nd in Amsterdam
    assert Span(1, "day").before(moment, ZONE) == at("2026-11-21T00:00+01:00")
    assert Span(1, "day").before(moment, "America/Curacao") == at("2026-11-20T00:00-04:00")


@pytest.mark.parametrize("now", [1e18, -1e18, float("inf"), float("nan")])
def test_a_clock_that_no_calendar_knows_ends_no_term(now: float) -> None:
    assert Span(1, "day").before(now, ZONE) == float("-inf")


def test_a_term_longer_than_the_calendar_ends_never() -> None:
    assert Span(9999, "year").before(at("2026-11-22T12:00+01:00"), ZONE) == float("-inf")
    assert Span(9999, "year").from_day(date(2026, 1, 1)) == date.max


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),
    st.integers(0, 10**8),
    st.builds(Span, st.integers(1, 40), st.sampled_from(["day", "week", "month", "year"])),
)
def test_s56_a_clock_that_goes_back_ends_no_term_sooner(moment: datetime, back: int, span: Span) -> None:
    now = moment.replace(tzinfo=UTC).timestamp()
    assert span.before(now - back, ZONE) <= span.before(now, ZONE) < now


@pytest.mark.parametrize("text", ["2 years", "1 year", "30 days", "6 months", "1 week"])
def test_a_term_reads_as_it_is_written(text: str) -> None:
    assert str(Retention(audit=text).audit) == text  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["0 days", "2", "2y", "-1 days", "two years", "1.5 years", 7, None])
def test_anything_else_is_refused_with_what_is_expected(text: object) -> None:
    with pytest.raises(ValidationError, match="expected a term such as 30 days"):
        Retention(audit=text)  # type: ignore[arg-type]


def test_every_class_has_a_term_or_says_that_it_has_none() -> None:
    terms = Retention().terms()
    assert [name for name, term in terms.items() if term is None] == ["purchases", "enrolments"]
    assert not {"consents", "blocks"} & set(terms), "they end by themselves (S-55, I-10)"


def test_the_start_of_a_day_with_a_change_of_the_clock() -> None:
    assert start_of(date(2026, 3, 29), ZONE) == at("2026-03-29T00:00+01:00")
    assert start_of(date(2026, 3, 30), ZONE) - start_of(date(2026, 3, 29), ZONE) == 23 * 3600
