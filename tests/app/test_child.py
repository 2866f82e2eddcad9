"""A child that dies while its parent speaks to it costs the parent nothing."""

from __future__ import annotations

import asyncio
import socket

import pytest

from gateway.app.child import Child
from gateway.app.control import Wire
from gateway.app.nursery import Nursery


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
