"""`briefgeheim registry node …`: the nodes that share a registry in Redis.

what:       who they are and whether they checked their journals since Redis last began; retiring one that is no more
takes→gives: options → lines on standard output
knows not:  Redis, journals
fails by:   exit 2 for settings and usage, 1 when the registry is away
standard:   I-13
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

import typer

from gateway.cli.opening import DEFAULT_CONFIG, Config, wrong
from gateway.cli.registry_house import House, Operator, OrganisationName, Reason, house_of, named, trouble
from gateway.registry.backend import open_shared
from gateway.registry.protocol import Act
from gateway.registry.redis_registry import RedisRegistry

app = typer.Typer(help="The nodes that share a registry in Redis.", no_args_is_help=True)
_T = TypeVar("_T")


@app.command("list")
def listing(organisation: OrganisationName, config: Config = DEFAULT_CONFIG) -> None:
    """Every node that ever wrote, by the identity of its block journal; this one has a star."""
    house = house_of(config, organisation)

    async def look(registry: RedisRegistry) -> None:
        own = (await registry.status())["node"]
        for row in await registry.nodes():
            print(f"{'*' if row.journal == own else ' '} {row.journal} {row.position} blocks, {row.state}")

    _run(house, look)


@app.command("retire")
def retire(
    journal: Annotated[str, typer.Argument(help="First six or more digits of the node's journal in `node list`.")],
    organisation: OrganisationName,
    operator: Operator,
    reason: Reason,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Wait no longer for a node. Blocks that only its journal still has are lost until it comes back."""
    house = house_of(config, organisation)
    named(operator, reason)
    act = Act(int(time.time()), operator, reason, "retire node")
    print(f"{organisation}: retired {_run(house, lambda registry: registry.retire(journal, act))}")


def _run(house: House, act: Callable[[RedisRegistry], Coroutine[Any, Any, _T]]) -> _T:
    if house.gateway.registry.backend != "redis":
        wrong("registry node: this registry is in SQLite, on this machine alone")
    with trouble():
        registry = open_shared(house.organisation, house.gateway, house.pseudonyms)
        try:
            return asyncio.run(act(registry))
        finally:
            registry.close()
