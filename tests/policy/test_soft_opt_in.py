"""Offers after a sale, and when that ends."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import Facts, Purchase, Subscription
from gateway.policy.soft_opt_in import Sale, Terms, last_day, soft_opt_in

ZONE = "Europe/Amsterdam"
BOOKS, COURSES = 31, 32
TWO_YEARS = Terms(2, free=False)


def at(year: int, month: int, day: int, hour: int = 12, minute: int = 0, zone: str = ZONE) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone)).timestamp())


def allowed(facts: Facts, now: int, zone: str = ZONE, terms: Terms = TWO_YEARS) -> bool:
    return soft_opt_in(facts, BOOKS, now, zone, terms).allowed


def bought(*purchases: Purchase) -> Facts:
    return Facts(purchases=purchases)


def test_the_last_day_counts_and_the_next_does_not() -> None:
    facts = bought(Purchase(BOOKS, False, at(2024, 5, 10)))
    assert allowed(facts, at(2026, 5, 10, 23, 59))
    assert not allowed(facts, at(2026, 5, 11, 0, 0))


def test_a_purchase_on_leap_day_ends_on_28_february() -> None:
    facts = bought(Purchase(BOOKS, False, at(2024, 2, 29)))
    assert allowed(facts, at(2026, 2, 28, 23, 59))
    assert not allowed(facts, at(2026, 3, 1, 0, 0))


def test_the_term_runs_in_the_organisations_time_zone() -> None:
    # 00:30 on 11 May in Amsterdam is still 10 May in UTC
    facts = bought(Purchase(BOOKS, False, at(2024, 5, 10)))
    night = at(2026, 5, 11, 0, 30)
    assert not allowed(facts, night)
    assert allowed(facts, night, "UTC")


def test_a_new_purchase_starts_the_term_again() -> None:
    old, new = Purchase(BOOKS, False, at(2020, 1, 1)), Purchase(BOOKS, False, at(2025, 1, 1))
    assert allowed(bought(old, new), at(2026, 12, 31))
    assert not allowed(bought(old), at(2026, 12, 31))


def test_a_purchase_in_another_category_allows_nothing() -> None:
    assert not allowed(bought(Purchase(COURSES, False, at(2025, 1, 1))), at(2025, 1, 2))


def test_declining_at_the_last_purchase_stands() -> None:
    first, second = Purchase(BOOKS, False, at(2025, 1, 1)), Purchase(BOOKS, True, at(2025, 2, 1))
    assert not allowed(bought(second), at(2025, 3, 1))
    assert not allowed(bought(second, first), at(2025, 3, 1))
    running = Facts(purchases=(second,), subscriptions=(Subscription(BOOKS, None),))
    assert not allowed(running, at(2025, 3, 1))


def test_a_decline_is_over_at_the_next_purchase_without_one() -> None:
    first, second = Purchase(BOOKS, True, at(2025, 1, 1)), Purchase(BOOKS, False, at(2025, 2, 1))
    assert allowed(bought(first, second), at(2025, 3, 1))


def test_two_answers_in_the_same_second_mean_no() -> None:
    second = at(2025, 1, 1)
    assert not allowed(bought(Purchase(BOOKS, False, second), Purchase(BOOKS, True, second)), second)


def test_a_running_subscription_has_no_end() -> None:
    facts = Facts(subscriptions=(Subscription(BOOKS, None),))
    assert allowed(facts, at(2090, 1, 1))
    assert not allowed(Facts(subscriptions=(Subscription(COURSES, None),)), at(2026, 1, 1))


def test_the_later_of_subscription_end_and_purchase_counts() -> None:
    ended = Facts(
        purchases=(Purchase(BOOKS, False, at(2020, 1, 1)),), subscriptions=(Subscription(BOOKS, at(2024, 6, 1)),)
    )
    assert allowed(ended, at(2026, 6, 1))
    assert not allowed(ended, at(2026, 6, 2))


@pytest.mark.parametrize("zone", ["", "Nowhere/Here", "../etc/passwd", "Europe", "a\0b"])
def test_a_time_zone_that_cannot_be_read_allows_nothing(zone: str) -> None:
    assert not allowed(bought(Purchase(BOOKS, False, at(2025, 1, 1))), at(2025, 1, 2), zone)


def test_without_a_category_nothing_is_similar() -> None:
    facts = bought(Purchase(0, False, at(2025, 1, 1)))
    missing = Sale(False, "category of the offer missing", missing=True)
    assert soft_opt_in(facts, 0, at(2025, 1, 2), ZONE, TWO_YEARS) == missing


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2024, 2, 29), date(2026, 2, 28)),
        (date(2023, 2, 28), date(2025, 2, 28)),
        (date(2023, 12, 31), date(2025, 12, 31)),
        (date(9998, 1, 1), date.max),
    ],
)
def test_two_years(day: date, end: date) -> None:
    assert last_day(day) == end


def test_leap_day_to_leap_day_keeps_its_day() -> None:
    assert last_day(date(2024, 2, 29), 4) == date(2028, 2, 29)


def test_without_a_limit_an_old_sale_does_and_a_declined_one_never() -> None:
    endless = Terms(None, free=False)
    old = Purchase(BOOKS, False, at(1999, 1, 1))
    assert allowed(bought(old), at(2026, 1, 1), terms=endless)
    assert not allowed(bought(old, Purchase(BOOKS, True, at(2000, 1, 1))), at(2026, 1, 1), terms=endless)
    assert not allowed(Facts(), at(2026, 1, 1), terms=endless)


def test_l30_a_free_subscription_is_no_sale_unless_said_so() -> None:
    free = Facts(subscriptions=(Subscription(BOOKS, None, free=True),))
    assert not allowed(free, at(2026, 1, 1))
    assert allowed(free, at(2026, 1, 1), terms=Terms(2, free=True))
    ended = Facts(subscriptions=(Subscription(BOOKS, at(2025, 6, 1), free=True),))
    assert not allowed(ended, at(2026, 1, 1))
    assert allowed(ended, at(2026, 1, 1), terms=Terms(2, free=True))


def test_a_sale_that_is_unknown_is_missing_and_one_that_says_no_is_not() -> None:
    now = at(2026, 1, 1)
    missing = [Facts(), bought(Purchase(COURSES, False, now))]
    against = [bought(Purchase(BOOKS, True, now)), bought(Purchase(BOOKS, False, at(2020, 1, 1)))]
    found = [soft_opt_in(facts, BOOKS, now, ZONE, TWO_YEARS).missing for facts in (*missing, *against)]
    assert found == [True, True, False, False]


@settings(deadline=None, max_examples=200)
@given(st.integers(min_value=0, max_value=4_000_000_000), st.integers(min_value=0, max_value=4_000_000_000))
def test_once_over_the_term_stays_over(bought_at: int, now: int) -> None:
    facts = bought(Purchase(BOOKS, False, bought_at))
    if not allowed(facts, now):
        assert not allowed(facts, now + 86_400)


@settings(deadline=None)
@given(st.integers(), st.integers(), st.text(max_size=10))
def test_never_raises(bought_at: int, now: int, zone: str) -> None:
    allowed(bought(Purchase(BOOKS, False, bought_at)), now, zone)
