"""Counts opt-outs of the page once each, whoever takes them into the registry and wherever the page runs.

what:       follows each organisation's web journal from where the last count stood
takes→gives: web journals, STATE/opt-outs.json → numbers by organisation and scope
knows not:  the registry, people
fails by:   nothing: a journal in trouble is counted when it is well again (the registry says what is wrong)
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.registry.journal import Journal
from gateway.registry.places import web_journal
from gateway.registry.record import JournalDamaged, Mark, Record
from gateway.token import PROBE

_FILE = "opt-outs.json"


@dataclass(slots=True)
class OptOutCount:
    """`web`: the page's folder. For one process at a time; `state/opt-outs.json` remembers what was counted."""

    state: Path
    web: Path
    organisations: Sequence[str]
    _positions: dict[str, list[int | str]] = field(default_factory=dict)
    _sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            stored = json.loads((self.state / _FILE).read_text("ascii"))
            self._positions = {str(name): [int(at), str(chain)] for name, (at, chain) in stored.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            self._positions = {}  # counted from the first one again

    def new(self) -> Counter[tuple[str, str]]:
        """Opt-outs since the last call by (organisation, kind of scope); remembered first: none counts twice."""
        found = Counter[tuple[str, str]]()
        for name in self.organisations:
            for record in self._read(name):
                found[name, record.scope.kind.name.lower()] += 1
        if found:
            self._remember()
        return found

    def _read(self, name: str) -> list[Record]:
        path = web_journal(self.web, name)
        try:
            here = path.stat()
            if self._sizes.get(name) == (here.st_ino, here.st_size):
                return []
            journal = Journal.open(path, write=False)
        except (OSError, JournalDamaged):
            return []
        try:
            followed = (record for batch in journal.follow(self._mark(name, journal)) for record in batch)
            records = [record for record in followed if record.message != PROBE]
            self._positions[name] = [journal.end.position, journal.end.chain.hex()]
            self._sizes[name] = (here.st_ino, here.st_size)
            return records
        except JournalDamaged:
            return []
        finally:
            journal.close()

    def _mark(self, name: str, journal: Journal) -> Mark:
        position, chain = self._positions.get(name, (0, ""))
        mark = Mark(int(position), bytes.fromhex(str(chain))) if position else journal.head.start
        try:
            journal.check(mark)
        except JournalDamaged:
            return journal.head.start  # another journal than the one counted so far
        return mark

    def _remember(self) -> None:
        fresh = self.state / f"{_FILE}.new"
        fresh.write_text(json.dumps(self._positions) + "\n", "ascii")
        fresh.replace(self.state / _FILE)
