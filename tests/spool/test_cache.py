"""Unsealed content is bounded and goes with its message."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.spool.cache import ContentCache
from gateway.spool.protocol import State, Update
from gateway.spool.reader import Content
from gateway.spool.sealing import MessageSeal, new_key
from tests.spool.mail import message, opened, row


def content(size: int) -> Content:
    return Content(MessageSeal("m", new_key()), {}, bytes(size))


def test_the_least_used_content_goes_first() -> None:
    cache = ContentCache(10_000 + 3 * 2048)
    for name in ("a", "b", "c"):
        cache.keep(name, content(3000))
    assert cache.get("a") is not None
    cache.keep("d", content(3000))
    assert [name for name in "abcd" if cache.get(name) is not None] == ["a", "c", "d"]


def test_one_content_over_the_limit_is_still_kept_until_the_next() -> None:
    cache = ContentCache(1000)
    cache.keep("big", content(5000))
    assert cache.get("big") is not None
    cache.keep("small", content(10))
    assert cache.get("big") is None
    cache.drop("small")
    cache.drop("small")
    assert cache._held == 0


async def test_content_leaves_memory_with_its_message(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message()], [])
        (entry,) = await spool.claim(10.0, 5)
        await spool.open(entry)
        assert spool._cache.get("m1") is not None
        await spool.update([Update(entry.row, State.DELIVERED)], [])
        assert spool._cache.get("m1") is None


async def test_large_mail_just_stored_is_opened_without_reading_it_again(tmp_path: Path) -> None:
    large = message(body=bytes(300_000))
    async with opened(tmp_path) as spool:
        await spool.put([large], [])
        kept = spool._cache.get("m1")
        assert kept is not None
        (entry,) = await spool.claim(10.0, 5)
        at_hand = await spool.open(entry)
        assert spool._cache.get("m1") is kept
        spool.release([entry.row])
    async with opened(tmp_path) as spool:
        (entry,) = await spool.claim(10.0, 5)
        assert await spool.open(entry) == at_hand
        await spool.update([Update(entry.row, State.DELIVERED)], [])
        assert spool._cache.get("m1") is None


async def test_large_mail_that_nobody_sends_now_is_not_kept_unsealed(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(body=bytes(300_000), rows=(row(state=State.HELD),))], [])
        assert spool._cache.get("m1") is None
        with pytest.raises(ValueError, match="in use"):
            await spool.put([message(body=bytes(400_000))], [])
        assert spool._cache.get("m1") is None


async def test_large_mail_that_another_takes_the_place_of_is_forgotten(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(body=bytes(300_000))], [])
        await spool.replace("m1", message(body=b"short"), [])
        assert spool._cache.get("m1") is None
