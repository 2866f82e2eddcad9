"""The way to the primary that holds one organisation, wherever it is at the moment, within one event loop.

what:       finds it (by name, through Sentinel, through the Cluster's slots), connects, runs scripts there
takes→gives: settings → `Reach` → connections to one primary; a script with keys and arguments → its answer
knows not:  people, rows, trust
fails by:   errors of redis-py and `OSError` (the caller maps them with `redis_faults`)
standard:   DESIGN §4 Redis: reads from the primary only; Redis Cluster specification, key slots

All keys of an organisation lie in one slot, so a Cluster, too, has exactly one primary for it. It is found anew after
every error that could mean that it is another one by now; a command is never sent twice by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.connection import HiredisRespSerializer
from redis.crc import key_slot

from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.gateway import Gateway
from gateway.config.store import Store

Argument = bytes | str | int
_KEPT = 4  # clients given up whose last callers may still be at work
_ELSEWHERE = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.AskError,
    exceptions.ClusterDownError,
    OSError,
)
_SENTINEL: Any = Sentinel  # untyped
_CONNECTIONS = 16  # per process and organisation; more callers wait their turn
_PORT = 6379


class _Packed:
    """Packs commands in C, as redis-py does in connections without a loop: a batch has tens of thousands of values."""

    _serializer = HiredisRespSerializer()

    def pack_command(self, *args: Any) -> Any:
        return self._serializer.pack(*args)


class _Tcp(_Packed, Connection):
    pass


class _Tls(_Packed, SSLConnection):
    pass


class _Unix(_Packed, UnixDomainSocketConnection):
    pass


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the Redis of an organisation is, and how to get in."""

    store: Store
    organisation: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, organisation: str, gateway: Gateway) -> tuple[Reach, str]:
        """As the settings say, and what is missing among the credentials ("" for nothing)."""
        store, password, why = gateway.registry, None, ""
        if store.password:
            try:
                password = Credentials.of(gateway).redis_password(organisation)
            except CredentialsError as error:
                why = error.errors[0]
        username = store.username and store.username.replace("{organisation}", organisation)
        return cls(store, organisation, username, password), why

    @property
    def tag(self) -> str:
        """What all keys of the organisation begin with: a hash tag, so that they lie in one slot (I-12)."""
        return f"{{{self.store.prefix}:{self.organisation}}}:"

    def primary(self) -> Primary:
        """The way there for one event loop."""
        return Primary(self.store, self.username, self.password, self.tag)


