"""The contract on a real Redis, on a Cluster, and what ends there by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.campaigns.protocol import CampaignsUnavailable, Entry
from gateway.campaigns.redis import RedisCampaigns
from gateway.config.store import Store
from gateway.registry.redis_primary import Reach
from tests.campaigns.contract import *  # noqa: F403 - every test of the suite
from tests.campaigns.contract import NEWS, OpenStore
from tests.registry.redis_server import Server, ThreeNodes

pytestmark = pytest.mark.needs("redis-server")
FAR = 10**9
"""Seconds that the epochs of the contract end from now."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("redis")).start().ready()
    yield started
    started.stop()


@pytest.fixture
def store(server: Server) -> Store:
    server.ask("FLUSHALL")
    return Store(backend="redis", url=server.url, timeout="30s")


@pytest.fixture
async def open_store(store: Store) -> AsyncIterator[OpenStore]:
    opened: list[RedisCampaigns] = []

    def open_one(organisation: str = "school", *, read_only: bool = False, ends: int = FAR) -> RedisCampaigns:
        reach = Reach(store, organisation)
        opened.append(RedisCampaigns(reach, lambda _: int(time.time()) + ends, read_only=read_only))
        return opened[-1]

    yield open_one
    for one in opened:
        await one.close()


async def test_everything_ends_by_itself_and_lies_below_the_own_prefix(open_store: OpenStore, server: Server) -> None:
    one = open_store(ends=600)
    await one.secret(4, make=True)
    await one.add([Entry(4, NEWS, b"x")])
    keys = server.ask("KEYS", "*")
    assert isinstance(keys, list)
    assert len(keys) == 2
    for key in keys:
        assert key.startswith(b"{bg:school}:campaigns:")
        assert 0 < int(str(server.ask("TTL", key))) <= 600
    assert await one.purge(4, 5) == 0


async def test_after_a_reload_everything_ends_as_the_new_settings_say(open_store: OpenStore, server: Server) -> None:
    one = open_store()
    one.keep_until(lambda epoch: int(time.time()) + 100 * epoch)
    await one.secret(4, make=True)
    await one.add([Entry(4, NEWS, b"x")])
    keys = server.ask("KEYS", "*")
    assert isinstance(keys, list)
    assert all(300 < int(str(server.ask("TTL", key))) <= 400 for key in keys)


async def test_a_server_that_is_gone_is_away_and_is_found_again(tmp_path: Path) -> None:
    server = Server(tmp_path / "own").start().ready()
    one = RedisCampaigns(Reach(Store(backend="redis", url=server.url, timeout="30s"), "school"), lambda _: 2**31)
    try:
        secret = await one.secret(4, make=True)
        server.kill()
        with pytest.raises(CampaignsUnavailable):
            await one.read(4, NEWS, "")
        server.start().ready()
        assert await one.secret(4, make=True) == secret
    finally:
        await one.close()
        server.stop()


async def test_the_acl_line_of_the_page_lets_it_work_and_reach_nothing_else(server: Server, store: Store) -> None:
    page = (Path(__file__).parents[2] / "docs" / "redis.md").read_text("utf-8")
    line = next(text for text in page.splitlines() if text.startswith("ACL SETUSER"))
    server.ask(*line.replace("ORGANISATION", "school").replace("PASSWORD", "geheim").split())
    one, other = (
        RedisCampaigns(Reach(store, name, "bg-school", "geheim"), lambda _: 2**31) for name in ("school", "shop")
    )
    await one.secret(4, make=True)
    await one.add([Entry(4, NEWS, b"x")])
    assert (await one.read(4, NEWS, ""))[0] == [b"x"]
    with pytest.raises(CampaignsUnavailable):
        await other.secret(4, make=True)
    await one.close()
    await other.close()


def test_who_only_reads_may_ask_in_any_event_loop(store: Store) -> None:
    one = RedisCampaigns(Reach(store, "school"), lambda _: 2**31, read_only=True)

    async def made() -> bytes:
        writer = RedisCampaigns(Reach(store, "school"), lambda _: 2**31)
        secret = await writer.secret(4, make=True)
        await writer.close()
        return secret

    secret = asyncio.run(made())
    for _ in range(2):
        assert asyncio.run(one.secret(4, make=False)) == secret


async def test_a_cluster_keeps_an_organisation_on_one_node(tmp_path: Path) -> None:
    nodes = ThreeNodes.start(tmp_path)
    places = tuple(node.place for node in nodes.nodes)
    one = RedisCampaigns(Reach(Store(backend="redis", cluster=places, timeout="30s"), "school"), lambda _: 2**31)
    try:
        await one.secret(4, make=True)
        await one.add([Entry(4, NEWS, b"x")])
        assert (await one.read(4, NEWS, ""))[0] == [b"x"]
    finally:
        await one.close()
        nodes.stop()
