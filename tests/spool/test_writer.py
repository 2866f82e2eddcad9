"""The writing thread: groups, failures, its own end."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from pathlib import Path

import pytest

from gateway.spool.protocol import SpoolUnavailable
from gateway.spool.rows import Store
from tests.spool.mail import message, opened


def _fault(store: Store) -> None:
    raise RuntimeError("a fault nobody thought of")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_an_unknown_fault_ends_the_shard_and_leaves_nobody_waiting(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message("m1")], [])
        futures = [spool._writer.submit(_fault), spool._writer.submit(lambda store: store.put(message("m2")))]
        results = await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), 20)
        assert [type(result) for result in results] == [SpoolUnavailable, SpoolUnavailable]
        with pytest.raises(SpoolUnavailable):
            await spool.put([message("m3")], [])
        assert spool.trouble
    async with opened(tmp_path) as spool:
        assert [e.message for e in await spool.entries()] == ["m1"]


async def test_a_group_is_bounded_in_octets(tmp_path: Path) -> None:
    gate = threading.Event()
    async with opened(tmp_path) as spool:
        first = spool._writer.submit(lambda store: gate.wait(20))
        before = spool._writer.commits
        puts = [asyncio.ensure_future(spool.put([message(f"m{n}", body=bytes(20 * 2**20))], [])) for n in range(4)]
        await asyncio.sleep(0)
        gate.set()
        await first
        await asyncio.gather(*puts)
        assert spool._writer.commits - before >= 2, "80 MB do not go into one transaction"


def _note(seen: list[int], number: int, store: Store) -> None:
    seen.append(number)


async def test_jobs_keep_their_order_within_a_group(tmp_path: Path) -> None:
    seen: list[int] = []
    async with opened(tmp_path) as spool:
        await asyncio.gather(*(spool._writer.submit(partial(_note, seen, n)) for n in range(500)))
    assert seen == list(range(500))
