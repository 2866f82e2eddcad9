"""How many rows a second an import reads and stores, per second of CPU of one process.

usage:      python -m bench.imports [--rows N] [--folder DIR]
what:       our own columns, then a CRM's export by a mapping, every row with its own address, time and proof; reading
            alone, a dry run, the import itself, and the same file again
knows not:  networks, terminals
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path

from bench import machine
from gateway.cli.registry_import import few_collections
from gateway.config.load import load
from gateway.config.organisation import Organisation
from gateway.pseudonym import Pseudonyms
from gateway.registry import intake, opening
from gateway.registry.importing import Line, Terms, read
from gateway.registry.mapping import load_mapping
from gateway.registry.opening import Owner
from gateway.registry.places import places
from gateway.registry.sqlite import SQLiteRegistry
from gateway.registry.trial import Trial

NOW = 1_790_000_000
KEYS = Pseudonyms((b"k" * 32,))
OWN = "address,kind,scope,at,channel,wording,proof\n"
CRM = "Naam;E-mail;Nieuwsbrief;Sinds;Formulier\n"
MAPPING = b"""
dates: ["%d-%m-%Y %H:%M:%S"]
address: E-mail
events:
  - when: {column: Nieuwsbrief, equals: ja}
    kind: consent
    scope: SCOPE
    at: {column: Sinds}
    channel: form
    wording: v1
    proof: {column: Formulier}
"""


def own_file(rows: int, scope: str) -> bytes:
    line = "person%d.x@example%d.nl,consent,%s,2024-01-%02dT10:%02d:%02d,form,v1,form %d\n"
    return (OWN + "".join(line % (n, n % 500, scope, *_when(n), n) for n in range(rows))).encode()


def crm_file(rows: int) -> bytes:
    line = "Jansen;person%d.x@example%d.nl;ja;%02d-01-2024 10:%02d:%02d;form %d\n"
    return (CRM + "".join(line % (n, n % 500, *_when(n), n) for n in range(rows))).encode()


def _when(number: int) -> tuple[int, int, int]:
    return number % 28 + 1, number % 60, number // 60 % 60


def measured(what: str, rows: int, work: Callable[[], int]) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    with few_collections():
        done = work()
    took, used = time.perf_counter() - began, time.process_time() - cpu
    assert done == rows, f"{what}: {done} of {rows} rows"
    cost = f"{rows / used:9,.0f} rows/s of CPU  {used / rows * 1e6:6.1f} us each"
    sys.stdout.write(f"{what:34} {cost}  {rows / took:9,.0f} /s\n")


def complain(line: Line) -> None:
    raise AssertionError(f"line {line.number}: {line.error}")


def measure(folder: Path, organisation: Organisation, rows: int) -> None:
    scope = f"list:{organisation.lists[0].name}"
    mapping = load_mapping("bench", MAPPING.replace(b"SCOPE", scope.encode()), organisation)
    files = {
        "our own columns": (own_file(rows, scope), Terms(organisation, KEYS, "bench", NOW)),
        "a CRM's, by a mapping": (crm_file(rows), Terms(organisation, KEYS, "bench", NOW, mapping=mapping)),
    }
    for number, (name, (content, terms)) in enumerate(files.items()):
        sys.stdout.write(f"{name}\n")
        where, owner = places(folder / str(number), organisation.name), Owner(organisation.id, KEYS)
        opening.init(where, owner)
        registry = SQLiteRegistry(where, owner)
        measured("  reading alone", rows, partial(_read, content, terms))
        measured("  dry run", rows, partial(_carry, content, terms, Trial(registry), "stored"))
        measured("  import", rows, partial(_carry, content, terms, registry, "stored"))
        measured("  the same file again", rows, partial(_carry, content, terms, registry, "known"))
        registry.close()


def _read(content: bytes, terms: Terms) -> int:
    return sum(line.event is not None for line in read(BytesIO(content), terms))


def _carry(content: bytes, terms: Terms, store: intake.Store, count: str) -> int:
    summary = asyncio.run(intake.store(read(BytesIO(content), terms), store, complain))
    return int(getattr(summary, count))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--rows", type=int, default=100_000)
    arguments.add_argument("--folder", type=Path, default=None, help="where to store; default a temporary folder")
    given = arguments.parse_args()
    organisation = load(Path(__file__).parents[1] / "config" / "gateway.yaml", []).organisations[0]
    sys.stdout.write("\n".join(machine.described()) + "\n")
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        measure(Path(folder), organisation, given.rows)


if __name__ == "__main__":
    main()
