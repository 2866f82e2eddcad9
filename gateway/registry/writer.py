"""The one place that changes a registry: journal first, then one commit.

what:       recording, replaying, taking in the web journal; each under the journal's lock
takes→gives: events → their numbers, durable
knows not:  asyncio, who asks
fails by:   `RegistryMistrusted`, `InvalidEvent`; `sqlite3.Error`, `JournalDamaged`, `OSError` (the caller maps them)
standard:   I-2, I-10, I-13; DESIGN §4 Block journal
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from gateway.facts import Scope, ScopeKind
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry import copying, durable, folding, moving, node, purging, rotation, scrubbing, store, web
from gateway.registry import identity as identities
from gateway.registry.events import BLOCKS, InvalidEvent, check
from gateway.registry.identity import Identity, check_keys
from gateway.registry.journal import Journal
from gateway.registry.places import Places
from gateway.registry.protocol import Act, Event, EventKind, EventRow, Evidence, RegistryMistrusted, StateRow
from gateway.registry.record import Mark, Record

_BATCH = 5000  # records per commit while replaying


class Writer:
    """One process's hand on a registry. For one thread at a time."""

    def __init__(
        self, places: Places, connection: sqlite3.Connection, journal: Journal, pseudonyms: Pseudonyms
    ) -> None:
        self._places = places
        self._pseudonyms = pseudonyms
        self._expected = identities.read(connection)
        self._file = durable.must_have_id(places.registry)
        self._traces: list[scrubbing.Trace] = []  # one for each commit that deleted, until that was looked for
        self.connection = connection
        self.journal = journal

    def record(self, events: Sequence[Event]) -> list[int]:
        """Append events in one commit, their blocks first to the journal. Raises `InvalidEvent`, nothing kept."""
        for event in events:
            check(event)
        with self._change() as identity:
            placed = rotation.placed(self.connection, events, identity, self._pseudonyms)
            identity = self._note(placed, identity)
            numbers = self._store(placed, identity)
            self._finish(identity)
        self._scrub()
        return numbers

    def erase(self, person: Person, at: int, evidence: Evidence) -> int:
        """Leave the tombstone and what the law keeps. Gives how many events were deleted.

        The tombstone is in the journal first: cut off before the commit, the next change or start completes it; cut
        off after it, the next start looks for what was deleted.
        """
        event = Event(EventKind.ERASURE, person, at, evidence)
        check(event)
        with self._change() as identity:
            placed = rotation.placed(self.connection, [event], identity, self._pseudonyms)
            deleted = store.count_of(self.connection, placed[0].person.exact)
            identity = self._note(placed, identity)
            self._store(placed, identity)
            self._finish(identity)
        self._scrub()
        return deleted

    def move(self, old: Person, new: Person, at: int, evidence: Evidence) -> int:
        """Everything known of `old` follows to `new`. Gives the number of the rectification."""
        check(Event(EventKind.MANUAL, old, at, evidence, Scope(ScopeKind.EVERYTHING)))
        with self._change() as identity:
            before, after = self._placed(old, identity), self._placed(new, identity)
            rows = store.load(self.connection, {before.exact, before.wide, after.exact, after.wide})
            last = store.last_number(self.connection)
            moved = moving.move(rows, before, after, at, evidence, last, identity.layer)
            identity = self._note(moved.blocks, identity)
            if moved.refiled is not None:
                store.refile(self.connection, *moved.refiled)
            store.keep(self.connection, moved.folded)
            self._finish(identity)
        return moved.number

    def purge_batch(self, kinds: Collection[EventKind], before: int) -> int:
        """Delete some of the old events of these kinds, in one commit. Gives how many; 0 when none is left."""
        purging.check(kinds)
        with self._change() as identity:
            gone = purging.purge_batch(self.connection, kinds, before, identity.layer)
            self._finish(identity)
        return gone

    def load(self, states: Sequence[StateRow], events: Sequence[EventRow]) -> None:
        """Take rows of another registry; their blocks go to the journal. Without rows: they are all here."""
        with self._change(loading=True) as identity:
            if not identity.loading and not copying.is_empty(self.connection):
                raise InvalidEvent("load: somebody is known here already; only a new registry takes another one's rows")
            copying.take(self.connection, states, events, identity.layer)
            blocks = [r for row in states for r in folding.records_of(row.pseudonym, row.data, row.layer)]
            applied = self.journal.append(blocks) if blocks else identity.applied
            self._finish(replace(identity, applied=applied, loading=bool(states or events)))

    def ingest(self) -> int:
        """Move what the web journal gained into registry and journal. Gives the position reached in it."""
        with self._change() as identity:
            self._finish(identity)
        return identity.ingested.position if identity.ingested else 0

    def replay(self, start: Mark) -> int:
        """Apply the journal again from `start`: lifted blocks come back. Gives the number of records."""
        with self._change() as identity:
            records = self.journal.since(start)
            self._finish(self._append(records, identity))
        return len(records)

    def seed(self) -> int:
        """Put every block of the registry into the journal: for a journal that never had them. Gives their number."""
        with self._change() as identity:
            blocks = list(store.blocks(self.connection))
            applied = self.journal.append(blocks) if blocks else identity.applied
            self._finish(replace(identity, applied=applied))
        return len(blocks)

    def tidy(self) -> None:
        """Complete what a crash left of an erasure; while somebody reads the log, that stays for the next start."""
        if scrubbing.due(self.connection):
            with suppress(sqlite3.OperationalError):
                self._scrub()

    def act(self, act: Act, pseudonym: bytes | None = None) -> None:
        """Note who did what with the registry, and about whom."""
        person = None if pseudonym is None else store.person_number(self.connection, pseudonym)
        self.connection.execute(
            "INSERT INTO acts (at, operator, reason, what, person) VALUES (?, ?, ?, ?, ?)",
            (act.at, act.operator, act.reason, act.what, person),
        )

    def begin_lift(self, *, begin: bool = True) -> bool:
        """Move the registry to the newest layer of the keys, unless it is there. Gives whether rows wait to be lifted.

        Every process must have the keys by now: one without them gives no facts from here on.
        """
        with self._change() as identity:
            if begin:
                identity = rotation.begun(identity, self._pseudonyms)
            self._finish(identity)
        return identity.floor is not None

    def lift_batch(self, after: bytes) -> bytes | None:
        """Lift some rows behind pseudonym `after`; gives where to go on, None when all are of the newest layer."""
        with self._change() as identity:
            reached = rotation.lift_batch(self.connection, after, identity.layer, self._pseudonyms)
            self._finish(identity if reached is not None else rotation.ended(identity))
        return reached

    def place(self, person: Person) -> Person:
        """The person as the rows know them now, their rows lifted: before anything is read or changed by hand."""
        with self._change() as identity:
            placed = self._placed(person, identity)
            self._finish(identity)
        return placed

    def close(self) -> None:
        self.connection.close()
        self.journal.close()

    @contextmanager
    def _change(self, *, loading: bool = False) -> Iterator[Identity]:
        """Lock and transaction; first what a crash or the web process left to be taken in, so that it comes before."""
        with self.journal.locked():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                identity = self._checked()
                if identity.loading and not loading:
                    raise RegistryMistrusted(identities.LOADING)
                if not identity.loading:
                    identity = self._catch_up(identity)
                    identity = self._take_web(identity)
                yield identity
            finally:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")

    def _checked(self) -> Identity:
        if durable.file_id(self._places.registry) != self._file:
            raise RegistryMistrusted("the registry file is gone or was replaced by another one")
        identity = identities.read(self.connection)
        expected = self._expected
        same = (identity.registry, identity.journal) == (expected.registry, expected.journal)
        if (identity.layer, identity.key_check) != (expected.layer, expected.key_check):
            check_keys(identity, expected.organisation, self._pseudonyms)  # another process moved it to a newer layer
        if not same or identity.applied.position < expected.applied.position:
            raise RegistryMistrusted("the registry is not the one this process opened")
        return identity

    def _catch_up(self, identity: Identity) -> Identity:
        identity = self._append(self.journal.since(identity.applied), identity)
        return replace(identity, applied=self.journal.end)

    def _take_web(self, identity: Identity) -> Identity:
        found = web.find(self._places.web, identity)
        if found is None:
            return identity
        journal, taken = found
        try:
            records = journal.since(taken)
        finally:
            journal.close()
        if any(r.layer > identity.lowest for r in records):
            # A link of the newest layer, while rows are lifted: it counts from the tail, and is taken in when they are.
            return identity
        applied = self.journal.append(records) if records else identity.applied
        self._append(records, identity)
        return replace(identity, applied=applied, web=journal.head.identity, ingested=journal.end)

    def _append(self, records: Sequence[Record], identity: Identity) -> Identity:
        if any(r.layer > identity.lowest for r in records):
            # Of a time after the rows (a backup was put back): its person's row must be where the record looks.
            identity = rotation.lift_all(self.connection, identity, self._pseudonyms)
        for start in range(0, len(records), _BATCH):
            events = folding.events_of(records[start : start + _BATCH], self._pseudonyms)
            placed = rotation.placed(self.connection, events, identity, self._pseudonyms)
            self._store(placed, identity)
        return identity

    def _placed(self, person: Person, identity: Identity) -> Person:
        """The person in the layer that rows are written in, their rows lifted."""
        brought = self._pseudonyms.brought(person)
        rotation.bring(self.connection, [brought], identity)
        return rotation.at(brought, identity.layer)

    def _note(self, placed: Sequence[Event], identity: Identity) -> Identity:
        """The blocks among these events into the journal, durable before anything else happens."""
        blocks = [self._record(e, identity.lowest) for e in placed if e.kind in BLOCKS]
        return replace(identity, applied=self.journal.append(blocks)) if blocks else identity

    def _store(self, placed: Sequence[Event], identity: Identity) -> list[int]:
        folded = store.append(self.connection, placed, identity.layer)
        if folded.erased:
            self._traces.append(scrubbing.trace_of(folded))
        return folded.numbers

    def _scrub(self) -> None:
        """After the commit of an erasure: its rows leave the files."""
        if self._traces or scrubbing.due(self.connection):
            scrubbing.scrub(self.connection, self._places.registry, self._traces)
            self._traces = []

    def _record(self, event: Event, layer: int) -> Record:
        return folding.record_of(replace(event, person=rotation.at(event.person, layer)), layer)

    def _finish(self, identity: Identity) -> None:
        moved = identity != self._expected
        if moved:
            identities.write(self.connection, identity)
        self.connection.execute("COMMIT")
        if identity.applied != self._expected.applied:
            node.store(self._places.node, identity.memory(self._file))
        self._expected = identity
