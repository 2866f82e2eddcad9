"""Storing what an import file holds, in batches, and counting.

what:       what is new goes in, what is known already is left out, wrong rows are told with their line
takes→gives: lines → `Summary`
knows not:  CSV, addresses
fails by:   `RegistryUnavailable`; batches before it are kept, and importing the file again goes on where it ended
standard:   S-03, I-10; L-35 (an erased person who comes back is the source's fault, and told)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.facts import Facts
from gateway.pseudonym import Person
from gateway.registry.applying import apply
from gateway.registry.events import BLOCKS, grants
from gateway.registry.importing import Line
from gateway.registry.protocol import Event, EventKind, Return
from gateway.registry.standing import News, held, news, same
from gateway.registry.state import EMPTY, State

BATCH = 5000  # events per commit
_RETURNS = 1_000_000
_GIVING = frozenset({EventKind.CONSENT, EventKind.REQUEST})
_ERASED = "the person was erased, expected that the source no longer has them"


class Store(Protocol):
    """What an import needs of a registry."""

    async def facts(self, people: Sequence[Person]) -> list[Facts]: ...

    async def record(self, events: Sequence[Event]) -> list[int]: ...

    async def history(self, person: Person) -> list[tuple[int, Event]]: ...

    async def returns(self, limit: int) -> list[Return]: ...


@dataclass(slots=True)
class Summary:
    """Counts of one import.

    `kinds`: events stored. Of these `unproven` are consents without evidence, which count as "unknown" (S-03);
    `returns` consents of people who had said no, which wait for an operator; `refused` those older than that no, which
    give nothing. `known`: left out, as the registry says so already. `erased`: left out, as the person was erased.
    `wrong`: rows or parts of rows that could not be read.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    unproven: int = 0
    returns: int = 0
    refused: int = 0
    known: int = 0
    erased: int = 0

    @property
    def stored(self) -> int:
        return self.kinds.total()

    def to_json(self) -> Mapping[str, object]:
        return {
            "stored": self.stored,
            "known": self.known,
            "wrong": self.wrong,
            "unproven": self.unproven,
            "returns": self.returns,
            "refused": self.refused,
            "erased": self.erased,
            "kinds": dict(sorted(self.kinds.items())),
        }


async def store(
    lines: Iterable[Line],
    registry: Store,
    complain: Callable[[Line], None],
    progress: Callable[[Summary], None] = lambda summary: None,
) -> Summary:
    """Record every good line that says something new; `complain` hears of wrong rows, `progress` of each commit."""
    intake = _Intake(registry, complain)
    batch: list[Line] = []
    for line in lines:
        if line.event is None:
            intake.summary.wrong += 1
            complain(line)
            continue
        batch.append(line)
        if len(batch) >= BATCH:
            await intake.take(batch)
            progress(intake.summary)
            batch = []
    await intake.take(batch)
    progress(intake.summary)
    return intake.summary


@dataclass(slots=True)
class _Wide:
    """What this batch puts under a wide pseudonym; look-alikes share it."""

    state: State = EMPTY


@dataclass(slots=True)
class _Known:
    """A person of whom more is known than the event at hand. `events` is None until somebody asks."""

    person: Person
    exact: State
    wide: _Wide
    events: list[Event] | None = None
    fresh: list[Event] = field(default_factory=list)


class _Intake:
    """One import on its way."""

    def __init__(self, registry: Store, complain: Callable[[Line], None]) -> None:
        self.summary = Summary()
        self._registry = registry
        self._complain = complain
        self._waiting: set[bytes] | None = None
        self._number = 2**40  # for predicting only; the registry gives the true ones

    async def take(self, batch: Sequence[Line]) -> None:
        """One commit."""
        if not batch:
            return
        known = await self._known(batch)
        fresh = []
        for line in batch:
            event = line.event
            if event is not None and await self._adds(line, event, known.get(event.person.exact)):
                fresh.append(event)
        if fresh:
            await self._registry.record(fresh)
        self.summary.kinds.update(event.kind.value for event in fresh)
        self.summary.unproven += sum(_unproven(event) for event in fresh)

    async def _known(self, batch: Sequence[Line]) -> dict[bytes, _Known]:
        """People the registry knows, or of whom this batch says several things; of the others any event is new."""
        people = {line.event.person.exact: line.event.person for line in batch if line.event is not None}
        facts = await self._registry.facts(list(people.values()))
        times = Counter(line.event.person.blocking for line in batch if line.event is not None)
        wides: dict[bytes, _Wide] = {}
        return {
            p.exact: _Known(p, held(f), wides.setdefault(p.wide, _Wide()))
            for p, f in zip(people.values(), facts, strict=True)
            if f.known or times[p.blocking] > 1
        }

    async def _adds(self, line: Line, event: Event, known: _Known | None) -> bool:
        if known is None:
            return True
        if known.exact.erased and event.kind is not EventKind.ERASURE:
            self.summary.erased += 1
            self._complain(line._replace(column="address", what=_ERASED))
            return False
        found = news(known.exact, known.wide.state, event, dated=line.dated)
        if found is News.UNCLEAR:
            found = News.KNOWN if any(same(event, e) for e in await self._events(known)) else News.NEW
        if found is News.KNOWN and (line.dated or not await self._ends_return(event, known)):
            self.summary.known += 1
            return False
        self._apply(event, known)
        return True

    def _apply(self, event: Event, known: _Known) -> None:
        """What comes behind it is held against what it makes of the person."""
        self._number += 1
        known.exact, known.wide.state = apply(known.exact, known.wide.state, event, self._number)
        known.fresh.append(event)
        if event.kind in _GIVING and event.detail.get("active") is not False and grants(event.evidence):
            state = known.exact
            if any(r.event == self._number for r in state.returns):
                self.summary.returns += 1
            elif all(c.event != self._number for c in (*state.consents, *state.requests)):
                self.summary.refused += 1

    async def _events(self, known: _Known) -> list[Event]:
        if known.events is None:
            known.events = [event for _, event in await self._registry.history(known.person)]
        return known.events + known.fresh

    async def _ends_return(self, event: Event, known: _Known) -> bool:
        """Whether a refusal of today, whose block stands already, still has a consent to end that came after that."""
        if event.kind not in BLOCKS or known.exact.erased:
            return False
        if self._waiting is None:
            self._waiting = {r.person for r in await self._registry.returns(_RETURNS)}
        return known.person.exact in self._waiting


def _unproven(event: Event) -> bool:
    return event.kind in _GIVING and event.detail.get("active") is not False and not grants(event.evidence)
