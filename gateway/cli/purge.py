"""`briefgeheim purge`: delete now what is past its term, or say what would go.

takes→gives: the settings, all stores → one line per class that has something past its term
knows not:  how a store deletes
fails by:   exit 2 for settings and keys, 1 for what could not be done
standard:   L-05, S-56
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from typing import Annotated

import typer

from gateway.app import retention
from gateway.app.compose import open_registries
from gateway.app.office import Office
from gateway.app.retention import House, Purged
from gateway.audit.protocol import AuditUnavailable
from gateway.cases.protocol import CasesUnavailable
from gateway.cli.opening import DEFAULT_CONFIG, Config, settings, wrong
from gateway.cli.registry_house import when
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.load import Loaded
from gateway.registry.protocol import RegistryUnavailable
from gateway.spool.shards import present


def command(
    config: Config = DEFAULT_CONFIG,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and delete nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per class.")] = False,
) -> None:
    """Delete what is past its term (`retention:` in the settings), with proof in the audit. The gateway may run."""
    loaded, now = settings(config), time.time()
    try:
        found = asyncio.run(_purge(loaded, now, dry=dry_run))
        if not dry_run:
            retention.remember(loaded.gateway.state, now)
    except CredentialsError as error:
        wrong(*error.errors)
    except (AuditUnavailable, RegistryUnavailable, CasesUnavailable, OSError) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None
    for item in found:
        print(_json(item, dry=dry_run) if as_json else _text(item, dry=dry_run))


async def _purge(loaded: Loaded, now: float, *, dry: bool) -> Sequence[Purged]:
    credentials = Credentials.of(loaded.gateway)
    office = Office(loaded, credentials)
    registries = open_registries(loaded, credentials, lambda _name, _seconds: None)
    cases = {o.name: office.cases(o) for o in loaded.organisations}
    houses = [House(o, credentials.pseudonyms(o), registries[o.name], cases[o.name]) for o in loaded.organisations]
    try:
        shards = [shard.database for shard in present(loaded.gateway.state / "spool")]
        return await retention.purge(houses, shards, now, dry=dry)
    finally:
        for name, registry in registries.items():
            registry.close()
            await cases[name].close()


def _before(item: Purged) -> str:
    return when(int(item.before)) if item.before > 0 else ""


def _text(item: Purged, *, dry: bool) -> str:
    term = f"before {_before(item)}" if _before(item) else "no term"
    oldest = f"; oldest left {when(int(item.oldest))}" if item.oldest is not None else ""
    return f"{item.organisation}  {item.data_class:10}  {item.count} {'would go' if dry else 'gone'}, {term}{oldest}"


def _json(item: Purged, *, dry: bool) -> str:
    return json.dumps(
        {
            "organisation": item.organisation, "class": item.data_class, "before": _before(item), "count": item.count,
            "oldest": item.oldest, "dry_run": dry,
        }
    )  # fmt: skip
