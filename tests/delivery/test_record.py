"""Settled rows are written in groups, and never dropped while the spool is away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from gateway.audit.protocol import AuditRow
from gateway.delivery import record
from gateway.delivery.record import Recorder
from gateway.spool.protocol import SpoolUnavailable, State, Update


class Disk:
    """The one call that a recorder makes; fails as long as `ill`, and waits for `go`."""

    def __init__(self, ill: int = 0) -> None:
        self.ill = ill
        self.groups: list[list[int]] = []
        self.go = asyncio.Event()
        self.go.set()

    async def update(self, updates: Sequence[Update], audit: Sequence[AuditRow]) -> None:
        await self.go.wait()
        if self.ill:
            self.ill -= 1
            raise SpoolUnavailable("no disk")
        self.groups.append([u.row for u in updates])


def row(number: int) -> Update:
    return Update(number, State.DELIVERED)


async def test_rows_settled_while_the_disk_is_busy_share_one_commit() -> None:
    disk = Disk()
    disk.go.clear()
    recorder = Recorder(disk)  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(recorder.run())
        await recorder.add(row(0), ())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for number in range(1, 20):
            await recorder.add(row(number), ())
        disk.go.set()
        recorder.close()
    assert disk.groups == [[0], list(range(1, 20))]


async def test_an_unavailable_spool_delays_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "_AGAIN", 0.0)
    disk = Disk(ill=3)
    recorder = Recorder(disk)  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(recorder.run())
        await recorder.add(row(7), ())
        recorder.close()
    assert disk.groups == [[7]]


async def test_lanes_wait_when_the_disk_is_far_behind() -> None:
    disk = Disk()
    disk.go.clear()
    recorder = Recorder(disk)  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(recorder.run())
        await recorder.add(row(0), ())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        filling = tasks.create_task(_fill(recorder, 600))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not filling.done()
        disk.go.set()
        await filling
        recorder.close()
    assert sum(map(len, disk.groups)) == 601


async def _fill(recorder: Recorder, number: int) -> None:
    for n in range(number):
        await recorder.add(row(n), ())
