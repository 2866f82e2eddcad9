"""`briefgeheim receipt`: what is behind the receipt number that the opt-out page shows, and whether it was honoured.

takes→gives: receipt number → when what was stopped, what was sent since; never an address
knows not:  who the person is
fails by:   exit 2 for settings, usage and what is no receipt; 1 for a journal or registry in trouble
standard:   L-42; S-05, S-40 (the look is recorded)
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Annotated

import typer

from gateway.audit.protocol import AuditRow, AuditUnavailable
from gateway.audit.reading import AuditReader
from gateway.cli.opening import DEFAULT_CONFIG, Config, wrong
from gateway.cli.registry_house import House, Operator, OrganisationName, Reason, house_of, named, when
from gateway.pseudonym import Person
from gateway.registry.backend import open_registry
from gateway.registry.journal import Journal
from gateway.registry.protocol import Act, RegistryUnavailable
from gateway.registry.record import JournalDamaged, Record
from gateway.registry.scopes import scope_text
from gateway.spool.shards import present

_NUMBER = re.compile(r"([1-9][0-9]{0,17})-([0-9a-f]{6})")


def command(
    number: Annotated[str, typer.Argument(help="Receipt number, as the page showed it.")],
    organisation: OrganisationName,
    operator: Operator,
    reason: Reason,
    config: Config = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Find the opt-out behind a receipt: when it was stored, what it stops, what was sent and stopped since."""
    named(operator, reason)
    house = house_of(config, organisation)
    try:
        found = _record(house, number)
        person = found.person(house.pseudonyms)
        ingested = asyncio.run(_look(house, Act(int(time.time()), operator, reason, f"receipt {number}"), person))
        since = Counter(row.what for row in _rows(house, person) if row.at >= found.at)
    except (JournalDamaged, RegistryUnavailable, AuditUnavailable, OSError) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None
    said = {
        "receipt": number,
        "stored": when(int(found.at)),
        "stops": scope_text(found.scope, house.organisation),
        "in_registry": int(number.partition("-")[0]) <= ingested,
        "since": dict(sorted(since.items())),
    }
    print(json.dumps(said) if as_json else "\n".join(_text(said, since)))


def _record(house: House, number: str) -> Record:
    """The record of the page's journal that the number names."""
    match = _NUMBER.fullmatch(number.strip())
    if match is None:
        wrong(f"{number!r}: expected a receipt number, as 12-a1b2c3")
    try:
        journal = Journal.open(house.places.web, write=False)
    except FileNotFoundError:
        wrong(f"the page of {house.organisation.name} never stored an opt-out here")
    try:
        if journal.head.identity[:3].hex() != match[2]:
            wrong(f"{number}: not a receipt of {house.organisation.name}, or of a journal that is no longer here")
        record = _at(journal, int(match[1]))
        last = journal.end.position
    finally:
        journal.close()
    return record or wrong(f"{number}: no such receipt; the last is {last}-{match[2]}")


def _at(journal: Journal, wanted: int) -> Record | None:
    """Record number `wanted`, with the chain up to it checked; None behind the last one."""
    position = 0
    for batch in journal.follow(journal.head.start):
        if position + len(batch) >= wanted:
            return batch[wanted - position - 1]
        position += len(batch)
    return None


async def _look(house: House, act: Act, person: Person) -> int:
    """Record the look; gives up to which receipt the registry has taken the journal in."""
    registry = open_registry(house.organisation, house.gateway, house.pseudonyms)
    try:
        await registry.act(act, person)
        return int((await registry.status())["web"])
    finally:
        registry.close()


def _rows(house: House, person: Person) -> Iterator[AuditRow]:
    reader = AuditReader([shard.database for shard in present(house.gateway.state / "spool")])
    for pseudonym in person.every_exact:
        yield from (row for row in reader.by_person(pseudonym) if row.organisation == house.organisation.name)


def _text(said: dict[str, object], since: Counter[str]) -> Iterator[str]:
    yield f"receipt {said['receipt']}: opt-out of {said['stops']}, stored {said['stored']}"
    yield "  in force from then on: every decision reads the journal it is in, right before MAIL FROM"
    yield f"  in the registry: {'yes' if said['in_registry'] else 'not yet'}"
    done = ", ".join(f"{number} {what}" for what, number in sorted(since.items()))
    yield f"  since then: {done or 'nothing in the audit under this pseudonym'}"
