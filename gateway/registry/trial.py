"""A registry that only looks as if it were written: what a dry run records in.

what:       answers as the real one would after the same events; keeps them in a temporary file of its own
takes→gives: as a registry, for the four things an import asks of one
knows not:  journals, addresses
fails by:   as the real registry
standard:   S-03 (what an import would do can be seen before it is done)
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple

from gateway.facts import Facts
from gateway.pseudonym import Person
from gateway.registry.applying import apply
from gateway.registry.folding import event_row, stored_event
from gateway.registry.intake import Store
from gateway.registry.protocol import Event, EventRow, Return
from gateway.registry.standing import held
from gateway.registry.state import EMPTY, State, facts, pack, unpack

_TABLES = """
CREATE TABLE states (pseudonym BLOB PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events (number INTEGER PRIMARY KEY, person BLOB NOT NULL, data TEXT NOT NULL);
CREATE INDEX events_of_person ON events (person);
"""


class Trial:
    """`registry` is only read."""

    def __init__(self, registry: Store) -> None:
        self._registry = registry
        # SQLite puts a nameless database into memory first, then into a file that nobody else can open.
        self._scratch = sqlite3.connect("", isolation_level=None)
        self._scratch.executescript(_TABLES)

    async def facts(self, people: Sequence[Person]) -> list[Facts]:
        """As the real registry would after what was recorded here."""
        real = await self._registry.facts(people)
        found = []
        for person, there in zip(people, real, strict=True):
            exact = self._state(person.exact)
            found.append(there if exact is None else facts(exact, self._state(person.wide)))
        return found

    async def record(self, events: Sequence[Event]) -> list[int]:
        """Keep the events and the states that follow, here only."""
        people = {event.person.exact: event.person for event in events}
        real = dict(zip(people, await self._registry.facts(list(people.values())), strict=True))
        with self._commit():
            return [self._one(event, real[event.person.exact]) for event in events]

    async def history(self, person: Person) -> list[tuple[int, Event]]:
        """The real events, then those recorded here."""
        rows = self._scratch.execute("SELECT data FROM events WHERE person = ? ORDER BY number", (person.exact,))
        own = [EventRow(*json.loads(data)) for (data,) in rows]
        return [*await self._registry.history(person), *((row.number, stored_event(person, row)) for row in own)]

    async def returns(self, limit: int) -> list[Return]:
        """The real ones; those of this run are seen in the states."""
        return await self._registry.returns(limit)

    def close(self) -> None:
        self._scratch.close()

    def _one(self, event: Event, real: Facts) -> int:
        person = event.person
        number = int(self._scratch.execute("SELECT COALESCE(MAX(number), 0) + 1 FROM events").fetchone()[0])
        wide = (self._state(person.wide) or EMPTY) if person.wide != person.exact else EMPTY
        exact, wide = apply(self._state(person.exact) or held(real), wide, event, number)
        for pseudonym, state in ((person.exact, exact), (person.wide, wide)):
            if state is not EMPTY or pseudonym == person.exact:
                self._scratch.execute("INSERT OR REPLACE INTO states VALUES (?, ?)", (pseudonym, pack(state)))
        row = json.dumps(astuple(event_row(number, 0, event)))
        self._scratch.execute("INSERT INTO events VALUES (?, ?, ?)", (number, person.exact, row))
        return number

    def _state(self, pseudonym: bytes) -> State | None:
        row = self._scratch.execute("SELECT data FROM states WHERE pseudonym = ?", (pseudonym,)).fetchone()
        return None if row is None else unpack(row[0])

    @contextmanager
    def _commit(self) -> Iterator[None]:
        self._scratch.execute("BEGIN")
        yield
        self._scratch.execute("COMMIT")
