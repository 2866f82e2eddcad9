"""Until when a request must be answered, in days of the organisation's own calendar.

what:       the earliest of promise and law; the extension; working days; quarters and bands of the register
takes→gives: settings, kind, day of receipt → `Deadline`
knows not:  cases, clocks (the caller gives the time), people
fails by:   `BadDate`
standard:   GDPR 12(3); Regulation 1182/71 art. 3; L-13, S-31, S-57, S-59, S-66, D-03, D-04

The day of the event is not counted. A month ends on the same date of the next one, or on its last day where that date
is missing. The extension for weekends (art. 3(4)) is not used: it could only make an answer later than it may be.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from gateway.cases.protocol import CaseKind
from gateway.config.rights import Rights, term_parts

_MONTHS = 1
_EXTENDED = 3  # one month and two further months
_OLDEST = 3 * 366  # days back that a receipt is believed; before that it is a typing mistake
_BANDS = (7, 14, 30, 60, 90, 9999)
_SATURDAY = 5
_LAW = "one month (GDPR 12(3))"


class BadDate(ValueError):
    """A day of receipt that cannot be; the text says what is expected."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """`due` is the last day, by `rule`. `month` is the law's; `promised` the published one; `ceiling` the legal date of
    a term in working days (S-59), which is for the record: sending stops at once."""

    due: date
    rule: str
    month: date
    promised: date | None
    ceiling: date | None


def deadline(settings: Rights, kind: CaseKind, received: date) -> Deadline:
    """The earliest of the law's month and what was promised (1c-7)."""
    month = months_after(received, _MONTHS)
    term = settings.promised(kind.value)
    if term is None:
        return Deadline(month, _LAW, month, None, None)
    number, unit = term_parts(term)
    if unit == "working day":
        promised = working_days_after(received, number, free_days(settings.holidays))
    else:
        promised = received + timedelta(days=number * (7 if unit == "week" else 1))
    due, rule = min((month, _LAW), (promised, f"{term} (promised)"), key=lambda item: item[0])
    return Deadline(due, rule, month, promised, promised if unit == "working day" else None)


def extended(received: date) -> date:
    """The last day after an extension: two months further (GDPR 12(3))."""
    return months_after(received, _EXTENDED)


def may_extend(received: date, today: date) -> bool:
    """Whether the notice of an extension still goes out inside the first month."""
    return today <= months_after(received, _MONTHS)


def months_after(day: date, number: int) -> date:
    """The same date so many months on, or that month's last day."""
    month = day.month - 1 + number
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def working_days_after(day: date, number: int, free: Callable[[date], bool]) -> date:
    """The `number`-th working day after `day`, which itself is not counted. Weekends and `free` days are none."""
    while number:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY and not free(day):
            number -= 1
    return day


def free_days(place: str) -> Callable[[date], bool]:
    """Public holidays of a country (`NL`) or a subdivision (`DE-BY`). Raises `ValueError` for an unknown one."""
    calendar = _calendar(place)
    return lambda day: day in calendar


@lru_cache(maxsize=16)
def _calendar(place: str) -> holidays.HolidayBase:
    country, _, subdivision = place.partition("-")
    try:
        return holidays.country_holidays(country, subdiv=subdivision or None)
    except NotImplementedError:
        raise ValueError(f"no public holidays known for {place!r}, expected such as NL or DE-BY") from None


def day_of(at: float, time_zone: str) -> date:
    """The day that a moment (Unix seconds) is in the organisation's time zone."""
    return (datetime.fromtimestamp(0, UTC) + timedelta(seconds=at)).astimezone(ZoneInfo(time_zone)).date()


def received_on(text: str, today: date) -> date:
    """The day a request really came in (S-66), as ISO; empty is today. Raises `BadDate`."""
    if not text:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadDate(f"{text!r} is no day, expected one such as {today.isoformat()}") from None
    if day > today:
        raise BadDate(f"{text} is in the future, expected {today.isoformat()} or earlier")
    if (today - day).days > _OLDEST:
        raise BadDate(f"{text} is more than three years ago, expected the day the request came in")
    return day


def quarter(day: date) -> str:
    """As `2026-Q4`."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


def band(days: int) -> int:
    """The upper end of the band that so many days fall in: an exact number could lead back to a day (S-35)."""
    return next(end for end in _BANDS if days <= end)
