"""`briefgeheim registry match`: the organisation's own list goes in, flags come out.

what:       each row's line and address, and what is known about the person; nothing of it is stored
takes→gives: a CSV list → a CSV file
knows not:  CSV dialects, decisions, SQL
fails by:   exit 2 for a file or option that is wrong, 1 when the registry is away
standard:   DESIGN §4 "Who can name a person"; S-22, S-37, L-26; REQUIREMENTS 1c-1, 1c-5
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from gateway.cli.opening import DEFAULT_CONFIG, Config
from gateway.cli.registry_flags import Flags
from gateway.cli.registry_house import House, Operator, OrganisationName, Reason, house_of, named, run, trouble
from gateway.cli.registry_import import DelimiterName, EncodingName, dialect
from gateway.cli.registry_output import private_file
from gateway.cli.registry_progress import progress_on
from gateway.registry.matching import Entry, PeopleList, open_list
from gateway.registry.protocol import Act, PeopleRegistry

_BATCH = 1000
_RETURNS = 1_000_000
_T = TypeVar("_T")


def command(
    file: Annotated[Path, typer.Argument(help="CSV list with a column of addresses.", exists=True)],
    out: Annotated[Path, typer.Option("--out", help="Where the flags go; only its owner can read it.")],
    organisation: OrganisationName,
    operator: Operator,
    reason: Reason,
    config: Config = DEFAULT_CONFIG,
    column: Annotated[str, typer.Option("--column", help="Column of the addresses; default: by its name.")] = "",
    encoding: EncodingName = "",
    delimiter: DelimiterName = "",
) -> None:
    """Say of each person on your own list what is known and may be sent. Nothing is stored but that you asked."""
    house = house_of(config, organisation)
    named(operator, reason)
    now = int(time.time())
    with trouble(), file.open("rb") as stream, progress_on(file.stat().st_size) as bar:
        people = open_list(stream, dialect(encoding, delimiter), column, house.pseudonyms)
        act = Act(now, operator, reason, "match")

        with private_file(out, "--out") as written:
            rows, wrong = _flagged(house, people, act, csv.writer(written).writerow, lambda n: bar(stream.tell(), n))
    print(f"{rows} rows, {wrong} without a usable address")
    if wrong:
        sys.stderr.write(f"{file}: {wrong} rows without a usable address; column problem of {out} says which\n")


def _flagged(
    house: House, people: PeopleList, act: Act, write: Callable[[list[Any]], object], tell: Callable[[int], None]
) -> tuple[int, int]:
    """Rows written, and how many of them name nobody."""
    flags = Flags(house.organisation, act.at)

    async def look(registry: PeopleRegistry) -> tuple[int, int]:
        await registry.act(act, None)
        waiting = {pending.person for pending in await registry.returns(_RETURNS)}
        write(["line", people.column, "problem", *flags.columns])
        rows = wrong = 0
        for batch in _batches(people, _BATCH):
            for row in await _rows(registry, flags, waiting, batch):
                write(row)
            rows += len(batch)
            wrong += sum(entry.person is None for entry in batch)
            tell(rows)
        return rows, wrong

    return run(house, look)


async def _rows(registry: PeopleRegistry, flags: Flags, waiting: set[bytes], batch: list[Entry]) -> list[list[Any]]:
    asked = [entry.person for entry in batch if entry.person is not None]
    facts = iter(await registry.facts(asked))
    found: list[list[Any]] = []
    for entry in batch:
        cells = [""] * len(flags.columns)
        if entry.person is not None:
            cells = flags.cells(next(facts), pending=entry.person.exact in waiting)
        found.append([entry.number, entry.address, entry.problem, *cells])
    return found


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch
