"""A new registry on a Redis of its own, for the benchmark.

takes→gives: a folder → a registry there, its server started and ended with it
fails by:   `SystemExit` where there is no redis-server
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from gateway.config.store import Store
from gateway.pseudonym import Pseudonyms
from gateway.registry.opening import Owner
from gateway.registry.places import places
from gateway.registry.protocol import PeopleRegistry, RegistryUnavailable
from gateway.registry.redis_registry import RedisRegistry
from gateway.registry.redis_session import Reach

_SAFE = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory-policy": "noeviction",
    "hash-max-listpack-value": "512",  # as docs/redis.md recommends
    "port": "0",
}


@asynccontextmanager
async def redis(folder: Path, keys: Pseudonyms) -> AsyncIterator[PeopleRegistry]:
    """A new registry on a single Redis with its data in this folder."""
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("redis-server is not installed")
    socket = folder / "redis.sock"
    server = await asyncio.to_thread(_start, program, folder, socket)
    store = Store(backend="redis", url=f"unix://{socket}", timeout=timedelta(minutes=1))
    registry = RedisRegistry(Reach(store, "bench"), places(folder, "bench"), Owner(7, keys))
    try:
        await _made(registry)
        yield registry
    finally:
        registry.close()
        server.kill()
        server.wait()


def _start(program: str, folder: Path, socket: Path) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True)
    options = {**_SAFE, "dir": str(folder), "unixsocket": str(socket), "save": ""}
    command = [program, *(word for name, value in options.items() for word in (f"--{name}", value))]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


async def _made(registry: RedisRegistry) -> None:
    for _ in range(200):
        try:
            return await registry.init()
        except RegistryUnavailable:
            await asyncio.sleep(0.05)
    raise SystemExit("redis-server does not answer")
