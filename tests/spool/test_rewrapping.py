"""A new service key for a spool at work: old mail opens all the time, and in the end nothing needs the old key."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from gateway.spool import rewrapping
from gateway.spool.keyslots import KeySlots
from gateway.spool.outside import Outside
from gateway.spool.protocol import SpoolUnavailable, State, Update
from gateway.spool.sqlite import SQLiteSpool
from tests.spool.mail import BODY, KEYS, message, opened

NEW = {**KEYS, 2: b"n" * 32}


async def fill(spool: SQLiteSpool, names: range) -> None:
    await spool.put([message(f"m{n}") for n in names], [])


async def all_open(spool: SQLiteSpool) -> bool:
    entries = await spool.entries()
    return all([(await spool.open(e)).body == BODY for e in entries])


async def test_new_mail_takes_the_new_key_and_old_mail_still_opens(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await fill(spool, range(3))
        await spool.use_keys(NEW)
        await fill(spool, range(3, 5))
        assert Outside(tmp_path).key_uses() == Counter({1: 3, 2: 2})
        assert await all_open(spool)


async def test_after_a_pass_nothing_needs_the_old_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewrapping, "AT_ONCE", 2)
    async with opened(tmp_path) as spool:
        await fill(spool, range(5))
        await spool.use_keys(NEW)
        await spool.rewrap()
        assert Outside(tmp_path).key_uses() == Counter({2: 5})
    async with opened(tmp_path, keys={2: NEW[2]}) as spool:
        assert await all_open(spool)
        assert spool.broken == 0


async def test_mail_done_during_a_pass_leaves_no_key_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewrapping, "AT_ONCE", 1)
    async with opened(tmp_path) as spool:
        await fill(spool, range(20))
        await spool.use_keys(NEW)
        entries = await spool.claim(10.0, 20)
        done = [spool.update([Update(e.row, State.DELIVERED)], []) for e in entries[::2]]
        await asyncio.gather(spool.rewrap(), *done)
        slots = KeySlots(spool.shard.slots, read_only=True)
        assert Counter(s.key_id for _, s in slots.used() if s) == Counter({2: 10})
        slots.close()
        assert await all_open(spool)


async def test_a_failed_job_beside_a_pass_does_not_take_keys_with_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await fill(spool, range(6))
        await spool.use_keys(NEW)
        wrong = message("m1", received=5.0)  # the id of another message: its job fails, and the group is undone
        results = await asyncio.gather(spool.rewrap(), spool.put([wrong], []), return_exceptions=True)
        assert isinstance(results[1], ValueError)
        assert await all_open(spool)
        assert spool.broken == 0


async def test_keys_that_do_not_open_what_is_here_are_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await fill(spool, range(1))
        assert "spool key 1 is not the key" in spool.refuses({1: b"x" * 32})
        assert "needs spool key 1" in spool.refuses({2: NEW[2]})
        with pytest.raises(SpoolUnavailable, match="needs spool key 1"):
            await spool.use_keys({2: NEW[2]})
        assert spool.refuses(NEW) == ""
        assert await all_open(spool)


async def test_a_key_once_used_is_remembered(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.use_keys(NEW)
        assert "spool key 2 is not the key" in spool.refuses({**KEYS, 2: b"other".ljust(32)})
    with pytest.raises(SpoolUnavailable, match="spool key 2 is not the key"):
        SQLiteSpool(tmp_path, 0, {**KEYS, 2: b"other".ljust(32)}, spool._audit)
