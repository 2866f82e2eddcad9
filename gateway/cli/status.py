"""`briefgeheim status`: per organisation, what an officer looks at first.

takes→gives: the settings, what the workers last found → lines or JSON
knows not:  people, mail
fails by:   exit 2 for settings; what cannot be read is said in its line
standard:   S-38, L-26, L-31
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Annotated

import typer

from gateway.app.office import Office
from gateway.app.probe_gate import Findings, place, switched_off
from gateway.app.retention import last_purge
from gateway.cases.protocol import CasesUnavailable
from gateway.cli.opening import DEFAULT_CONFIG, Config, settings
from gateway.cli.registry_house import when
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.days import day_in
from gateway.config.load import Loaded
from gateway.config.organisation import Organisation
from gateway.config.policy_age import age, warning
from gateway.rights.breach import CLOSED


def command(
    config: Config = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per organisation.")] = False,
) -> None:
    """Say per organisation how old its policy is, whether the opt-out works, and what waits in the breach register."""
    loaded, now = settings(config), time.time()
    for organisation in loaded.organisations:
        found = {
            "organisation": organisation.name,
            **_policy(organisation, now),
            "opt_out": _probe(loaded, organisation, now),
            "open_breaches": _breaches(loaded, organisation),
            "purged": _purged(loaded),
            "trackers": loaded.trackers.version.isoformat(),
        }
        print(json.dumps(found, ensure_ascii=False) if as_json else _text(found))


def _policy(organisation: Organisation, now: float) -> dict[str, object]:
    """The date of the stored policy, how old it is, and a warning where that is odd (S-38)."""
    controller = organisation.controller
    today = day_in(organisation.time_zone, now)
    if today is None:
        return {"policy_date": controller.policy_date.isoformat()}
    found: dict[str, object] = {
        "policy_date": controller.policy_date.isoformat(), "policy_days": age(controller, today)
    }  # fmt: skip
    odd = warning(controller, today)
    return {**found, "warning": odd} if odd else found


def _probe(loaded: Loaded, organisation: Organisation, now: float) -> str:
    found = Findings.read(place(loaded.gateway.state, organisation.name))
    if not organisation.probe.run or switched_off(loaded.gateway.state):
        return "not probed"
    if not found.at:
        return "not probed yet"
    if not found.failures:
        return f"works, probed {(now - found.at) / 3600:.1f} hours ago"
    held = "; mail with a link is held" if found.broken(organisation.probe) else ""
    return f"FAILS since {found.failures} probes ({found.step}: {found.why}){held}"


def _breaches(loaded: Loaded, organisation: Organisation) -> int | str:
    async def count() -> int:
        store = Office(loaded, Credentials.of(loaded.gateway)).cases(organisation)
        try:
            return sum(b.state != CLOSED for b in await store.breach_list())
        finally:
            await store.close()

    if not (loaded.gateway.state / "cases" / f"{organisation.name}.sqlite").exists():
        return 0  # looking must not make the file
    try:
        return asyncio.run(count())
    except (CredentialsError, CasesUnavailable) as error:
        return f"cannot be read: {type(error).__name__}"


def _purged(loaded: Loaded) -> str:
    at = last_purge(loaded.gateway.state)
    return when(int(at)) if at else "never"


def _text(found: dict[str, object]) -> str:
    lines = [f"{found['organisation']}"]
    lines += [f"  {name.replace('_', ' ')}: {value}" for name, value in found.items() if name != "organisation"]
    return "\n".join(lines)
