"""`briefgeheim check-config`: read and check all settings, and with `--keys` all credentials, without starting.

takes→gives: the settings file → one line per error, or what was read
knows not:  running processes
fails by:   exit 2 on any error, which systemd does not restart
standard:   DESIGN §4 YAML
"""

from __future__ import annotations

import sys
import time
from typing import Annotated, NoReturn

import typer

from gateway.cli.opening import DEFAULT_CONFIG, Config
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.days import day_in
from gateway.config.load import Loaded, SettingsError, load
from gateway.config.observe_mode import notices
from gateway.config.organisation import Organisation
from gateway.config.policy_age import warning
from gateway.signing.dkim import Signer


def command(
    config: Config = DEFAULT_CONFIG,
    keys: Annotated[bool, typer.Option("--keys", help="Check keys, secrets and certificates too.")] = False,
) -> None:
    """Check all settings without starting anything. Exit code 2 when something is wrong."""
    try:
        loaded = load(config)
    except SettingsError as error:
        _stop(error.errors)
    if keys and (errors := _credentials(loaded)):
        _stop(errors)
    for notice in notices(loaded.organisations, time.time()):
        print(f"WARNING: {notice}", file=sys.stderr)
    for odd in _odd_dates(loaded, time.time()):
        print(f"WARNING: {odd}", file=sys.stderr)
    for item in loaded.organisations:
        print(f"{item.name}: {_summary(item)}")
    print(f"settings {loaded.version}: no errors")


def _odd_dates(loaded: Loaded, now: float) -> list[str]:
    """Policies that are dated in the future (S-38)."""
    found = []
    for item in loaded.organisations:
        today = day_in(item.time_zone, now)
        if today is not None and (odd := warning(item.controller, today)):
            found.append(f"{item.name}: controller.{odd}")
    return found


def _stop(errors: list[str]) -> NoReturn:
    for line in errors:
        print(line, file=sys.stderr)
    print(f"{len(errors)} error{'s' if len(errors) != 1 else ''}", file=sys.stderr)
    raise typer.Exit(2)


def _summary(item: Organisation) -> str:
    signed = sum(domain.dkim for domain in item.domains)
    return (
        f"{len(item.domains)} domains ({signed} signed), {len(item.clients)} clients, "
        f"{len(item.providers)} providers, {len(item.streams)} streams"
    )


def _credentials(loaded: Loaded) -> list[str]:
    store = Credentials.of(loaded.gateway)
    errors = store.check(loaded.organisations)
    for item in loaded.organisations:
        errors.extend(_weak_keys(store, item))
    for listener in loaded.gateway.listen:
        for path in (listener.certificate, listener.key):
            if path is not None and not path.is_file():
                errors.append(f"{path}: missing; expected a PEM file for listener {listener.name}")
    return errors


def _weak_keys(store: Credentials, item: Organisation) -> list[str]:
    errors = []
    for domain in item.domains:
        if not domain.dkim or not domain.selector:
            continue
        try:
            Signer(domain.domain, domain.selector, store.dkim(item.name, domain.selector, domain.domain))
        except CredentialsError:
            continue  # already among the errors of the folder
        except ValueError as error:
            errors.append(str(error))
    return errors
