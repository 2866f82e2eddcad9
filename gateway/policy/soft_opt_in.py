"""Offers to customers: how long after a sale they may go out.

what:       purchase or subscription in the category, not declined, within the organisation's term
takes→gives: facts, category, time, time zone, terms → the fact that allows it, or what is missing
knows not:  streams, blocks, consent
fails by:   nothing; a date or time zone that cannot be read allows nothing
standard:   Telecommunicatiewet 11.7(4); S-20, S-44, S-49, S-50; L-28, L-30; D-07
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from gateway.config.days import day_in
from gateway.facts import Facts, Subscription

YEARS = 2


@dataclass(frozen=True, slots=True)
class Terms:
    """`years` after the last sale, None without limit; `free`: whether a free subscription is a sale (L-30)."""

    years: int | None
    free: bool


@dataclass(frozen=True, slots=True)
class Sale:
    """Whether an offer may go out, and the fact that says so. `missing`: no sale is known, none that says no."""

    allowed: bool
    fact: str
    missing: bool = False


def soft_opt_in(facts: Facts, category: int, now: int, time_zone: str, terms: Terms) -> Sale:
    """Whether a similar offer in `category` may go out at `now` (Unix seconds).

    The latest purchase in the category speaks for the person: declined there means no, also where an older sale or
    a subscription would allow it. How the address came here (`Facts.origins`) is never a sale (S-44).
    """
    if not category:
        return Sale(False, "category of the offer missing", missing=True)
    if _declined(facts, category):
        return Sale(False, f"offers declined at the last purchase in category:{category}")
    subscriptions = [s for s in facts.subscriptions if s.category == category and (terms.free or not s.free)]
    if any(s.end is None for s in subscriptions):
        return Sale(True, f"subscription in category:{category} runs")
    last = _last(facts, category, subscriptions)
    if last is None:
        return Sale(False, f"purchase or subscription in category:{category} missing", missing=True)
    if terms.years is None:
        return Sale(True, f"purchase or subscription in category:{category}, and offers have no end")
    return _within(last, category, now, time_zone, terms.years)


def last_day(day: date, years: int = YEARS) -> date:
    """The last day of a term of whole years; 29 February ends on 28 February of a common year."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        # Past year 9999 there is no such date: the term then ends where the calendar does.
        return day.replace(year=day.year + years, day=28) if day.year + years <= date.max.year else date.max


def _declined(facts: Facts, category: int) -> bool:
    bought = [p for p in facts.purchases if p.category == category]
    latest = max((p.at for p in bought), default=0)
    return any(p.declined for p in bought if p.at == latest)


def _last(facts: Facts, category: int, subscriptions: Iterable[Subscription]) -> int | None:
    sales = [p.at for p in facts.purchases if p.category == category]
    ends = [s.end for s in subscriptions if s.end is not None]
    return max([*sales, *ends], default=None)


def _within(last: int, category: int, now: int, time_zone: str, years: int) -> Sale:
    began, today = day_in(time_zone, last), day_in(time_zone, now)
    if began is None or today is None:
        return Sale(False, f"date of the last purchase in category:{category} cannot be read")
    end = last_day(began, years)
    term = f"last purchase or subscription in category:{category} allows offers until {end.isoformat()}"
    return Sale(True, term) if today <= end else Sale(False, f"{term}, which is past")
