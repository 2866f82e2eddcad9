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
import random
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import machine, redis_store
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
_ASKED = 100  # look-ups of one person per size and round
_AGAIN = 20
_WEIGHED = 100_000  # people whose octets are counted
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


def redis(folder: Path) -> AbstractAsyncContextManager[PeopleRegistry]:
    """A new registry on a Redis of its own."""
    return redis_store.redis(folder, KEYS)


BACKENDS: Mapping[str, Backend] = {"sqlite": sqlite, "redis": redis}


@dataclass(frozen=True, slots=True)
class Filled:
    """A registry, how many it holds, and some of them in no order, who were not asked for yet."""

    registry: PeopleRegistry
    size: int
    people: list[Person]

    def strangers(self, number: int) -> list[Person]:
        """So many who were not asked for before."""
        if len(self.people) < number:
            raise SystemExit(f"{self.size:,} people are too few for so many rounds")
        taken, self.people[:] = self.people[-number:], self.people[:-number]
        return taken


async def fill(registry: PeopleRegistry, size: int, *, evidence: bool = True) -> Filled:
    """`size` people with one consent each, under random pseudonyms; some of them are kept to be asked for."""
    known: list[Person] = []
    step = max(1, size // 40_000)
    for first in range(1, size + 1, _LOAD):
        numbers = range(first, min(first + _LOAD, size + 1))
        states = [_state(n) for n in numbers]
        await registry.load(states, [_event(n) for n in numbers] if evidence else ())
        known += [Person(row.pseudonym, secrets.token_bytes(SIZE), layer=0) for row in states[::step]]
    await registry.load((), ())
    random.shuffle(known)
    return Filled(registry, size, known)


def _state(number: int) -> StateRow:
    consent = Consent(NEWSLETTER, 1_700_000_000 + number, number)
    return StateRow(secrets.token_bytes(SIZE), number, 0, pack(State(consents=(consent,))))


def _event(number: int) -> EventRow:
    evidence = (EVIDENCE.actor, EVIDENCE.channel, EVIDENCE.wording, EVIDENCE.proof)
    return EventRow(number, number, 1_700_000_000 + number, "consent", 3, 3, *evidence, None)


async def _seconds(registry: PeopleRegistry, asked: Sequence[Sequence[Person]]) -> float:
    """Of one look-up, on average."""
    began = time.perf_counter()
    for people in asked:
        await registry.facts(people)
    return (time.perf_counter() - began) / len(asked)


@dataclass(slots=True)
class Times:
    """Seconds by round, of which the least counts: one person and `BATCH` at once, for the first time and again."""

    one: list[float] = field(default_factory=list)
    one_again: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)
    many_again: list[float] = field(default_factory=list)

    async def measure(self, filled: Filled) -> None:
        singles = [[person] for person in filled.strangers(_ASKED)]
        batch = [filled.strangers(BATCH)]
        self.one.append(await _seconds(filled.registry, singles))
        self.one_again.append(await _seconds(filled.registry, singles))
        self.many.append(await _seconds(filled.registry, batch))
        self.many_again.append(await _seconds(filled.registry, batch * _AGAIN))

    def row(self, size: int, smallest: Times) -> str:
        one, again, many, many_again = (min(t) for t in (self.one, self.one_again, self.many, self.many_again))
        return (
            f"| {size:,} | {one * 1e6:.0f} | {one / min(smallest.one):.2f} | {many * 1e6:.0f} | {many / one:.0f} "
            f"| {again * 1e6:.1f} | {many_again * 1e6:.0f} | {many_again / again:.1f} |"
        )


async def growth(filled: Sequence[Filled], rounds: int) -> list[str]:
    """One person and 500, in registries of every size, by turns."""
    for f in filled:
        await Times().measure(f)  # warms pages and code
    times = {f.size: Times() for f in filled}
    for _ in range(rounds):
        for f in filled:
            await times[f.size].measure(f)
    smallest = times[filled[0].size]
    return [
        "| people | one, at first (us) | to the smallest | 500 (us) | to one | one, again (us) | 500 (us) | to one |",
        "|---|---|---|---|---|---|---|---|",
        *(times[f.size].row(f.size, smallest) for f in filled),
    ]


async def octets(whole: PeopleRegistry, bare: PeopleRegistry, people: int) -> str:
    """Octets per person: the same people with and without the events that tell where their state comes from."""
    all_of_it, state = [int((await r.status())["octets"]) / people for r in (whole, bare)]
    return f"octets per person: {state:.0f} of current state, {all_of_it - state:.0f} of evidence ({people:,} people)"


async def importing(registry: PeopleRegistry, rows: int) -> tuple[float, float]:
    """Rows per second of CPU of this process: from addresses on, and the recording alone."""
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

        async def new(called: str) -> PeopleRegistry:
            return await ends.enter_async_context(backend(folder / name / called))

        whole, recording = await importing(await new("import"), options.rows)
        bare = await fill(await new("bare"), _WEIGHED, evidence=False)
        weighed = await fill(await new("weighed"), _WEIGHED)
        filled = [await fill(await new(str(size)), size) for size in sizes]
        gc.freeze()
        return [
            name,
            "",
            *await growth(filled, options.rounds),
            "",
            await octets(weighed.registry, bare.registry, _WEIGHED),
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
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--people", type=int, nargs="+", default=list(SIZES), help="sizes to compare")
    parser.add_argument("--large", action="store_true", help=f"also {LARGE:,} people; some minutes and 3 GB of disk")
    parser.add_argument("--rows", type=int, default=100_000, help="rows to import")
    parser.add_argument("--folder", type=Path, help="where the registries are made; default: the system's")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
