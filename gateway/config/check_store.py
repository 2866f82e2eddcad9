"""Checks of `registry:`: one way to Redis, named completely, and nothing of Redis where SQLite is meant.

takes→gives: `Gateway` → findings (place, "what is wrong, what is expected")
knows not:  files, sockets, Redis
fails by:   nothing: findings are values
standard:   DESIGN §4 Redis
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.config.gateway import Gateway
from gateway.config.source import Loc
from gateway.config.store import Store

Finding = tuple[Loc, str]

_PLACE = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
_SCHEMES = ("redis", "rediss", "unix")


def check_store(settings: Gateway) -> Iterator[Finding]:
    """Everything in `registry:` that one key alone cannot tell."""
    store = settings.registry
    if store.backend == "sqlite":
        yield from _nothing_of_redis(store)
        return
    yield from _one_way(store)
    yield from _url(store)
    for key in ("sentinels", "cluster"):
        for index, place in enumerate(getattr(store, key)):
            found = _PLACE.fullmatch(place)
            if found is None or not 0 < int(found[2]) < 65536:
                yield ("registry", key, index), f"is {place!r}, expected HOST:PORT"
    yield from _sentinels(store)
    if store.username is not None and not store.password:
        yield ("registry", "username"), "without a password, expected `password: yes` with it"
    if store.ca is not None and not store.tls and not (store.url or "").startswith("rediss:"):
        yield ("registry", "ca"), "without TLS, expected `tls: yes` with it"


def _nothing_of_redis(store: Store) -> Iterator[Finding]:
    for key in ("url", "sentinels", "service", "cluster", "username", "password", "tls", "ca", "accept_loss"):
        if getattr(store, key):
            yield ("registry", key), "is for Redis, expected `backend: redis` with it"


def _one_way(store: Store) -> Iterator[Finding]:
    ways = [key for key in ("url", "sentinels", "cluster") if getattr(store, key)]
    if len(ways) != 1:
        found = " and ".join(ways) or "none"
        yield ("registry",), f"{found} given, expected exactly one of url, sentinels and cluster"


def _url(store: Store) -> Iterator[Finding]:
    if store.url is None:
        return
    try:
        parts = urlsplit(store.url)
        there = bool(parts.path if parts.scheme == "unix" else parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        parts, there = urlsplit(""), False
    if parts.scheme not in _SCHEMES or not there:
        yield ("registry", "url"), "expected redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH"
    elif parts.username or parts.password:
        yield ("registry", "url"), "holds a password, expected it in the credential ORGANISATION.redis"
    elif parts.query:
        yield ("registry", "url"), "has options behind `?`, expected them as keys of their own"


def _sentinels(store: Store) -> Iterator[Finding]:
    if store.sentinels and not store.service:
        yield ("registry", "service"), "missing, expected the name that the Sentinels know the primary by"
    if store.service and not store.sentinels:
        yield ("registry", "service"), "without sentinels, expected `sentinels:` with it"
