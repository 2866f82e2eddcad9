"""When to try again, when to say that it takes long, when to give up.

what:       the retry schedule as a pure function of attempts and time
takes→gives: attempts, time of arrival, now → time of the next attempt, or None
knows not:  clocks, queues, reasons
fails by:   nothing
standard:   RFC 5321 4.5.4.1; R-017, R-113
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.config.gateway import Delivery

REST_FIRST = 1.0
REST_LONGEST = 300.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Seconds: waits after the first, second … failed attempt (the last repeats), end, and delay notice."""

    retry: tuple[float, ...]
    give_up: float
    delay_notice: float

    @classmethod
    def of(cls, settings: Delivery) -> Schedule:
        return cls(
            tuple(wait.total_seconds() for wait in settings.retry),
            settings.give_up.total_seconds(),
            settings.delay_notice.total_seconds(),
        )

    def next_attempt(self, attempts: int, received: float, now: float) -> float | None:
        """Unix seconds of the next attempt after `attempts` failed ones (>= 1); None when it is time to give up.

        The last attempt stands exactly at the end, so that nothing is given up without a try there.
        """
        end = self.end(received)
        if now >= end:
            return None
        wait = self.retry[min(attempts, len(self.retry)) - 1] if self.retry else self.give_up
        return min(now + wait, end)

    def end(self, received: float) -> float:
        """Unix seconds after which no further attempt is made."""
        return received + self.give_up

    def late(self, received: float, now: float) -> bool:
        """Whether the submitter should hear about the delay."""
        return now >= received + self.delay_notice


def rest(troubles: int) -> float:
    """Seconds a route rests after that many troubles in a row (>= 1): doubling, with a ceiling."""
    return min(REST_FIRST * 2.0 ** min(troubles - 1, 16), REST_LONGEST)
