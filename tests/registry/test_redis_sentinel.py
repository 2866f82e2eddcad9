"""The contract of registries behind Sentinel, and what a failover may not lose."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config.store import Store
from gateway.facts import Facts
from gateway.registry.protocol import EventKind, RegistryMistrusted, RegistryUnavailable
from gateway.registry.redis_registry import RedisRegistry
from tests.registry.conftest import LIST, OTHER_LIST, event, person
from tests.registry.contract import *  # noqa: F403 - every test of the suite
from tests.registry.redis_contract import *  # noqa: F403 - and what it needs
from tests.registry.redis_nodes import Nodes
from tests.registry.redis_server import Pair, until

pytestmark = pytest.mark.needs("redis-server")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    started = Pair.start(tmp_path_factory.mktemp("redis"))
    yield started
    started.stop()


@pytest.fixture
def store(pair: Pair) -> Store:
    return Store(backend="redis", sentinels=(pair.sentinel.place,), service="people", timeout="30s")


async def test_what_is_acknowledged_is_with_the_replica(pair: Pair, nodes: Nodes) -> None:
    registry = await nodes.made()
    await registry.record([event(EventKind.OPT_OUT, person(), LIST)])
    offset = pair.primary.info("replication")["master_repl_offset"]
    assert int(str(pair.replica.info("replication")["slave_repl_offset"])) >= int(str(offset)) - 200


async def test_without_the_replica_no_write_counts(pair: Pair, nodes: Nodes) -> None:
    registry = await nodes.made(store=nodes.store.model_copy(update={"timeout": nodes.store.timeout / 15}))
    pair.replica.freeze(frozen=True)
    try:
        with pytest.raises(RegistryUnavailable, match="replicas"):
            await registry.record([event(EventKind.OPT_OUT, person(), LIST)])
    finally:
        pair.replica.freeze(frozen=False)
    assert (await registry.facts([person()]))[0].blocks


async def test_i13_a_primary_that_lost_its_replica_may_be_one_no_more_and_is_not_believed(
    pair: Pair, nodes: Nodes
) -> None:
    registry = await nodes.made()
    assert await registry.facts([person()])
    pair.primary.ask("CONFIG", "SET", "min-replicas-max-lag", "1")
    pair.replica.freeze(frozen=True)
    try:
        until(lambda: pair.primary.info("replication")["min_slaves_good_slaves"] == 0)
        with pytest.raises(RegistryUnavailable, match="too few replicas"):
            await registry.facts([person()])
    finally:
        pair.replica.freeze(frozen=False)
        pair.primary.ask("CONFIG", "SET", "min-replicas-max-lag", "10")
        until(lambda: pair.primary.info("replication")["min_slaves_good_slaves"] == 1)
    assert await registry.facts([person()])


async def test_a_failover_that_loses_acknowledged_blocks_answers_nothing_until_every_node_replayed(
    tmp_path: Path,
) -> None:
    pair = Pair.start(tmp_path / "servers", down_after=300)
    careless = Store(
        backend="redis", sentinels=(pair.sentinel.place,), service="people", accept_loss=True, timeout="10s"
    )
    nodes = Nodes(tmp_path, careless)
    try:
        one = await nodes.made("school")
        two = await nodes.joined("school")
        await one.record([event(EventKind.CONSENT, person(), LIST)])
        for server in (pair.primary, pair.replica):
            server.ask("CONFIG", "SET", "min-replicas-to-write", "0")
        until(lambda: "online" in str(pair.primary.info("replication")["slave0"]))
        pair.replica.freeze(frozen=True)
        await one.record([event(EventKind.OPT_OUT, person("lost"), LIST)])
        await two.record([event(EventKind.OPT_OUT, person("lost"), OTHER_LIST)])
        two.close()  # a node that is away
        pair.primary.kill()
        pair.replica.freeze(frozen=False)
        until(pair.failed_over)
        with pytest.raises(RegistryMistrusted, match="have not checked their journals"):
            await _answer(one)
        found = (await _answer(nodes.open("school", "two")))[0]
        assert {b.scope for b in found.blocks} == {LIST, OTHER_LIST}
        assert {b.scope for b in (await one.facts([person("lost")]))[0].blocks} == {LIST, OTHER_LIST}
    finally:
        nodes.close()
        pair.stop()


async def _answer(registry: RedisRegistry) -> list[Facts]:
    """Ask until the new primary is found and checked, as delivery does; what is unavailable is no answer."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            return await registry.facts([person("lost")])
        except RegistryUnavailable as error:
            if "have not checked" in str(error):
                raise
            last = str(error)
        await asyncio.sleep(0.05)
    raise AssertionError(last)
