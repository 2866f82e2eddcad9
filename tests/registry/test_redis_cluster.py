"""The contract of registries in a Redis Cluster, where every organisation has its slot on one of three primaries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.config.store import Store
from gateway.registry.protocol import EventKind, RegistryUnavailable
from tests.registry.conftest import LIST, event, person
from tests.registry.contract import *  # noqa: F403 - every test of the suite
from tests.registry.redis_contract import *  # noqa: F403 - and what it needs
from tests.registry.redis_nodes import Nodes
from tests.registry.redis_server import ThreeNodes

pytestmark = pytest.mark.needs("redis-server")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreeNodes]:
    started = ThreeNodes.start(tmp_path_factory.mktemp("redis"))
    yield started
    started.stop()


@pytest.fixture
def store(cluster: ThreeNodes) -> Store:
    # Without replicas no Cluster keeps what it acknowledged.
    return Store(
        backend="redis", cluster=tuple(node.place for node in cluster.nodes[:2]), accept_loss=True, timeout="30s"
    )


async def test_organisations_lie_on_different_primaries_and_each_in_one_slot(cluster: ThreeNodes, nodes: Nodes) -> None:
    for _ in range(6):
        registry = await nodes.made()
        await registry.record([event(EventKind.OPT_OUT, person(f"p{n}"), LIST) for n in range(30)])
        assert all(f.blocks for f in await registry.facts([person(f"p{n}") for n in range(30)]))
    sizes = [int(str(node.ask("DBSIZE"))) for node in cluster.nodes]
    assert sum(size > 0 for size in sizes) > 1


async def test_a_registry_is_found_again_when_its_slot_moves_to_another_primary(
    cluster: ThreeNodes, nodes: Nodes
) -> None:
    organisation = nodes.name()
    registry = await nodes.made(organisation)
    await registry.record([event(EventKind.OPT_OUT, person(), LIST)])
    slot = int(str(cluster.nodes[0].ask("CLUSTER", "KEYSLOT", f"{{bg:{organisation}}}:id")))
    source = next(n for n in cluster.nodes if int(str(n.ask("CLUSTER", "COUNTKEYSINSLOT", slot))) > 0)
    target = next(n for n in cluster.nodes if n is not source)
    _move(cluster, source, target, slot)
    with pytest.raises(RegistryUnavailable, match="MOVED"):
        await registry.facts([person()])
    registry.trouble()
    await registry.settled()
    assert (await registry.facts([person()]))[0].blocks
    await registry.record([event(EventKind.OPT_OUT, person("bert"), LIST)])


def _move(cluster: ThreeNodes, source, target, slot: int) -> None:
    names = {id(n): str(n.ask("CLUSTER", "MYID"), "ascii") for n in (source, target)}
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", names[id(source)])
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", names[id(target)])
    while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
        source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
    for node in (target, source, *cluster.nodes):
        node.ask("CLUSTER", "SETSLOT", slot, "NODE", names[id(target)])
