"""`briefgeheim probe`: use the opt-out now, as a mail program would, and say what came of each step.

takes→gives: the settings, keys, registry → one line per step
knows not:  how a page answers
fails by:   exit 2 for settings and keys, 1 when the opt-out does not work
standard:   L-31
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from typing import Annotated

import typer

from gateway.app import probe
from gateway.app.compose import tenant
from gateway.app.probe import ProbeFailed, Step
from gateway.app.probe_gate import Findings, alone, place
from gateway.cli.opening import DEFAULT_CONFIG, Config, wrong
from gateway.cli.registry_house import House, house_of
from gateway.config.credentials import Credentials, CredentialsError
from gateway.registry.backend import open_registry
from gateway.registry.protocol import RegistryUnavailable


def command(
    organisation: Annotated[str, typer.Option("--organisation", help="Name of the organisation.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Use the opt-out link of a person who does not exist, and see the block in force. Success lets held mail go."""
    house = house_of(config, organisation)
    path = place(house.gateway.state, organisation)
    before, now = Findings.read(path), time.time()
    try:
        asyncio.run(_probe(house))
    except ProbeFailed as error:
        failed = replace(before, at=now, failures=before.failures + 1, step=error.step, why=error.why)
        failed.write(path)
        sys.stderr.write(f"{error.step}: FAILED: {error.why}\n")
        if failed.broken(house.organisation.probe):
            sys.stderr.write("mail with an opt-out link is held until a probe succeeds\n")
        raise typer.Exit(1) from None
    except CredentialsError as error:
        wrong(*error.errors)
    except RegistryUnavailable as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None
    Findings(at=now, passed=now).write(path)
    print("the opt-out works")


async def _probe(house: House) -> None:
    registry = open_registry(house.organisation, house.gateway, house.pseudonyms)
    try:
        made = tenant(house.organisation, Credentials.of(house.gateway), registry)
        async with alone(house.gateway.state, house.organisation.name):
            await probe.probe(made, time.time, _say)
    finally:
        registry.close()


def _say(step: Step) -> None:
    print(f"{step.name}: {step.found}")
