"""Nodes that share a registry in Redis: each with a state folder and journals of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from gateway.config.store import Store
from gateway.registry.journal import Journal
from gateway.registry.opening import Owner
from gateway.registry.places import Places, places
from gateway.registry.protocol import Act
from gateway.registry.redis_primary import Reach
from gateway.registry.redis_registry import RedisRegistry
from tests.registry.conftest import KEYS

ADOPT = Act(5, "jan", "one more node", "adopt")
_NUMBERS = count(1)


@dataclass
class Nodes:
    """All registries that a test opens on one store."""

    folder: Path
    store: Store
    opened: list[RedisRegistry] = field(default_factory=list)

    def name(self) -> str:
        """An organisation that nobody has used yet."""
        return f"school-{next(_NUMBERS)}"

    def where(self, organisation: str, node: str = "one") -> Places:
        return places(self.folder / organisation / node, organisation)

    def open(self, organisation: str, node: str = "one", owner: Owner | None = None, **more: object) -> RedisRegistry:
        store = more.pop("store", self.store)
        assert isinstance(store, Store)
        made = RedisRegistry(
            Reach(store, organisation),
            self.where(organisation, node),
            owner or Owner(7, KEYS),
            **more,  # type: ignore[arg-type]
        )
        self.opened.append(made)
        return made

    async def made(self, organisation: str | None = None, **more: object) -> RedisRegistry:
        """A new registry."""
        registry = self.open(organisation or self.name(), **more)  # type: ignore[arg-type]
        await registry.init()
        return registry

    async def joined(self, organisation: str, node: str = "two", **more: object) -> RedisRegistry:
        """One more node."""
        registry = self.open(organisation, node, **more)  # type: ignore[arg-type]
        await registry.adopt(ADOPT)
        return registry

    def web(self, registry: RedisRegistry) -> Journal:
        return Journal.ensure(registry.session.places.web, organisation=7)

    def close(self) -> None:
        for registry in self.opened:
            registry.close()


def at_once(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Carry something out in a loop of its own, from within another one's turn."""
    with ThreadPoolExecutor(1) as hand:
        hand.submit(lambda: asyncio.run(work())).result()


def contract_fixtures(nodes: Nodes) -> Callable[..., RedisRegistry]:
    """`make_registry` of the contract."""
    names: dict[int, str] = {}

    def make(*, like: RedisRegistry | None = None) -> RedisRegistry:
        organisation = names[id(like)] if like is not None else nodes.name()
        if like is None:
            first = nodes.open(organisation)
            at_once(first.init)
            first.close()
        registry = nodes.open(organisation)
        names[id(registry)] = organisation
        return registry

    return make
