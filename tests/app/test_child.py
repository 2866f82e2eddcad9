"""A child that dies while its parent speaks to it costs the parent nothing."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.app.child import Child
from gateway.app.control import Wire
from gateway.app.nursery import Nursery
from gateway.config.environment import child_environment
from gateway.config.load import load
from tests.cli.example import ROOT

SETTINGS = ROOT / "tests" / "bad_config" / "good" / "gateway.yaml"


@pytest.fixture
async def dead() -> Child:
    """A child whose end of the wire is gone, which its parent has not noticed yet."""
    ours, theirs = socket.socketpair()
    child = Child("worker-0", "worker", 0, set(), Nursery([], {}, {}))
    child._wire = await Wire.over(ours)
    theirs.close()
    await asyncio.sleep(0)
    return child


async def test_orders_to_a_child_that_just_died_do_not_end_the_parent(dead: Child) -> None:
    for _ in range(3):  # the first write may still be taken by the socket
        await dead.settle(commit=True)
        await dead.rekey()
    assert not dead.rekeyed


async def test_a_question_to_a_child_that_just_died_is_answered_with_why(dead: Child) -> None:
    await dead.settle(commit=False)
    await asyncio.sleep(0.01)
    assert "not running" in await dead.prepare({})


async def test_a_child_that_never_ran_takes_no_orders() -> None:
    child = Child("worker-0", "worker", 0, set(), Nursery([], {}, {}))
    await child.settle(commit=True)
    await child.rekey()
    assert not child.rekeyed


@pytest.fixture
async def living(tmp_path: Path) -> AsyncIterator[Child]:
    """A worker that has not been started."""
    nursery = Nursery(["gateway.app.worker"], {}, child_environment(tmp_path))
    yield Child("worker-0", "worker", 0, set(), nursery)
    await nursery.close()


async def test_a_question_to_a_child_that_ends_meanwhile_is_answered_at_once(living: Child) -> None:
    keeper = asyncio.create_task(living.live(load(SETTINGS)))
    while living._wire is None:
        await asyncio.sleep(0.001)
    assert living._born is not None
    living._born.signal(signal.SIGKILL)
    assert await living.prepare({}) in ("worker-0 ended", "worker-0 is not running")
    assert await keeper == -signal.SIGKILL


async def test_the_end_of_a_child_that_is_being_started_is_waited_for(living: Child) -> None:
    async def keep() -> None:
        await living.live(load(SETTINGS))

    keeper = asyncio.create_task(keep())
    await asyncio.sleep(0)
    await living.end(keeper)
    assert keeper.done()
    assert living._born is not None
    assert living._born.ended.done()
