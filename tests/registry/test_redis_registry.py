"""The contract of registries on a single Redis. The suite itself is in `contract.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.config.store import Store
from gateway.registry.journal import Journal
from gateway.registry.redis_registry import RedisRegistry
from tests.registry.contract import *  # noqa: F403 - every test of the suite
from tests.registry.redis_nodes import Nodes, contract_fixtures
from tests.registry.redis_server import Server

pytestmark = pytest.mark.needs("redis-server")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("redis")).start().ready()
    yield started
    started.stop()


@pytest.fixture
def nodes(server: Server, tmp_path: Path) -> Iterator[Nodes]:
    made = Nodes(tmp_path, Store(backend="redis", url=server.url))
    yield made
    made.close()


@pytest.fixture
def make_registry(nodes: Nodes) -> Callable[..., RedisRegistry]:
    return contract_fixtures(nodes)


@pytest.fixture
def web_journal(nodes: Nodes) -> Iterator[Callable[[RedisRegistry], Journal]]:
    journals: list[Journal] = []

    def of(registry: RedisRegistry) -> Journal:
        journals.append(nodes.web(registry))
        return journals[-1]

    yield of
    for journal in journals:
        journal.close()
