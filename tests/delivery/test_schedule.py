"""Retries at the planned times, an end, and a delay notice (R-017, R-113)."""

from __future__ import annotations

from gateway.config.gateway import Delivery
from gateway.delivery.schedule import REST_LONGEST, Schedule, rest

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def test_the_shipped_schedule_walks_its_waits_and_ends_after_five_days() -> None:
    schedule = Schedule.of(Delivery())
    now, times = 0.0, []
    attempts = 1
    while (due := schedule.next_attempt(attempts, 0.0, now)) is not None:
        times.append(due)
        now, attempts = due, attempts + 1
    assert times[:6] == [5 * MINUTE, 35 * MINUTE, 95 * MINUTE, 215 * MINUTE, 455 * MINUTE, 695 * MINUTE]
    assert times[-1] == 5 * DAY
    assert times == sorted(set(times))


def test_late_attempts_do_not_move_the_end() -> None:
    schedule = Schedule((HOUR,), DAY, 4 * HOUR)
    assert schedule.next_attempt(1, 0.0, DAY - 10) == DAY
    assert schedule.next_attempt(9, 0.0, DAY) is None


def test_the_delay_notice_is_due_from_its_time_on() -> None:
    schedule = Schedule((HOUR,), DAY, 4 * HOUR)
    assert [schedule.late(0.0, t) for t in (4 * HOUR - 1, 4 * HOUR, DAY)] == [False, True, True]


def test_a_route_rests_longer_each_time_up_to_a_ceiling() -> None:
    rests = [rest(n) for n in range(1, 40)]
    assert rests[:4] == [1.0, 2.0, 4.0, 8.0]
    assert rests[-1] == REST_LONGEST
