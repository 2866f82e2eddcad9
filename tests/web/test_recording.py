"""Opt-outs from the page to the journal."""

from __future__ import annotations

import asyncio
import threading

import pytest

from gateway.facts import Scope, ScopeKind
from gateway.token import OptOut
from gateway.web.recording import Receipt, Recorder


def opt_out(person: bytes) -> OptOut:
    return OptOut(1, person * 32, 0, Scope(ScopeKind.LIST, 7), 1, 1)


class Desk:
    """A journal that notes what came together, and waits at the gate while the first batch is written."""

    def __init__(self, *faults: OSError | None) -> None:
        self.batches: list[list[OptOut]] = []
        self.gate = threading.Event()
        self._faults = list(faults)

    def append_opt_outs(self, opt_outs: list[OptOut], at: int) -> list[str]:
        self.batches.append(list(opt_outs))
        self.gate.wait(120)
        if self._faults and (fault := self._faults.pop(0)):
            raise fault
        return [f"{o.pseudonym[:1].hex()}-{at}" for o in opt_outs]


async def waiting(recorder: Recorder, desk: Desk, first: OptOut) -> asyncio.Task[Receipt]:
    """The first opt-out, already on its way to the disk."""
    task = asyncio.create_task(recorder.record(first))
    while not desk.batches:
        await asyncio.sleep(0)
    return task


async def test_what_arrives_while_the_disk_is_busy_shares_the_next_fsync() -> None:
    desk = Desk()
    recorder = Recorder(desk, wait=0, clock=lambda: 5)
    first = await waiting(recorder, desk, opt_out(b"a"))
    others = [asyncio.create_task(recorder.record(opt_out(p))) for p in (b"b", b"c", b"b")]
    await asyncio.sleep(0)
    desk.gate.set()
    assert await first == Receipt("61-5", 5)
    assert [r.number for r in await asyncio.gather(*others)] == ["62-5", "63-5", "62-5"]
    assert [len(batch) for batch in desk.batches] == [1, 2], "the same link asked twice is written once"


async def test_a_fault_of_the_disk_reaches_everyone_it_concerns_and_nobody_else() -> None:
    desk = Desk(OSError(28, "No space left on device"), None)
    recorder = Recorder(desk, wait=0, clock=lambda: 5)
    first = await waiting(recorder, desk, opt_out(b"a"))
    second = asyncio.create_task(recorder.record(opt_out(b"b")))
    await asyncio.sleep(0)
    desk.gate.set()
    with pytest.raises(OSError, match="No space"):
        await first
    assert (await second).number == "62-5"


async def test_a_visitor_who_leaves_does_not_undo_the_opt_out() -> None:
    desk = Desk()
    recorder = Recorder(desk, wait=0, clock=lambda: 5)
    left = await waiting(recorder, desk, opt_out(b"a"))
    stayed = asyncio.create_task(recorder.record(opt_out(b"a")))
    await asyncio.sleep(0)
    left.cancel()
    desk.gate.set()
    assert (await stayed).number == "61-5"
