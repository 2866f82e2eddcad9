"""`briefgeheim registry copy`: an organisation's whole registry from SQLite to Redis, or back.

what:       options → a new registry with the same rows, proven, in the place of the old one
takes→gives: `--from` and `--to` → counts and digest as JSON on standard output
knows not:  SQL, Redis, rows
fails by:   exit 2 for settings and usage, 1 when the copy is not the same or a registry is away; nothing changed then
standard:   DESIGN §4 Redis; I-13
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Annotated

import typer

from gateway.cli.opening import DEFAULT_CONFIG, Config, wrong
from gateway.cli.registry_house import House, Operator, OrganisationName, Reason, house_of, named, trouble
from gateway.registry import node, opening, transfer
from gateway.registry.backend import open_shared
from gateway.registry.places import Places
from gateway.registry.protocol import Act, PeopleRegistry
from gateway.registry.redis_registry import RedisRegistry
from gateway.registry.sqlite import SQLiteRegistry
from gateway.registry.transfer import Figures, TransferRefused


def command(
    organisation: OrganisationName,
    source: Annotated[str, typer.Option("--from", help="sqlite or redis: where the registry is.")],
    target: Annotated[str, typer.Option("--to", help="redis or sqlite: where it goes. Nothing of it may be there.")],
    operator: Operator,
    reason: Reason,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Copy a whole registry to the other backend, compare both, put the new one in place. Stop the gateway first."""
    house = house_of(config, organisation)
    named(operator, reason)
    if {source, target} != {"sqlite", "redis"}:
        wrong("registry copy: expected --from sqlite --to redis, or --from redis --to sqlite")
    if house.gateway.registry.backend != "redis":
        wrong("registry copy: the settings do not say where Redis is; expected `registry:` with `backend: redis`")
    act = Act(int(time.time()), operator, reason, f"copy from {source} to {target}")
    with trouble():
        try:
            found = asyncio.run(_copy(house, to_redis=target == "redis", act=act))
        except TransferRefused as error:
            sys.stderr.write(f"{error}\n")
            raise typer.Exit(1) from None
    print(json.dumps({"people": found.states, "events": found.events, "sha256": found.digest}))
    for done in transfer.put_in_place(house.places):
        print(f"{organisation}: {done}")
    print(f"{organisation}: now set `backend: {target}` in `registry:` where it is not yet, and start the gateway")


async def _copy(house: House, *, to_redis: bool, act: Act) -> Figures:
    where = transfer.aside(house.places)
    await _clear(house, where)
    shared = open_shared(house.organisation, house.gateway, house.pseudonyms, where=where if to_redis else None)
    if to_redis:
        await shared.init()
    else:
        opening.init(where, house.owner)
    files = SQLiteRegistry(house.places if to_redis else where, house.owner)
    source: PeopleRegistry = files if to_redis else shared
    target: PeopleRegistry = shared if to_redis else files
    try:
        await source.ingest()
        found = await transfer.copy(source, target, _said)
        await target.act(act, None)
        web = transfer.web_mark(house.places, int((await source.status())["web"]))
        if to_redis:
            await shared.begin_behind(found.last, web)
        else:
            transfer.begin_behind(where, house.owner, found.last, web)
    finally:
        files.close()
        shared.close()
    return found


async def _clear(house: House, where: Places) -> None:
    """What a copy that was cut off left behind goes first, in Redis only if it is of that copy."""
    if node.load(where.node) is not None:
        left: RedisRegistry = open_shared(house.organisation, house.gateway, house.pseudonyms, where=where)
        try:
            await left.abandon()
        finally:
            left.close()
    transfer.clear(house.places)


def _said(done: int) -> None:
    sys.stderr.write(f"\r{done} rows" if sys.stderr.isatty() else "")
