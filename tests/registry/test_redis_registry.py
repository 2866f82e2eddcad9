"""The contract of registries on a single Redis. The suite itself is in `contract.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.config.store import Store
from tests.registry.contract import *  # noqa: F403 - every test of the suite
from tests.registry.redis_contract import *  # noqa: F403 - and what it needs
from tests.registry.redis_server import Server

pytestmark = pytest.mark.needs("redis-server")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("redis")).start().ready()
    yield started
    started.stop()


@pytest.fixture
def store(server: Server) -> Store:
    return Store(backend="redis", url=server.url, timeout="30s")
