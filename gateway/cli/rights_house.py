"""What every `briefgeheim rights …` command starts with: one organisation's cases, registry, effects, and errors.

what:       the options they share, an open `Desk` for as long as one command runs, and how trouble ends it
takes→gives: options → `Desk`; text from a file or standard input
knows not:  which command it is
fails by:   `typer.Exit`: 2 for settings and usage, 1 for what could not be done, with one line on standard error
standard:   I-7, S-66
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
from gateway.app.office import Office
from gateway.cases.protocol import CaseChanged, CasesUnavailable, NoSuchCase
from gateway.cli.opening import settings, wrong
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.organisation import Organisation
from gateway.facts import Scope
from gateway.pseudonym import Pseudonyms
from gateway.registry.protocol import RegistryUnavailable
from gateway.registry.scopes import parse_scope
from gateway.rights.deadlines import BadDate
from gateway.rights.desk import Desk, DeskRefused
from gateway.rights.protocol import EffectRefused
from gateway.spool.protocol import SpoolUnavailable

_T = TypeVar("_T")
_LARGEST = 1024 * 1024  # octets of a text
_REFUSALS = (
    CaseChanged,
    CasesUnavailable,
    DeskRefused,
    EffectRefused,
    NoSuchCase,
    RegistryUnavailable,
    SpoolUnavailable,
)

Number = Annotated[int, typer.Argument(help="Number of the case.", min=1)]
OrganisationName = Annotated[str, typer.Option("--organisation", help="Name of the organisation.")]
Operator = Annotated[str, typer.Option("--operator", help="Who does this.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with it.")]
TextFile = Annotated[str, typer.Option("--text-file", help="File with the text; - reads standard input.")]


@dataclass(frozen=True, slots=True)
class House:
    """One organisation as settings and keys give it."""

    office: Office
    organisation: Organisation
    pseudonyms: Pseudonyms

    def address(self, text: str, option: str) -> Address:
        try:
            return Address.parse(text)
        except InvalidAddress as error:
            wrong(f"{option}: {error}")

    def scope(self, text: str) -> Scope | None:
        try:
            return parse_scope(text, self.organisation) if text else None
        except ValueError as error:
            wrong(f"--scope: {error}")


def house_of(config: Path, name: str, operator: str | None = None) -> House:
    """The organisation `name`, or exit 2 with those that there are; an operator, where one is needed, has a name."""
    if operator is not None and not operator.strip():
        wrong("--operator: expected the name of who does this")
    loaded = settings(config)
    found = next((o for o in loaded.organisations if o.name == name), None)
    if found is None:
        wrong(f"--organisation: expected one of {', '.join(o.name for o in loaded.organisations)}")
    credentials = Credentials.of(loaded.gateway)
    try:
        return House(Office(loaded, credentials), found, credentials.pseudonyms(found))
    except CredentialsError as error:
        wrong(*error.errors)


def run(house: House, act: Callable[[Desk], Coroutine[Any, Any, _T]]) -> _T:
    """Carry out `act` at the organisation's desk."""

    async def whole() -> _T:
        async with house.office.desk(house.organisation.name, time.time) as desk:
            return await act(desk)

    with trouble():
        return asyncio.run(whole())


@contextmanager
def trouble() -> Iterator[None]:
    """What a person can do something about ends the command with one line."""
    try:
        yield
    except CredentialsError as error:
        wrong(*error.errors)
    except BadDate as error:
        wrong(f"--received: {error}")
    except _REFUSALS as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None


def text_of(file: str) -> str:
    """The text of a file, of standard input for `-`, or "" for no file. UTF-8, at most a mebibyte."""
    if not file:
        return ""
    try:
        octets = sys.stdin.buffer.read(_LARGEST + 1) if file == "-" else Path(file).read_bytes()
        if len(octets) > _LARGEST:
            wrong(f"--text-file {file}: larger than 1 MiB")
        return octets.decode("utf-8-sig").replace("\r\n", "\n").strip()
    except OSError as error:
        wrong(f"--text-file {file}: {error.strerror}")
    except UnicodeDecodeError:
        wrong(f"--text-file {file}: expected UTF-8 text")
