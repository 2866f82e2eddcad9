"""What every `briefgeheim registry …` command starts with: one organisation's settings, keys, registry, and errors.

what:       the options they share, `House`, and how trouble ends a command
takes→gives: options → an open registry for as long as one command runs
knows not:  which command it is
fails by:   `typer.Exit`: 2 for settings and usage, 1 for what could not be done, with one line on standard error
standard:   I-7 (a typed address becomes a pseudonym at once)
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from gateway.address import Address, InvalidAddress
from gateway.cli.opening import settings, wrong
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.gateway import Gateway
from gateway.config.organisation import Organisation
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry import opening
from gateway.registry.backend import open_registry
from gateway.registry.events import InvalidEvent
from gateway.registry.faults import as_registry_errors
from gateway.registry.places import Places, places
from gateway.registry.protocol import PeopleRegistry, RegistryUnavailable
from gateway.registry.rows import ImportRefused

_T = TypeVar("_T")
OrganisationName = Annotated[str, typer.Option("--organisation", help="Name of the organisation.")]
To = Annotated[str, typer.Option("--to", help="The person's mail address; never stored.")]
Operator = Annotated[str, typer.Option("--operator", help="Who does this.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with it.")]


@dataclass(frozen=True, slots=True)
class House:
    """One organisation as the settings give it."""

    organisation: Organisation
    pseudonyms: Pseudonyms
    gateway: Gateway

    @property
    def places(self) -> Places:
        return places(self.gateway.state, self.organisation.name, self.gateway.web_folder)

    @property
    def owner(self) -> opening.Owner:
        return opening.Owner(self.organisation.id, self.pseudonyms)

    def person(self, text: str) -> Person:
        try:
            return self.pseudonyms.person(Address.parse(text))
        except InvalidAddress as error:
            wrong(f"--to: {error}")


def house_of(config: Path, name: str) -> House:
    """The organisation `name`, or exit 2 with those that there are."""
    loaded = settings(config)
    try:
        organisation = loaded.organisation(name)
    except KeyError:
        wrong(f"--organisation: expected one of {', '.join(o.name for o in loaded.organisations)}")
    try:
        pseudonyms = Credentials.of(loaded.gateway).pseudonyms(organisation)
    except CredentialsError as error:
        wrong(*error.errors)
    return House(organisation, pseudonyms, loaded.gateway)


def run(house: House, act: Callable[[PeopleRegistry], Coroutine[Any, Any, _T]]) -> _T:
    """Carry out `act` on the organisation's registry."""
    with trouble():
        registry = open_registry(house.organisation, house.gateway, house.pseudonyms)
        try:
            return asyncio.run(act(registry))
        finally:
            registry.close()


@contextmanager
def trouble() -> Iterator[None]:
    """Errors that a person can do something about, as one line and an exit code."""
    try:
        with as_registry_errors():
            yield
    except (InvalidEvent, ImportRefused, opening.RegistryExists) as error:
        wrong(str(error))
    except (RegistryUnavailable, OSError) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None


def named(operator: str, reason: str) -> None:
    """Exit 2 unless somebody says who does this and why."""
    if not operator.strip() or not reason.strip():
        wrong("this needs --operator NAME and --reason TEXT")
    if "@" in operator or "@" in reason:
        wrong("--operator, --reason: no mail addresses; they would stay")


def when(at: int) -> str:
    """Unix seconds for people, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
