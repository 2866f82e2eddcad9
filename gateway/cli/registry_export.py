"""`briefgeheim registry export`: all people of an organisation, by pseudonym.

what:       states, events or both, as JSON Lines or CSV
takes→gives: options → a file that only its owner can read
knows not:  what states and events hold, SQL
fails by:   exit 2 for options that do not go together, 1 when the registry is away
standard:   I-7 (no address is in it); S-03, L-09
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import AsyncIterator, Callable
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from gateway.cli.opening import DEFAULT_CONFIG, Config, wrong
from gateway.cli.registry_house import Operator, OrganisationName, Reason, house_of, named, run
from gateway.cli.registry_output import private_file
from gateway.config.organisation import Organisation
from gateway.registry.exporting import EVENT_COLUMNS, STATE_COLUMNS, Record, events, states
from gateway.registry.protocol import Act, PeopleRegistry


class What(Enum):
    """What to write."""

    STATES = "states"
    EVENTS = "events"
    BOTH = "both"


class Form(Enum):
    """How to write it."""

    JSONL = "jsonl"
    CSV = "csv"


def command(
    out: Annotated[Path, typer.Option("--out", help="Where it goes; only its owner can read it.")],
    organisation: OrganisationName,
    operator: Operator,
    reason: Reason,
    config: Config = DEFAULT_CONFIG,
    what: Annotated[What, typer.Option("--what", help="Who is in force now, what happened, or both.")] = What.STATES,
    form: Annotated[Form, typer.Option("--format", help="CSV holds one of both.")] = Form.JSONL,
) -> None:
    """Write all people of the organisation by pseudonym, and note who asked and why."""
    house = house_of(config, organisation)
    named(operator, reason)
    if what is What.BOTH and form is Form.CSV:
        wrong("--what both: does not fit into one CSV file, expected --format jsonl, or states and events apart")
    act = Act(int(time.time()), operator, reason, f"export {what.value}")
    with private_file(out, "--out") as file:
        write = _writer(file, form, what)
        rows = run(house, lambda registry: _write(registry, house.organisation, act, what, write))
    print(f"{rows} rows")


async def _write(
    registry: PeopleRegistry, organisation: Organisation, act: Act, what: What, write: Callable[[str, Record], None]
) -> int:
    await registry.act(act, None)
    rows = 0
    for word, source in _sources(registry, organisation, what):
        async for record in source:
            write(word, record)
            rows += 1
    return rows


def _sources(
    registry: PeopleRegistry, organisation: Organisation, what: What
) -> list[tuple[str, AsyncIterator[Record]]]:
    found = []
    if what is not What.EVENTS:
        found.append(("state", states(registry, organisation)))
    if what is not What.STATES:
        found.append(("event", events(registry, organisation)))
    return found


def _writer(file: TextIO, form: Form, what: What) -> Callable[[str, Record], None]:
    if form is Form.JSONL:
        return lambda word, record: print(json.dumps({"type": word, **record}, ensure_ascii=False), file=file)
    table = csv.writer(file)
    columns = STATE_COLUMNS if what is What.STATES else EVENT_COLUMNS
    table.writerow(columns)
    return lambda word, record: table.writerow([_cell(record[name]) for name in columns]) and None


def _cell(value: Any) -> Any:
    """Lists and mappings as JSON; an empty one as nothing."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return "" if value is False else value
