"""The contract on a SQLite file, and what a file can be in trouble with."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.campaigns.backend import place
from gateway.campaigns.protocol import CampaignsUnavailable, Entry
from gateway.campaigns.sqlite import SQLiteCampaigns
from tests.campaigns.contract import *  # noqa: F403 - every test of the suite
from tests.campaigns.contract import NEWS, SHOP, OpenStore


@pytest.fixture
async def open_store(tmp_path: Path) -> AsyncIterator[OpenStore]:
    opened: list[SQLiteCampaigns] = []

    def open_one(organisation: str = "school", **options: int) -> SQLiteCampaigns:
        opened.append(SQLiteCampaigns(place(tmp_path, organisation), **options))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


async def test_the_file_is_for_the_gateway_alone(open_store: OpenStore, tmp_path: Path) -> None:
    await open_store().secret(4, make=True)
    assert stat.S_IMODE(place(tmp_path, "school").stat().st_mode) == 0o600


async def test_reading_only_makes_no_file(open_store: OpenStore, tmp_path: Path) -> None:
    await open_store(read_only=True).secret(4, make=False)
    assert list(tmp_path.iterdir()) == []


async def test_what_is_past_its_term_is_in_no_file_any_more(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store()
    old, new = await store.secret(4, make=True), await store.secret(6, make=True)
    await store.add(
        [Entry(4, NEWS, b"seen long ago"), Entry(6, NEWS, b"seen just now"), Entry(99, NEWS, b"a wrong clock")]
    )
    assert await store.purge(5, 6) == 2
    assert await store.secret(4, make=False) == b""
    assert (await store.read(4, NEWS, ""))[0] == []
    assert (await store.read(6, NEWS, ""))[0] == [b"seen just now"]
    raw = b"".join(path.read_bytes() for path in place(tmp_path, "school").parent.iterdir())
    assert b"seen long ago" not in raw
    assert old not in raw
    assert new in raw


async def test_a_full_file_forgets_the_oldest_and_goes_on(open_store: OpenStore) -> None:
    store = open_store(most_octets=512 * 1024)
    await store.secret(4, make=True)
    for number in range(400):
        await store.add([Entry(4, b"%016d" % number, bytes(2000))])
    assert (await store.read(4, b"%016d" % 399, ""))[0] == [bytes(2000)]
    assert (await store.read(4, b"%016d" % 0, ""))[0] == []


async def test_a_locked_file_keeps_no_reader_waiting(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store()
    await store.secret(4, make=True)
    await store.add([Entry(4, NEWS, b"before")])
    holder = sqlite3.connect(place(tmp_path, "school"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        assert (await store.read(4, NEWS, ""))[0] == [b"before"]
        with pytest.raises(CampaignsUnavailable, match="locked"):
            await store.add([Entry(4, SHOP, b"after")])
    finally:
        holder.close()
    await store.add([Entry(4, SHOP, b"after")])
    assert (await store.read(4, SHOP, ""))[0] == [b"after"]


async def test_a_file_that_is_none_of_ours_is_said_to_be_away(open_store: OpenStore, tmp_path: Path) -> None:
    path = place(tmp_path, "school")
    path.parent.mkdir()
    path.write_bytes(b"this is no database, whatever it is called\n" * 200)
    store = open_store()
    with pytest.raises(CampaignsUnavailable):
        await store.secret(4, make=True)
    with pytest.raises(CampaignsUnavailable):
        await store.read(4, NEWS, "")
    with pytest.raises(CampaignsUnavailable):
        await store.purge(3, 4)


async def test_half_a_commit_is_none(open_store: OpenStore) -> None:
    store = open_store()
    await store.secret(4, make=True)
    with pytest.raises(CampaignsUnavailable):
        await store.add([Entry(4, NEWS, b"x"), Entry(4, None, b"y")])  # type: ignore[arg-type]
    await store.add([Entry(4, NEWS, b"z")])
    assert (await store.read(4, NEWS, ""))[0] == [b"z"]


async def test_a_path_with_odd_characters_is_the_same_file_for_both(tmp_path: Path) -> None:
    store = SQLiteCampaigns(tmp_path / "a b#c?d%20é" / "school.sqlite")
    secret = await store.secret(4, make=True)
    assert await store.secret(4, make=False) == secret
    await store.close()
