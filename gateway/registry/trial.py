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
from collections.abc import Sequence
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
        self._last = 0

    async def facts(self, people: Sequence[Person]) -> list[Facts]:
        """As the real registry would after what was recorded here."""
        real = await self._registry.facts(people)
        found = []
        for person, there in zip(people, real, strict=True):
            exact, wide = self._state(person.exact), self._state(person.wide)
            found.append(there if exact is None and wide is None else facts(exact or held(there), wide))
        return found

    async def record(self, events: Sequence[Event]) -> list[int]:
        """Keep the events and the states that follow, here only."""
        people = {event.person.exact: event.person for event in events}
        real = dict(zip(people, await self._registry.facts(list(people.values())), strict=True))
        states: dict[bytes, State] = {}
        first = self._last + 1
        for event in events:
            self._last += 1
            self._apply(states, event, real[event.person.exact])
        self._keep(states, list(enumerate(events, first)))
        return list(range(first, self._last + 1))

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

    def _apply(self, states: dict[bytes, State], event: Event, real: Facts) -> None:
        person = event.person
        exact = states.get(person.exact) or self._state(person.exact) or held(real)
        wide = EMPTY
        if person.wide != person.exact:
            wide = states.get(person.wide) or self._state(person.wide) or EMPTY
        states[person.exact], wide = apply(exact, wide, event, self._last)
        if wide is not EMPTY:
            states[person.wide] = wide

    def _keep(self, states: dict[bytes, State], events: list[tuple[int, Event]]) -> None:
        rows = [(n, e.person.exact, json.dumps(astuple(event_row(n, 0, e)))) for n, e in events]
        self._scratch.execute("BEGIN")
        self._scratch.executemany(
            "INSERT OR REPLACE INTO states VALUES (?, ?)", [(p, pack(s)) for p, s in states.items()]
        )
        self._scratch.executemany("INSERT INTO events VALUES (?, ?, ?)", rows)
        self._scratch.execute("COMMIT")

    def _state(self, pseudonym: bytes) -> State | None:
        row = self._scratch.execute("SELECT data FROM states WHERE pseudonym = ?", (pseudonym,)).fetchone()
        return None if row is None else unpack(row[0])