class Primary:
    """One loop's connections. `password` and the Sentinels' as the credentials have them, or None."""

    def __init__(self, store: Store, username: str | None, password: str | None, key: str) -> None:
        self._store = store
        self._login: dict[str, Any] = {"username": username, "password": password} if password else {}
        self._slot = key_slot(key.encode())
        self._timeout = store.timeout.total_seconds()
        self._client: Redis | None = None
        self._old: list[Redis] = []
        self._place: tuple[str, int] | None = None
        self._finding = asyncio.Lock()
        self._digests: dict[str, str] = {}

    async def client(self) -> Any:
        """A client of the present primary (`redis.asyncio.Redis`, which is only partly typed)."""
        if self._client is None:
            async with self._finding:
                if self._client is None:
                    self._client = await self._find()
                while len(self._old) > _KEPT:
                    await self._old.pop(0).aclose()
        return self._client

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        """The script's answer."""
        client = await self.client()
        with self._noticing(client):
            try:
                return await client.execute_command("EVALSHA", await self._digest(script), len(keys), *keys, *arguments)
            except exceptions.NoScriptError:
                self._digests.clear()  # restarted, failed over or flushed: nothing was run
                return await client.execute_command("EVALSHA", await self._digest(script), len(keys), *keys, *arguments)

    async def change(self, script: str, keys: Sequence[str], arguments: Sequence[Argument]) -> tuple[Any, int]:
        """The script's answer, and how many replicas have it: asked on the same connection, where it counts."""
        if not self._store.copies:
            return await self.run(script, keys, arguments), 0
        try:
            return await self._change(script, keys, arguments)
        except exceptions.NoScriptError:
            self._digests.clear()
            return await self._change(script, keys, arguments)

    async def moved(self) -> bool:
        """Whether the Sentinels or the Cluster name another primary by now than the one that is used."""
        if self._place is None or self._client is None:
            return False
        return await self._named() != self._place

    async def ask(self, *command: Argument) -> Any:
        """One plain command's answer."""
        client = await self.client()
        with self._noticing(client):
            return await client.execute_command(*command)

    @contextmanager
    def _noticing(self, client: Any) -> Iterator[None]:
        """After an error that another primary might not give, that one is looked for."""
        try:
            yield
        except _ELSEWHERE:
            if self._client is client:
                self.forget()
            raise

    def forget(self) -> None:
        """Find the primary anew the next time. Callers that are still talking to the old one end by themselves."""
        if self._client is not None:
            self._old.append(self._client)
        self._client, self._place = None, None
        self._digests.clear()

    async def close(self) -> None:
        """Close all connections; cut off, it can be called again."""
        self.forget()
        await self.tidy()

    async def tidy(self) -> None:
        """Close what `forget` left behind."""
        for client in list(self._old):
            await client.aclose()
            self._old.remove(client)

    async def _change(self, script: str, keys: Sequence[str], arguments: Sequence[Argument]) -> tuple[Any, int]:
        client = await self.client()
        digest = await self._digest(script)
        with self._noticing(client):
            return await self._both(client, digest, keys, arguments)

    async def _both(
        self, client: Any, digest: str, keys: Sequence[str], arguments: Sequence[Argument]
    ) -> tuple[Any, int]:
        async with client.pipeline(transaction=False) as both:
            both.execute_command("EVALSHA", digest, len(keys), *keys, *arguments)
            both.execute_command("WAIT", self._store.copies, int(self._timeout * 500))
            answer, copies = await both.execute()
        return answer, int(copies)

    async def _digest(self, script: str) -> str:
        if script not in self._digests:
            digest = await (await self.client()).script_load(script)
            self._digests[script] = digest.decode() if isinstance(digest, bytes) else str(digest)
        return self._digests[script]

    async def _find(self) -> Redis:
        if self._store.url is not None:
            return self._by_url(self._store.url)
        self._place = await self._named()
        return self._connected(host=self._place[0], port=self._place[1])

    async def _named(self) -> tuple[str, int]:
        return await (self._from_sentinels() if self._store.sentinels else self._from_cluster())

    async def _from_sentinels(self) -> tuple[str, int]:
        options = self._options(tls=self._store.tls)
        asked: Any = _SENTINEL([_split(place) for place in self._store.sentinels], sentinel_kwargs=options)
        try:
            host, port = await asked.discover_master(str(self._store.service))
        finally:
            for sentinel in asked.sentinels:
                await sentinel.aclose()
        return _text(host), int(port)

    async def _from_cluster(self) -> tuple[str, int]:
        """Any node knows all; the first one that answers is asked."""
        failed: Exception | None = None
        for place in self._store.cluster:
            host, port = _split(place)
            seed: Any = self._connected(host=host, port=port)
            try:
                slots = await seed.execute_command("CLUSTER SLOTS")
                return _owner(slots, self._slot, host)
            except (exceptions.ConnectionError, exceptions.TimeoutError, OSError) as error:
                failed = error
            finally:
                await seed.aclose()
        raise failed or exceptions.ConnectionError("no node of the Cluster answers")

    def _by_url(self, url: str) -> Redis:
        parts = urlsplit(url)
        if parts.scheme == "unix":
            return self._pooled(_Unix, path=parts.path, **self._login)
        database = parts.path.strip("/")
        return self._connected(
            host=parts.hostname, port=parts.port or _PORT, db=int(database or 0), secure=parts.scheme == "rediss"
        )

    def _connected(self, *, secure: bool = False, **place: Any) -> Redis:
        tls = secure or self._store.tls
        return self._pooled(_Tls if tls else _Tcp, **place, **self._tls(tls), **self._login)

    def _pooled(self, connection: Any, **options: Any) -> Redis:
        pool = BlockingConnectionPool(
            max_connections=_CONNECTIONS, timeout=self._timeout, connection_class=connection, **self._times(), **options
        )
        client: Redis = Redis.from_pool(pool)
        return client

    def _options(self, *, tls: bool) -> dict[str, Any]:
        return {**self._times(), **({"ssl": True, **self._tls(tls)} if tls else {})}

    def _tls(self, tls: bool) -> dict[str, Any]:
        return {"ssl_ca_certs": str(self._store.ca)} if tls and self._store.ca else {}

    def _times(self) -> dict[str, Any]:
        """No command is repeated by itself: a change that was made twice would be two."""
        return {
            "socket_timeout": self._timeout,
            "socket_connect_timeout": self._timeout,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
        }


def _owner(slots: Any, slot: int, asked: str) -> tuple[str, int]:
    for first, last, primary, *_ in slots:
        if first <= slot <= last:
            return _text(primary[0]) or asked, int(primary[1])  # a node that knows no address of its own says ""
    raise exceptions.ClusterDownError("no node of the Cluster has the organisation's slot")


def _split(place: str) -> tuple[str, int]:
    host, _, port = place.rpartition(":")
    return host.strip("[]"), int(port)


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
