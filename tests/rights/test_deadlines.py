"""Until when a request must be answered: the earliest of promise and law, by the calendar."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cases.protocol import CaseKind
from gateway.config.rights import Rights
from gateway.rights.deadlines import (
    BadDate,
    band,
    day_of,
    deadline,
    extended,
    free_days,
    may_extend,
    months_after,
    quarter,
    received_on,
    working_days_after,
)
from tests.rights.house import example

PAREL = example().organisations[0].rights
REZULTO = example().organisations[1].rights
DAYS = st.dates(min_value=date(1999, 1, 1), max_value=date(2150, 12, 31))
NL = free_days("NL")
ZONES = ["Europe/Amsterdam", "Pacific/Apia", "America/St_Johns"]


def test_l13_the_three_terms_for_a_request_of_30_january_2025() -> None:
    day = date(2025, 1, 30)
    assert deadline(Rights(), CaseKind.ERASURE, day).due == date(2025, 2, 28)
    assert deadline(Rights(promise="30 days"), CaseKind.ERASURE, day).promised == date(2025, 3, 1)
    assert deadline(Rights(promise="4 weeks"), CaseKind.ERASURE, day).promised == date(2025, 2, 27)


def test_s31_d04_the_example_organisations_answer_by_the_earliest_of_promise_and_law() -> None:
    day = date(2025, 1, 30)
    assert deadline(PAREL, CaseKind.ERASURE, day).due == date(2025, 2, 28), "the month ends before thirty days do"
    assert deadline(PAREL, CaseKind.ERASURE, date(2025, 3, 1)).due == date(2025, 3, 31), "thirty days"
    assert deadline(REZULTO, CaseKind.ACCESS, day).due == date(2025, 2, 27)


def test_s34_questions_tips_and_complaints_have_the_same_thirty_days() -> None:
    for kind in (CaseKind.QUESTION, CaseKind.TIP, CaseKind.COMPLAINT):
        assert deadline(PAREL, kind, date(2026, 5, 1)).due == date(2026, 5, 31)


def test_s57_four_weeks_are_twenty_eight_days_and_day_29_is_late() -> None:
    due = deadline(REZULTO, CaseKind.ACCESS, date(2026, 5, 1)).due
    assert (due - date(2026, 5, 1)).days == 28


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2023, 1, 31), date(2023, 2, 28)),
        (date(2024, 1, 31), date(2024, 2, 29)),
        (date(2024, 2, 29), date(2024, 3, 29)),
        (date(2025, 12, 31), date(2026, 1, 31)),
        (date(2026, 8, 31), date(2026, 9, 30)),
        (date(2026, 6, 5), date(2026, 7, 5)),  # a Sunday: the extension for weekends is not used
    ],
)
def test_l13_a_month_ends_on_the_same_date_or_the_last_day_of_the_month(received: date, due: date) -> None:
    assert months_after(received, 1) == due


@settings(deadline=None, max_examples=200)
@given(DAYS)
def test_l13_a_month_never_skips_a_month_and_never_shrinks(day: date) -> None:
    due = months_after(day, 1)
    assert 28 <= (due - day).days <= 31
    assert (due.year * 12 + due.month) - (day.year * 12 + day.month) == 1
    assert due.day in (day.day, monthrange(due.year, due.month)[1])
    assert months_after(day + timedelta(days=1), 1) >= due


@settings(deadline=None, max_examples=100)
@given(DAYS, st.sampled_from(list(CaseKind)), st.sampled_from([Rights(), PAREL, REZULTO]))
def test_1c7_of_promise_and_law_the_earliest_counts(day: date, kind: CaseKind, rights: Rights) -> None:
    found = deadline(rights, kind, day)
    assert day < found.due <= found.month
    assert found.promised is None or found.due <= found.promised
    assert found.due in (found.month, found.promised)


def test_s59_twenty_working_days_over_christmas_skip_weekends_and_dutch_holidays() -> None:
    found = deadline(REZULTO, CaseKind.OBJECTION, date(2026, 12, 11))
    # 14-18 and 21-24 December are nine; 25 is Christmas (26 a Saturday); 28-31 make thirteen; 1 January is none;
    # 4-8 January make eighteen; 11 and 12 are the last two.
    assert found.ceiling == date(2027, 1, 12)
    assert found.due == date(2027, 1, 11), "the law's month ends one day before"


def test_s59_kings_day_and_ascension_are_no_working_days() -> None:
    assert working_days_after(date(2026, 4, 24), 1, NL) == date(2026, 4, 28)
    assert working_days_after(date(2026, 5, 13), 1, NL) == date(2026, 5, 15)


def test_s59_other_countries_and_subdivisions_by_setting() -> None:
    assert free_days("DE-BY")(date(2026, 1, 6))
    assert not free_days("DE-BE")(date(2026, 1, 6))
    with pytest.raises(ValueError, match="'NL-XX'"):
        free_days("NL-XX")


@settings(deadline=None, max_examples=50)
@given(st.dates(min_value=date(2015, 1, 1), max_value=date(2045, 1, 1)), st.integers(1, 60))
def test_s59_there_are_exactly_so_many_working_days_up_to_the_last(day: date, number: int) -> None:
    last = working_days_after(day, number, NL)
    passed = [day + timedelta(days=n) for n in range(1, (last - day).days + 1)]
    assert sum(d.weekday() < 5 and not NL(d) for d in passed) == number
    assert last.weekday() < 5
    assert not NL(last)


def test_s57_an_extension_is_two_months_more_and_told_of_inside_the_first() -> None:
    day = date(2025, 11, 30)
    assert extended(day) == date(2026, 2, 28)
    assert may_extend(day, date(2025, 12, 30))
    assert not may_extend(day, date(2025, 12, 31))


def test_s66_a_letter_of_five_days_ago_counts_from_its_receipt() -> None:
    today = date(2026, 3, 10)
    day = received_on("2026-03-05", today)
    assert deadline(PAREL, CaseKind.ACCESS, day).due == date(2026, 4, 4)
    assert received_on("", today) == today


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-03-11", "in the future"),
        ("1926-03-01", "three years"),
        ("2026-02-29", "is no day"),
        ("5 maart", "is no day"),
    ],
)
def test_s66_a_day_that_cannot_be_is_refused_with_what_is_expected(text: str, why: str) -> None:
    with pytest.raises(BadDate, match=why) as told:
        received_on(text, date(2026, 3, 10))
    assert "expected" in str(told.value)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 1, 31, 23, 30, tzinfo=UTC), date(2026, 2, 1)),  # half past twelve in Amsterdam
        (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), date(2026, 3, 29)),  # the night the clocks go forward
        (datetime(2026, 3, 29, 22, 30, tzinfo=UTC), date(2026, 3, 30)),
        (datetime(2026, 10, 25, 22, 30, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), date(2027, 1, 1)),
    ],
)
def test_days_are_those_of_the_organisation_also_when_clocks_change(moment: datetime, day: date) -> None:
    assert day_of(moment.timestamp(), "Europe/Amsterdam") == day


@settings(deadline=None, max_examples=100)
@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)), st.sampled_from(ZONES))
def test_the_day_is_what_a_clock_on_the_wall_says(moment: datetime, zone: str) -> None:
    there = moment.replace(tzinfo=ZoneInfo(zone), fold=1)
    if there.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == moment:  # it exists
        assert day_of(there.timestamp(), zone) == moment.date()


def test_s35_quarters_and_bands() -> None:
    assert [quarter(date(2026, month, 1)) for month in (1, 3, 4, 12)] == ["2026-Q1", "2026-Q1", "2026-Q2", "2026-Q4"]
    assert [band(days) for days in (0, 7, 8, 30, 31, 5000)] == [7, 7, 14, 30, 60, 9999]
