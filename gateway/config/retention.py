"""How long each class of data is kept, and why: terms in calendar units, counted in the organisation's days.

what:       the frozen model of `retention:` in an organisation's file; `Span`, a term with its arithmetic
takes→gives: term, now, time zone → the moment before which data is past its term
knows not:  where the data is, how it is deleted
fails by:   pydantic ValidationError (→ file:line in `load`)
standard:   L-05, S-28, S-55, S-56; GDPR 5(1)(e), 30(1)(f). Consents and blocks have no term (S-55, I-10)
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field

from gateway.config.base import Settings
from gateway.config.days import day_in

_SPAN = re.compile(r"([1-9]\d{0,3}) (day|week|month|year)s?")
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


@dataclass(frozen=True, slots=True)
class Span:
    """`number` of `unit` (day, week, month, year)."""

    number: int
    unit: str

    def __str__(self) -> str:
        return f"{self.number} {self.unit}{'s' if self.number > 1 else ''}"

    def from_day(self, day: date, sign: int = 1) -> date:
        """So many calendar units after `day` (before it with `sign` -1); the last of the month where it has no such
        day: a year before 29 February is 28 February. At the ends of the calendar, that end."""
        try:
            if self.unit in _DAYS:
                return day + timedelta(days=sign * self.number * _DAYS[self.unit])
            months = day.year * 12 + day.month - 1 + sign * self.number * _MONTHS[self.unit]
            year, month = divmod(months, 12)
            return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
        except (ValueError, OverflowError, calendar.IllegalMonthError):
            return date.max if sign > 0 else date.min

    def before(self, now: float, time_zone: str) -> float:
        """Unix seconds of the start of the local day so long before the day of `now`: what is older is past its term.

        A `now` that no calendar has gives minus infinity: then nothing is.
        """
        today = day_in(time_zone, now)
        return start_of(self.from_day(today, -1), time_zone) if today is not None else float("-inf")


def start_of(day: date, time_zone: str) -> float:
    """Unix seconds at which `day` begins in `time_zone`."""
    if day <= date(1, 1, 2):
        return float("-inf")
    return datetime.combine(day, time.min, ZoneInfo(time_zone)).astimezone(UTC).timestamp()


def _span(value: Any) -> Any:
    if isinstance(value, str) and (match := _SPAN.fullmatch(value.strip())):
        return Span(int(match[1]), match[2])
    if isinstance(value, Span):
        return value
    raise ValueError("expected a term such as 30 days, 6 months or 2 years")


Kept = Annotated[Span, BeforeValidator(_span)]


class Retention(Settings):
    """How long data is kept (GDPR 5(1)(e)). Consents and blocks have no term: they last until they are ended."""

    audit: Kept = Field(default="2 years", validate_default=True)
    """What became of each mail, without addresses: shows afterwards that a mail was allowed (GDPR 5(2), 7(1))."""
    bounces: Kept = Field(default="1 year", validate_default=True)
    """Failed and delayed attempts in the audit: of use while an address is being mended. The block of it stays."""
    acts: Kept = Field(default="5 years", validate_default=True)
    """Who looked up, released or changed what, and why: as long as fines and claims can follow (Awb 5:45, BW 3:310)."""
    shares: Kept = Field(default="5 years", validate_default=True)
    """To whom data of a person went: they may ask (GDPR 15(1)(c)), and a claim lapses in five years (BW 3:310)."""
    receipts: Kept = Field(default="6 months", validate_default=True)
    """Read and delivery receipts that came back (S-04)."""
    purchases: Kept | None = None
    """Sales, for offers after a purchase; longer than `soft_opt_in_years`. None: as long as somebody is a customer."""
    enrolments: Kept | None = None
    """Enrolments, contracts and subscriptions. None: as long as the person is a customer (S-28)."""
    requests: Kept = Field(default="5 years", validate_default=True)
    """Rows of the register of handled requests: shows that terms were kept (GDPR 5(2))."""
    breaches: Kept = Field(default="5 years", validate_default=True)
    """Closed rows of the breach register: the authority must be able to check them (GDPR 33(5))."""
    log: Kept = Field(default="90 days", validate_default=True)
    """The system's own log, which names nobody. For the record of processing; set it in journald or logrotate."""

    def terms(self) -> Mapping[str, Span | None]:
        """Every class with its term, in the order of the settings."""
        return {name: getattr(self, name) for name in type(self).model_fields}
