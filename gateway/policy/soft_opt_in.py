"""Offers to customers: how long after a sale they may go out.

what:       purchase or subscription in the category, not declined, at most two years ago
takes→gives: facts, category, time, time zone → the fact that allows it, or what is missing
knows not:  streams, blocks, consent
fails by:   nothing; a date or time zone that cannot be read allows nothing
standard:   Telecommunicatiewet 11.7(4); S-20, S-49, S-50
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.facts import Facts

YEARS = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def soft_opt_in(facts: Facts, category: int, now: int, time_zone: str) -> tuple[bool, str]:
    """Whether a similar offer in `category` may go out at `now` (Unix seconds), and the fact that says so.

    The latest purchase in the category speaks for the person: declined there means no, also where an older sale or
    a subscription would allow it.
    """
    if not category:
        return False, "category of the offer missing"
    if _declined(facts, category):
        return False, f"offers declined at the last purchase in category:{category}"
    if any(s.category == category and s.end is None for s in facts.subscriptions):
        return True, f"subscription in category:{category} runs"
    last = _last(facts, category)
    if last is None:
        return False, f"purchase or subscription in category:{category} missing"
    return _within(last, category, now, time_zone)


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


def _last(facts: Facts, category: int) -> int | None:
    sales = [p.at for p in facts.purchases if p.category == category]
    ends = [s.end for s in facts.subscriptions if s.category == category and s.end is not None]
    return max([*sales, *ends], default=None)


def _within(last: int, category: int, now: int, time_zone: str) -> tuple[bool, str]:
    began, today = _day(last, time_zone), _day(now, time_zone)
    if began is None or today is None:
        return False, f"date of the last purchase in category:{category} cannot be read"
    end = last_day(began)
    term = f"last purchase or subscription in category:{category} allows offers until {end.isoformat()}"
    return (True, term) if today <= end else (False, f"{term}, which is past")


def _day(at: int, time_zone: str) -> date | None:
    try:
        return (_EPOCH + timedelta(seconds=at)).astimezone(ZoneInfo(time_zone)).date()
    except (OverflowError, ValueError, OSError, ZoneInfoNotFoundError):
        return None
