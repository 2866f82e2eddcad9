"""Storing what an import file holds, in batches, and counting.

what:       good rows go in, wrong rows are reported with their line
takes→gives: lines → `Summary`
knows not:  CSV, addresses
fails by:   `RegistryUnavailable`; batches before it are kept, and importing the file again does no harm
standard:   S-03, I-10
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from gateway.registry.events import grants
from gateway.registry.importing import Line
from gateway.registry.protocol import Event, EventKind, Registry

BATCH = 5000  # rows per commit


@dataclass(slots=True)
class Summary:
    """Counts of one import. `unproven`: consents kept without evidence, which count as "unknown" (S-03)."""

    kinds: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    unproven: int = 0

    @property
    def stored(self) -> int:
        return self.kinds.total()

    def to_json(self) -> Mapping[str, object]:
        return {"stored": self.stored, "wrong": self.wrong, "unproven": self.unproven, "kinds": dict(self.kinds)}


async def store(lines: Iterable[Line], registry: Registry | None, complain: Callable[[Line], None]) -> Summary:
    """Record every good line; `complain` hears of the others. Without a registry only counts (a dry run)."""
    summary, batch = Summary(), list[Event]()
    for line in lines:
        if line.event is None:
            summary.wrong += 1
            complain(line)
            continue
        batch.append(line.event)
        if len(batch) == BATCH:
            await _flush(batch, registry, summary)
    await _flush(batch, registry, summary)
    return summary


async def _flush(batch: list[Event], registry: Registry | None, summary: Summary) -> None:
    if registry is not None and batch:
        await registry.record(batch)
    for event in batch:
        summary.kinds[event.kind.value] += 1
        summary.unproven += event.kind in (EventKind.CONSENT, EventKind.REQUEST) and not grants(event.evidence)
    batch.clear()
