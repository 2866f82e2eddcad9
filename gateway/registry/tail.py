"""Blocks that are in a journal but not yet in the registry, kept ready for look-ups.

what:       follows one journal and keeps what the registry has not taken in
takes→gives: a pseudonym → the blocks still on their way
knows not:  SQL, who writes the journal
fails by:   `JournalDamaged`, `OSError`
standard:   I-2: an opt-out counts as soon as it is on disk
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway.facts import Block
from gateway.pseudonym import Pseudonyms
from gateway.registry.journal import Journal
from gateway.registry.record import Mark, Record

# Until the registry numbers it, such a block is later than every event that has a number.
PENDING = 2**62


@dataclass(frozen=True, slots=True)
class Waiting:
    """One block on its way, with its position in the journal."""

    position: int
    pseudonym: bytes
    block: Block


class Tail:
    """One journal from `taken` on. `seen` is told the seconds between a block's own time and its first sight here."""

    def __init__(
        self, journal: Journal, taken: Mark, pseudonyms: Pseudonyms, seen: Callable[[float], None] | None
    ) -> None:
        journal.check(taken)
        journal.end = taken
        self.journal = journal
        self._pseudonyms = pseudonyms
        self._seen = seen
        self._waiting: list[Waiting] = []
        self._blocks: dict[bytes, list[Waiting]] = {}

    def refresh(self) -> None:
        """Take in what was appended: one stat when nothing was."""
        if not self.journal.has_grown():
            return
        for batch in self.journal.follow(self.journal.end):
            first = self.journal.end.position - len(batch) + 1
            for position, record in enumerate(batch, first):
                self._take(position, record)

    def blocks(self, pseudonym: bytes) -> list[Block]:
        return [waiting.block for waiting in self.waiting(pseudonym)]

    def waiting(self, pseudonym: bytes) -> list[Waiting]:
        """The blocks with their positions, for who asks the registry only after this."""
        return self._blocks.get(pseudonym, [])

    def forget(self, position: int) -> None:
        """Drop what the registry holds by now: everything up to `position`."""
        if not self._waiting or self._waiting[0].position > position:
            return
        self._waiting = [w for w in self._waiting if w.position > position]
        self._blocks = {}
        for waiting in self._waiting:
            self._blocks.setdefault(waiting.pseudonym, []).append(waiting)

    def __len__(self) -> int:
        return len(self._waiting)

    def _take(self, position: int, record: Record) -> None:
        pseudonym = record.newest(self._pseudonyms)
        block = Block(record.kind, record.scope, int(record.at), PENDING)
        waiting = Waiting(position, pseudonym, block)
        self._waiting.append(waiting)
        self._blocks.setdefault(pseudonym, []).append(waiting)
        if self._seen is not None:
            self._seen(max(0.0, time.time() - record.at))
