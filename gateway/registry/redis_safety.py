"""Settings of Redis under which a registry would forget: refused at the start, and watched afterwards.

what:       what the server says about eviction, its append-only file and its replicas
takes→gives: a client and `Store` → one line per setting that is unsafe
knows not:  people, keys
fails by:   errors of redis-py (the caller maps them)
standard:   DESIGN §4 Redis; I-13
"""

from __future__ import annotations

from typing import Any

from redis import exceptions

from gateway.config.store import Store

_NEEDED = "maxmemory-policy", "appendonly", "appendfsync", "min-replicas-to-write"
_FORBIDDEN = (
    "CONFIG GET is not allowed, so nobody knows whether acknowledged writes are kept: allow `+config|get` "
    "to the ACL user, or set `accept_loss: yes`"
)


async def unsafe(client: Any, store: Store) -> list[str]:
    """What must be changed, in Redis or (loss only) by accepting it. Empty when all is as it must be."""
    memory = await _info(client, "memory")
    statistics = await _info(client, "stats")
    found = list(_eviction(memory, statistics))
    if not store.accept_loss:
        found += await _loss(client, store)
    return found


def _eviction(memory: dict[str, Any], statistics: dict[str, Any]) -> list[str]:
    """An evicted row is a forgotten block; nobody can accept that."""
    found = []
    policy = memory.get("maxmemory_policy")
    if policy != "noeviction":
        found.append(f"maxmemory-policy is {policy}, expected noeviction")
    if int(statistics.get("evicted_keys", 0)):
        found.append("Redis has evicted keys since it was started, expected none: restore them and restart Redis")
    return found


async def _loss(client: Any, store: Store) -> list[str]:
    try:
        settings = {name: await _setting(client, name) for name in _NEEDED}
    except exceptions.NoPermissionError:
        return [_FORBIDDEN]
    except exceptions.ResponseError:
        return [_FORBIDDEN]  # some services have no CONFIG at all
    found = []
    if settings["appendonly"] != "yes":
        found.append(f"appendonly is {settings['appendonly']}, expected yes (or `accept_loss: yes`)")
    elif settings["appendfsync"] != "always":
        found.append(f"appendfsync is {settings['appendfsync']}, expected always (or `accept_loss: yes`)")
    if not store.alone and int(settings["min-replicas-to-write"] or 0) < 1:
        found.append("min-replicas-to-write is 0, expected 1 or more (or `accept_loss: yes`)")
    return found


async def _setting(client: Any, name: str) -> str:
    found = await client.execute_command("CONFIG GET", name)
    pairs = found.items() if isinstance(found, dict) else zip(found[::2], found[1::2], strict=True)
    for key, value in pairs:
        if _text(key) == name:
            return _text(value)
    return ""


async def _info(client: Any, section: str) -> dict[str, Any]:
    found: dict[str, Any] = await client.info(section)
    return found


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
