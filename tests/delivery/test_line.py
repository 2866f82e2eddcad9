"""One provider's line: lanes, rest after trouble, stalls."""

from __future__ import annotations

import asyncio

from gateway.delivery.line import Line
from gateway.delivery.outcome import Job
from gateway.delivery.pool import Pool
from gateway.delivery.relay import Hop, Timers
from tests.delivery.rig import organisation

PROVIDER = organisation({"port": 1}).providers[0]
TIMERS = Timers(1.0, 1.0, 1.0, 1.0)


class Carrier:
    """Counts how many rows are carried at once; each waits for `go`."""

    def __init__(self) -> None:
        self.now = self.most = self.done = 0
        self.go = asyncio.Event()

    async def __call__(self, job: Job, line: Line) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await self.go.wait()
        self.now -= 1
        self.done += 1


def line(carrier: Carrier, lanes: int = 3) -> Line:
    pool = Pool(lambda: Hop("127.0.0.1", 1, "none", "gateway.example"), TIMERS, 1.0)
    return Line("school", PROVIDER, pool, lanes, carrier)


def job() -> Job:
    return Job(None, None)  # type: ignore[arg-type] the line never looks into it


async def test_no_more_rows_at_once_than_lanes_and_all_get_their_turn() -> None:
    carrier = Carrier()
    made = line(carrier)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(10):
            made.add(job(), tasks)
        await asyncio.sleep(0)
        assert (made.busy, made.waiting) == (3, 7)
        carrier.go.set()
    assert (carrier.most, carrier.done, made.waiting) == (3, 10, 0)


async def test_a_troubled_provider_gets_one_lane() -> None:
    carrier = Carrier()
    made = line(carrier)
    made.note_trouble("connect", 0.0)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(5):
            made.add(job(), tasks)
        await asyncio.sleep(0)
        assert made.busy == 1
        carrier.go.set()


def test_lanes_that_fail_together_count_once_and_rest_grows() -> None:
    made = line(Carrier.__new__(Carrier))
    assert made.note_trouble("connect", 100.0)
    assert not made.note_trouble("connect", 100.5)
    assert (made.troubles, made.resting(100.5), made.resting(101.0)) == (1, True, False)
    assert not made.note_trouble("connect", 101.0)
    assert (made.troubles, made.rest_until) == (2, 103.0)
    assert made.note_success()
    assert not made.note_success()
    assert not made.resting(101.5)


async def test_a_line_is_stalled_when_rows_wait_and_none_was_finished() -> None:
    carrier = Carrier()
    made = line(carrier, lanes=1)
    now = asyncio.get_running_loop().time
    async with asyncio.TaskGroup() as tasks:
        made.add(job(), tasks)
        assert not made.stalled(now() + 60, 61.0)
        made.add(job(), tasks)
        assert made.stalled(now() + 60, 5.0)
        carrier.go.set()
    assert not made.stalled(now() + 60, 5.0)


async def test_what_does_not_finish_in_time_is_cut_off() -> None:
    carrier = Carrier()
    made = line(carrier, lanes=2)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            made.add(job(), tasks)
        await asyncio.sleep(0)
        assert len(made.take_waiting()) == 2
        assert await made.finish(0.01) == 2
    assert await made.finish(0.01) == 0


def test_new_rules_end_a_rest_but_not_the_caution() -> None:
    made = line(Carrier.__new__(Carrier))
    made.note_trouble("login", 100.0)
    made.wake()
    assert (made.resting(100.1), made.troubles) == (False, 1)
