"""`briefgeheim rights export`: everything about one person as files, for that person or for an authority.

what:       options → a folder with JSON, CSV and a page; the look, and what was given to an authority, on record first
knows not:  how a dossier is gathered or written
fails by:   exit 2 for settings and usage (a legal export without ground, a folder that is not empty), 1 for trouble
standard:   GDPR 15, 20; S-39, S-64, L-15; I-7
"""

from __future__ import annotations

import asyncio
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gateway.address import Address
from gateway.app.spools import Spools
from gateway.cli.opening import DEFAULT_CONFIG, Config, wrong
from gateway.cli.rights_house import House, Operator, OrganisationName, Reason, house_of, trouble
from gateway.pseudonym import Person
from gateway.registry.protocol import Act, Event, EventKind, Evidence
from gateway.rights.dossier import Dossier, Sources, gather
from gateway.rights.export import ExportRefused, Profile, check_folder, files, write
from gateway.rights.export_text import LANGUAGES
from gateway.rights.retained import LEGAL

Language = StrEnum("Language", {name: name for name in LANGUAGES})  # type: ignore[misc]


def command(
    to: Annotated[str, typer.Option("--to", help="The person's mail address; never stored.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write to: not there yet, or empty.")],
    operator: Operator,
    reason: Reason,
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    profile: Annotated[Profile, typer.Option("--profile", help="access: all; portability: what they gave; legal.")] = (
        Profile.ACCESS
    ),
    authority: Annotated[str, typer.Option("--authority", help="legal: who gets it; into the share ledger.")] = "",
    ground: Annotated[str, typer.Option("--ground", help="legal: law and article, or order.")] = "",
    language: Annotated[Language | None, typer.Option("--language", help="Of the page.")] = None,
) -> None:
    """Write all that is held about one person into a folder: JSON, CSV and a page to read."""
    _named(operator=operator, reason=reason)
    if profile is Profile.LEGAL:
        _named(authority=authority, ground=ground)
    elif authority or ground:
        wrong("--authority, --ground: belong to --profile legal only")
    house = house_of(config, organisation, operator)
    address = house.address(to, "--to")
    person = house.pseudonyms.person(address)
    now = int(time.time())
    events = [_given(person, authority, ground, operator, now)] if profile is Profile.LEGAL else []
    act = Act(now, operator, reason, f"export {profile.value}")
    with trouble():
        try:
            check_folder(out)
            dossier = asyncio.run(_gather(house, person, address, act, events, language.value if language else ""))
            content = files(dossier, profile)
            write(out, content)
        except (ExportRefused, OSError) as error:
            wrong(f"--out: {error}")
    print(f"{out}: {len(content)} files, profile {profile.value}")
    if not dossier.known:
        print("nothing is known about this address here; the export says so")


async def _gather(
    house: House, person: Person, address: Address, act: Act, events: list[Event], language: str
) -> Dossier:
    """What is done with the data is on record before anybody sees it."""
    office, organisation = house.office, house.organisation
    registry, store = office.registry(organisation), office.cases(organisation)
    try:
        await registry.act(act, person)
        if events:
            await registry.record(events)
        sources = Sources(
            organisation, registry, Spools(office.loaded, office.credentials, {}).by_person, await store.cases()
        )
        return await gather(sources, person, address.reveal(), act.at, language)
    finally:
        registry.close()
        await store.close()


def _given(person: Person, authority: str, ground: str, operator: str, now: int) -> Event:
    """The entry of the share ledger (S-39)."""
    detail = {"third_party": authority, "message": "", "purpose": LEGAL, "ground": ground}
    return Event(EventKind.SHARED, person, now, Evidence(f"operator:{operator}", "export", "", ground), detail=detail)


def _named(**values: str) -> None:
    for name, value in values.items():
        if not value.strip():
            wrong(f"--{name}: expected a text; it is recorded")
        if "@" in value:
            wrong(f"--{name}: no mail address in it; it would stay")
