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
        results = await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), 120)
        assert [type(result) for result in results] == [SpoolUnavailable, SpoolUnavailable]
        with pytest.raises(SpoolUnavailable):
            await spool.put([message("m3")], [])
        assert spool.trouble
    async with opened(tmp_path) as spool:
        assert [e.message for e in await spool.entries()] == ["m1"]


async def test_a_group_is_bounded_in_octets(tmp_path: Path) -> None:
    gate = threading.Event()
    async with opened(tmp_path) as spool:
        first = spool._writer.submit(lambda store: gate.wait(120))
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


async def test_pages_of_large_mail_leave_the_log_once_its_client_has_its_answer(tmp_path: Path) -> None:
    size = 20 * 2**20
    async with opened(tmp_path) as spool:
        statements: list[str] = []
        answered: list[bool] = []

        def note(statement: str) -> None:
            statements.append(statement)
            if "wal_checkpoint(" in statement:
                answered.extend(job.told for job in spool._writer._group)

        spool._writer._connection.set_trace_callback(note)
        await spool.put([message("m1", body=bytes(size))], [])
        await spool.update([], [])  # the next group begins when the one before has wholly ended
        ends = [s for s in statements if s == "COMMIT" or "wal_checkpoint(" in s]
        assert ends == ["COMMIT", "PRAGMA wal_checkpoint(PASSIVE)", "COMMIT"]
        assert answered == [True]
        assert spool.shard.database.stat().st_size > size


async def test_small_mail_leaves_the_log_with_a_commit_even_behind_large_mail(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        before = spool.shard.database.stat().st_size
        await spool.put([message("large", body=bytes(2 * 2**20))], [])
        assert spool.shard.database.stat().st_size == before
        for number in range(20):
            await spool.put([message(f"m{number}", body=bytes(900_000))], [])
        assert spool.shard.database.stat().st_size > before + 15 * 10**6
