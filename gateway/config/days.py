"""Which day it is where the organisation is: terms and ends count in its days, not in seconds.

takes→gives: IANA time zone, Unix seconds → `date`
knows not:  the clock
fails by:   nothing: None where either cannot be read
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_in(time_zone: str, at: float) -> date | None:
    """The day in `time_zone` at `at` (Unix seconds, also before 1970)."""
    try:
        return (_EPOCH + timedelta(seconds=at)).astimezone(ZoneInfo(time_zone)).date()
    except (OverflowError, ValueError, OSError, ZoneInfoNotFoundError):
        return None
