"""The fixtures of the contract for registries in Redis; a test file adds `store`, and the servers behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.config.store import Store
from gateway.registry.journal import Journal
from gateway.registry.redis_registry import RedisRegistry
from tests.registry.redis_nodes import Nodes, contract_fixtures


@pytest.fixture
def nodes(store: Store, tmp_path: Path) -> Iterator[Nodes]:
    made = Nodes(tmp_path, store)
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
