"""What the registry costs, as ratios within one run: batches, growth, size, import.

usage:      python -m bench.registry [--rounds N] [--people N ...] [--large] [--folder DIR]
what:       registries of several sizes side by side, asked by turns; batches of events into a new one
takes→gives: options → a table on standard output, as it stands in RESULTS.md
knows not:  any backend beyond its name in `BACKENDS`
standard:   DESIGN §6: ratios within one run, never an absolute time
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import machine
from gateway.address import Address
from gateway.facts import Consent, Scope, ScopeKind
from gateway.pseudonym import SIZE, Person, Pseudonyms
from gateway.registry import opening
from gateway.registry.opening import Owner
from gateway.registry.places import places
from gateway.registry.protocol import Event, EventKind, EventRow, Evidence, PeopleRegistry, StateRow
from gateway.registry.sqlite import SQLiteRegistry
from gateway.registry.state import State, pack

KEYS = Pseudonyms((b"b" * 32,))
NEWSLETTER = Scope(ScopeKind.LIST, 3)
EVIDENCE = Evidence("import:bench", "form", "v1", "old list, row 7")
SIZES = (10_000, 100_000, 1_000_000)
LARGE = 10_000_000
BATCH = 500  # recipients of one mail
IMPORT = 5_000  # rows per commit
_ASKED = 200  # look-ups of one person per size and round
_BATCHES = 20
_LOAD = 20_000  # rows per call while a registry is filled

Backend = Callable[[Path], AbstractAsyncContextManager[PeopleRegistry]]


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[PeopleRegistry]:
    """A new registry on SQLite in this folder."""
    where, owner = places(folder, "bench"), Owner(7, KEYS)
    opening.init(where, owner)
    registry = SQLiteRegistry(where, owner)
    try:
        yield registry
    finally:
        registry.close()


BACKENDS: Mapping[str, Backend] = {"sqlite": sqlite}


@dataclass(frozen=True, slots=True)
class Filled:
    """A registry, how many it holds, some of them, and octets per person of current state and of evidence."""

    registry: PeopleRegistry
    size: int
    people: Sequence[Person]


async def fill(registry: PeopleRegistry, size: int) -> Filled:
    """`size` people with one consent each, under random pseudonyms; every so many of them are kept to be asked for."""
    known: list[Person] = []
    step = max(1, size // 20_000)
    for first in range(1, size + 1, _LOAD):
        numbers = range(first, min(first + _LOAD, size + 1))
        states = [_state(n) for n in numbers]
        await registry.load(states, [_event(n) for n in numbers])
        known += [Person(row.pseudonym, secrets.token_bytes(SIZE), layer=0) for row in states[::step]]
    await registry.load((), ())
    return Filled(registry, size, known)


def _state(number: int) -> StateRow:
    consent = Consent(NEWSLETTER, 1_700_000_000 + number, number)
    return StateRow(secrets.token_bytes(SIZE), number, 0, pack(State(consents=(consent,))))


def _event(number: int) -> EventRow:
    evidence = (EVIDENCE.actor, EVIDENCE.channel, EVIDENCE.wording, EVIDENCE.proof)
    return EventRow(number, number, 1_700_000_000 + number, "consent", 3, 3, *evidence, None)


async def look_up(filled: Filled, batch: int, times: int) -> float:
    """Seconds of one look-up of `batch` random people, on average over `times`."""
    asked = [[secrets.choice(filled.people) for _ in range(batch)] for _ in range(times)]
    began = time.perf_counter()
    for people in asked:
        await filled.registry.facts(people)
    return (time.perf_counter() - began) / times


async def growth(filled: Sequence[Filled], rounds: int) -> list[str]:
    """One person and 500, in registries of every size, by turns."""
    one: dict[int, list[float]] = {f.size: [] for f in filled}
    many: dict[int, list[float]] = {f.size: [] for f in filled}
    for _ in range(rounds + 1):
        for f in filled:
            one[f.size].append(await look_up(f, 1, _ASKED))
            many[f.size].append(await look_up(f, BATCH, _BATCHES))
    lines = ["| people | one person (us) | to the smallest | 500 at once (us) | 500 to one |", "|---|---|---|---|---|"]
    smallest = median(one[filled[0].size][1:])
    for f in filled:
        single, batch = median(one[f.size][1:]), median(many[f.size][1:])  # the first round warms
        ratio, spread = single / smallest, batch / single
        lines.append(f"| {f.size:,} | {single * 1e6:.0f} | {ratio:.2f} | {batch * 1e6:.0f} | {spread:.1f} |")
    return lines


async def size_of(registry: PeopleRegistry, people: int) -> str:
    """Octets per person, as the backend counts them: all, and evidence apart."""
    status = await registry.status()
    total = int(status["octets"])
    evidence = int(status.get("evidence", 0))
    return f"octets per person: {(total - evidence) / people:.0f} of current state, {evidence / people:.0f} of evidence"


async def importing(registry: PeopleRegistry, rows: int) -> tuple[float, float]:
    """Rows per second of CPU of this process: pseudonyms made and events recorded; and the events alone."""
    began, recorded = time.process_time(), 0.0
    for first in range(0, rows, IMPORT):
        batch = list(_imported(range(first, first + IMPORT)))
        before = time.process_time()
        await registry.record(batch)
        recorded += time.process_time() - before
    return rows / (time.process_time() - began), rows / recorded


def _imported(numbers: range) -> Iterator[Event]:
    for number in numbers:
        person = KEYS.person(Address.parse(f"reader.{number}@example.nl"))
        yield Event(EventKind.CONSENT, person, 1_700_000_000 + number, EVIDENCE, NEWSLETTER)


async def measure(name: str, backend: Backend, folder: Path, options: argparse.Namespace) -> list[str]:
    sizes = sorted({*options.people, LARGE} if options.large else options.people)
    async with AsyncExitStack() as ends:
        new = await ends.enter_async_context(backend(folder / name / "import"))
        whole, recording = await importing(new, options.rows)
        filled = []
        for size in sizes:
            registry = await ends.enter_async_context(backend(folder / name / str(size)))
            filled.append(await fill(registry, size))
        gc.freeze()
        octets = await size_of(filled[-1].registry, filled[-1].size)
        return [
            f"{name}",
            "",
            *await growth(filled, options.rounds),
            "",
            f"{octets} ({filled[-1].size:,} people)",
            f"import, rows per second of CPU: {whole:,.0f} from addresses on; {recording:,.0f} of recording alone",
        ]


def main() -> int:
    options = _options()
    lines = [*machine.described(), f"command   python -m bench.registry {' '.join(sys.argv[1:])}".rstrip(), ""]
    sys.stdout.write("\n".join(lines) + "\n")
    with tempfile.TemporaryDirectory(prefix="briefgeheim-bench-", dir=options.folder) as folder:
        for name, backend in BACKENDS.items():
            found = asyncio.run(measure(name, backend, Path(folder), options))
            sys.stdout.write("\n".join(found) + "\n\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.registry")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--people", type=int, nargs="+", default=list(SIZES), help="sizes to compare")
    parser.add_argument("--large", action="store_true", help=f"also {LARGE:,} people; some minutes and 3 GB of disk")
    parser.add_argument("--rows", type=int, default=100_000, help="rows to import")
    parser.add_argument("--folder", type=Path, help="where the registries are made; default: the system's")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
