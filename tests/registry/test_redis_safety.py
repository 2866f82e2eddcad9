"""Settings of Redis that would lose something are refused; what may be accepted, and what may not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis.asyncio import Redis

from gateway.config.store import Store
from gateway.registry.redis_safety import unsafe
from tests.registry.redis_server import Server

pytestmark = pytest.mark.needs("redis-server")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("redis")).start().ready()
    yield started
    started.stop()


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    yield running
    for name, value in (("appendonly", "yes"), ("appendfsync", "always"), ("maxmemory-policy", "noeviction")):
        running.ask("CONFIG", "SET", name, value)


async def found(server: Server, *, user: str | None = None, **store: object) -> list[str]:
    client = Redis(unix_socket_path=str(server.socket), username=user, password="geheim" if user else None)
    try:
        return await unsafe(client, Store(backend="redis", **{"url": server.url, **store}))
    finally:
        await client.aclose()


async def test_a_safe_server_has_nothing_to_mend(server):
    assert await found(server) == []


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("appendonly", "no", "appendonly is no, expected yes"),
        ("appendfsync", "everysec", "appendfsync is everysec, expected always"),
        ("appendfsync", "no", "appendfsync is no, expected always"),
    ],
)
async def test_what_loses_acknowledged_writes_is_refused_unless_accepted(server, name, value, told):
    server.ask("CONFIG", "SET", name, value)
    (line,) = await found(server)
    assert line.startswith(told)
    assert await found(server, accept_loss=True) == []


async def test_replicas_must_be_asked_for_where_a_failover_can_happen(server):
    (line,) = await found(server, url=None, cluster=("127.0.0.1:1",))
    assert line.startswith("min-replicas-to-write is 0, expected 1 or more")
    assert await found(server, url=None, cluster=("127.0.0.1:1",), accept_loss=True) == []


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "allkeys-random"])
async def test_eviction_is_refused_even_where_loss_is_accepted(server, policy):
    server.ask("CONFIG", "SET", "maxmemory-policy", policy)
    (line,) = await found(server, accept_loss=True)
    assert line == f"maxmemory-policy is {policy}, expected noeviction"


async def test_a_server_that_does_not_say_its_settings_is_refused_with_what_it_needs(server):
    server.ask("ACL", "SETUSER", "shy", "on", ">geheim", "~*", "+@all", "-config")
    (line,) = await found(server, user="shy")
    assert "`+config|get`" in line
    assert "`accept_loss: yes`" in line
    assert await found(server, user="shy", accept_loss=True) == []
