"""`briefgeheim registry import`: blocks, consents and facts from another program's export.

what:       options → terms; wrong rows on the screen and in a file; how far it is
takes→gives: a CSV file → counts as JSON on standard output
knows not:  CSV, events, SQL
fails by:   exit 2 for a file or mapping that cannot be read, 1 when rows were wrong or the registry is away
standard:   S-03, I-10
"""

from __future__ import annotations

import csv
import gc
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from gateway.cli.opening import DEFAULT_CONFIG, Config, wrong
from gateway.cli.registry_house import House, OrganisationName, house_of, run
from gateway.cli.registry_output import private_file
from gateway.cli.registry_progress import Progress, progress_on
from gateway.registry import importing, intake
from gateway.registry.mapping import Mapping, MappingRefused, load_mapping
from gateway.registry.protocol import PeopleRegistry
from gateway.registry.rows import Dialect
from gateway.registry.trial import Trial

_COLLECT_EVERY = 100_000  # objects; a commit of 5 000 rows holds about half of that
_SHOWN = 20  # wrong rows shown one by one
_ENCODINGS = ("utf-8", "latin-1", "windows-1252", "utf-16")
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
EncodingName = Annotated[str, typer.Option("--encoding", help=f"{', '.join(_ENCODINGS)}; default: found out.")]
DelimiterName = Annotated[str, typer.Option("--delimiter", help=f"{', '.join(_DELIMITERS)}; default: by the header.")]
Errors = Annotated[Path | None, typer.Option("--errors", help="Write every wrong row here: line, column, what.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and store nothing.")]


def command(
    file: Annotated[Path, typer.Argument(help="CSV with a header; see docs/importing.md.", exists=True)],
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    name: Annotated[str, typer.Option("--name", help="What to call this import; default: the file's name.")] = "",
    mapping: Annotated[Path | None, typer.Option("--mapping", help="Which columns say what, as YAML.")] = None,
    encoding: EncodingName = "",
    delimiter: DelimiterName = "",
    dry_run: DryRun = False,
    errors: Errors = None,
) -> None:
    """Add blocks, consents and facts from a CSV file. An import never lifts a block; importing again does no harm."""
    house = house_of(config, organisation)
    terms = importing.Terms(
        house.organisation,
        house.pseudonyms,
        name or file.stem.replace("@", "-"),
        int(time.time()),
        mapping=_mapping(mapping, house) if mapping else None,
        dialect=dialect(encoding, delimiter),
    )
    if mapping and (encoding or delimiter):
        wrong("--encoding, --delimiter: with a mapping they stand in it")
    done(file, carry_in(house, file, terms, dry_run=dry_run, errors=errors), {"dry_run": dry_run})


def dialect(encoding: str, delimiter: str) -> Dialect:
    """How the file is written, or exit 2."""
    if encoding not in ("", *_ENCODINGS):
        wrong(f"--encoding: expected one of {', '.join(_ENCODINGS)}")
    if delimiter not in ("", *_DELIMITERS):
        wrong(f"--delimiter: expected one of {', '.join(_DELIMITERS)}")
    return Dialect(encoding, _DELIMITERS.get(delimiter, ""))  # type: ignore[arg-type]  # both looked up just above


def carry_in(house: House, file: Path, terms: importing.Terms, *, dry_run: bool, errors: Path | None) -> intake.Summary:
    """Read the file into the registry, or into a trial of it."""
    with (
        file.open("rb") as stream,
        _complaints(file, errors) as complaints,
        progress_on(file.stat().st_size) as bar,
        few_collections(),
    ):
        lines = importing.read(stream, terms)

        async def act(registry: PeopleRegistry) -> intake.Summary:
            if not dry_run:
                return await intake.store(lines, registry, complaints.take, _teller(bar, stream))
            trial = Trial(registry)
            try:
                return await intake.store(lines, trial, complaints.take, _teller(bar, stream))
            finally:
                trial.close()

        return run(house, act)


@contextmanager
def few_collections() -> Iterator[None]:
    """Rows make many objects and no cycles: looking for cycles every 700 of them takes a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(_COLLECT_EVERY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def done(file: Path, summary: intake.Summary, more: dict[str, Any]) -> None:
    """Counts as JSON; exit 1 when something was left out as wrong."""
    print(json.dumps({**summary.to_json(), **more}))
    if summary.wrong:
        sys.stderr.write(f"{file}: {summary.wrong} wrong rows or parts of rows were left out\n")
        raise typer.Exit(1)


def _teller(bar: Progress, stream: BinaryIO) -> Callable[[intake.Summary], None]:
    return lambda summary: bar(stream.tell(), summary.stored + summary.known + summary.erased + summary.wrong)


def _mapping(path: Path, house: House) -> Mapping:
    try:
        return load_mapping(str(path), path.read_bytes(), house.organisation)
    except MappingRefused as error:
        wrong(*error.errors)
    except OSError as error:
        wrong(f"--mapping: cannot read {path}: {error.strerror}, expected a readable file")


@dataclass(slots=True)
class _Complaints:
    """Wrong rows: the first on the screen, all in a file where one is asked for."""

    file: Path
    write: Callable[[list[object]], object] = field(default=lambda row: None)
    told: int = 0

    def take(self, line: importing.Line) -> None:
        self.told += 1
        self.write([line.number, line.column, line.what])
        if self.told <= _SHOWN:
            sys.stderr.write(f"{self.file}:{line.number}: {line.error}\n")


@contextmanager
def _complaints(file: Path, errors: Path | None) -> Iterator[_Complaints]:
    if errors is None:
        complaints = _Complaints(file)
        yield complaints
    else:
        with private_file(errors, "--errors") as stream:
            writer = csv.writer(stream)
            writer.writerow(["line", "column", "what"])
            complaints = _Complaints(file, writer.writerow)
            yield complaints
    if complaints.told > _SHOWN:
        sys.stderr.write(f"{file}: {complaints.told} in all; the first {_SHOWN} are shown")
        sys.stderr.write(f", all are in {errors}\n" if errors else "; --errors FILE writes them all\n")
