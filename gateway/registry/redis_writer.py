"""The one place that changes a registry in Redis: this node's journal first, then one change there, then its replicas.

what:       recording, replaying, taking in both journals; each under the journal's lock
takes→gives: events → their numbers, durable
knows not:  who asks, how Redis is reached
fails by:   `RegistryUnavailable`, `RegistryMistrusted`, `InvalidEvent`; `JournalDamaged`, `OSError` (the caller maps)
standard:   I-2, I-10, I-13; DESIGN §4 Block journal, Redis
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from gateway.pseudonym import Person
from gateway.registry import folding, node, redis_rotation, rotation, web
from gateway.registry.events import BLOCKS, check
from gateway.registry.folding import Folded
from gateway.registry.identity import LOADING, Identity, check_keys
from gateway.registry.journal import Journal
from gateway.registry.opening import Owner
from gateway.registry.places import Places
from gateway.registry.protocol import Event, RegistryMistrusted, RegistryUnavailable
from gateway.registry.record import Mark, Record
from gateway.registry.redis_change import Change
from gateway.registry.redis_forgetting import forget
from gateway.registry.redis_hand import Hand, Moved
from gateway.registry.redis_keys import unpack_state
from gateway.registry.redis_proof import Proof, Taken
from gateway.registry.redis_rows import Before, change_rows

_T = TypeVar("_T")
Beside = Callable[[Callable[[], Any]], Awaitable[Any]]  # runs what may block in a thread of its own
_TRIES = 40
_PATIENCE = 1  # times overtaken before a turn is asked for
_PAUSE = 0.01  # seconds; other writers need about as long
NO_FILE = (0, 0)  # in the node file, where SQLite's registry file stands


class Writer:
    """One process's writing in one loop. `identity` and `taken` are as of the last reading or change."""

    def __init__(self, hand: Hand, places: Places, owner: Owner, journal: Journal, beside: Beside) -> None:
        self.hand = hand
        self.journal = journal
        self.places = places
        self.owner = owner
        self.beside = beside
        self.identity: Identity | None = None
        self.taken: Taken | None = None
        self._one = asyncio.Lock()
        self._left = False

    async def record(self, events: Sequence[Event]) -> list[int]:
        """Append events in one change, their blocks first to the journal. Raises `InvalidEvent`, nothing kept."""
        for event in events:
            check(event)
        async with self.settled() as identity:
            brought = [_about(e, self.owner.pseudonyms.brought(e.person)) for e in events]
            await self.note(brought, identity)
            folded = await self.fold(brought, self.here)
        return folded.numbers

    async def ingest(self) -> int:
        """Move what the web journal gained into registry and journal. Gives the position reached in it."""
        async with self.settled() as identity:
            return identity.ingested.position if identity.ingested else 0

    async def replay(self) -> int:
        """Apply the whole journal of this node again: lifted blocks come back. Gives the number of records."""
        async with self.settled():
            number, mark = 0, self.journal.head.start
            while True:
                records, mark = await self.beside(partial(self._batch, self.journal, mark))
                if not records:
                    return number
                number += len(records)
                await self.fold(folding.events_of(records, self.owner.pseudonyms), self.reached)

    async def note(self, brought: Sequence[Event], identity: Identity) -> None:
        """The blocks among these events into the journal, durable before anything else happens."""
        await self.into_journal([self._record(e, identity.lowest) for e in brought if e.kind in BLOCKS])

    @property
    def here(self) -> Taken:
        """This node's position once everything that its journal has is in. Only within `settled`."""
        return replace(self.reached, applied=self.journal.end)

    async def into_journal(self, records: Sequence[Record]) -> None:
        """Append to the journal, which is locked; durable when this returns."""
        if records:
            await self.beside(lambda: self.journal.append(records))

    @property
    def reached(self) -> Taken:
        """This node's position in the registry. Only within `settled`."""
        if self.taken is None:
            raise RegistryMistrusted("Redis does not know this node's journal")
        return self.taken

    @asynccontextmanager
    async def settled(self, *, loading: bool = False) -> AsyncIterator[Identity]:
        """Lock; first what a crash, a failover or the web process left to be taken in, so that it comes before."""
        async with self.locked():
            identity = await self.catch_up()
            if identity.loading and not loading:
                raise RegistryMistrusted(LOADING)
            yield identity

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Keep other writers of this node out: those of this process, then those of others."""
        async with self._one:
            if self._left:
                raise RegistryMistrusted("the registry is being opened and checked")
            try:
                with ExitStack() as lock:
                    await self.beside(lambda: lock.enter_context(self.journal.locked()))
                    yield
            finally:
                if self._left:
                    self.journal.close()

    def busy(self) -> bool:
        """Whether somebody of this process is at work with the journal."""
        return self._one.locked()

    def leave(self) -> None:
        """Close the journal as soon as nobody is at work with it; nobody begins any more."""
        self._left = True
        if not self._one.locked():
            self.journal.close()

    async def catch_up(self) -> Identity:
        """Under the lock: take in what the own journal and the page's have and Redis lacks."""
        identity = self.see((await self.hand.look())[0])
        if not identity.loading:
            await self._take_own(identity)
            await self._take_web()
        return self.known

    def see(self, proof: Proof) -> Identity:
        """The identity a reading found, checked against this node's keys and journal."""
        found = proof.identity(self.journal.head)
        check_keys(found, self.owner.organisation, self.owner.pseudonyms)
        if self.identity is not None and found.registry != self.identity.registry:
            raise RegistryMistrusted("the registry in Redis is not the one this process opened")
        self.identity, self.taken = found, proof.taken
        return found

    async def commit(self, change: Change, after: Taken) -> None:
        """One change, with the identity as it was when it was put together. Raises `Moved`."""
        identity, keys = self.known, self.hand.keys
        change.expect(keys.identity, "registry", identity.registry)
        change.expect(keys.identity, "layer", identity.layer)
        change.expect(keys.identity, "floor", identity.floor)
        before = self.taken
        self.taken = await self.hand.change(change, before, after)
        if before is None or after.applied != before.applied:
            self.identity = replace(identity, applied=after.applied, web=after.web, ingested=after.ingested)
            memory = self.identity.memory(NO_FILE)
            await self.beside(lambda: node.store(self.places.node, memory))

    async def repeated(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        """Until it is not overtaken; with the others held off when that happens again and again."""
        turn = False
        try:
            for tried in range(_TRIES):
                try:
                    return await attempt()
                except Moved:
                    if turn := tried >= _PATIENCE:
                        await self.hand.take_turn()
                    await asyncio.sleep(_PAUSE * (tried + 1))
            raise RegistryUnavailable("other nodes were always faster; try again")
        finally:
            if turn:
                with suppress(RegistryUnavailable):  # it ends by itself soon after
                    await self.hand.leave_turn()

    async def rows(self, people: Iterable[Person]) -> Before:
        """The rows of these people, brought to the newest layer, by the pseudonyms that they are to have."""
        identity = self.known
        newest: dict[bytes, bytes] = {}  # asked for → the pseudonym to have
        for person in people:
            to = rotation.at(person, identity.layer)
            for layer in identity.layers:
                at = rotation.at(person, layer)
                newest[at.exact], newest[at.wide] = to.exact, to.wide
        proof, values = await self.hand.read(list(newest))
        if self.see(proof).layers != identity.layers:
            raise Moved
        before = Before(last=proof.last, asked=[p for p, to in newest.items() if p == to])
        for (asked, name), value in zip(newest.items(), values, strict=True):
            if value is not None:
                row = unpack_state(asked, value)
                before.rows[name] = replace(row, pseudonym=name, layer=identity.layer)
                if asked != name:
                    before.under[name] = row
        return before

    async def fold(self, events: Sequence[Event], after: Taken) -> Folded:
        """Apply events about people in the newest layer."""

        async def attempt() -> Folded:
            before = await self.rows(e.person for e in events)
            layer = self.known.layer
            placed = [_about(e, rotation.at(e.person, layer)) for e in events]
            folded = folding.fold(placed, before.rows, before.last, layer)
            change = Change(self.hand.keys)
            if folded.erased:
                await forget(self.hand, change, folded.erased)
            change_rows(change, before, folded)
            await self.commit(change, after)
            return folded

        return await self.repeated(attempt)

    async def _take_own(self, identity: Identity) -> None:
        mark = identity.applied
        while True:
            records, mark = await self.beside(partial(self._batch, self.journal, mark))
            if not records:
                return
            await self._take(records, replace(self.taken_or_new, applied=mark))

    async def _take_web(self) -> None:
        identity = self.known
        found = await self.beside(lambda: web.find(self.places.web, identity))
        if found is None:
            return
        journal, mark = found
        try:
            while True:
                records, mark = await self.beside(partial(self._batch, journal, mark))
                if not records or any(r.layer > self.known.lowest for r in records):
                    # A link of the newest layer, while rows are lifted, counts from the tail until they all are.
                    return
                await self.into_journal(records)
                after = replace(self.taken_or_new, applied=self.journal.end, web=journal.head.identity, ingested=mark)
                await self._take(records, after)
        finally:
            journal.close()

    async def _take(self, records: Sequence[Record], after: Taken) -> None:
        if any(r.layer > self.known.lowest for r in records):
            # Of a time after the rows (a backup was put back): its person's row must be where the record looks.
            await redis_rotation.lift_all(self)
        await self.fold(folding.events_of(records, self.owner.pseudonyms), after)

    def _batch(self, journal: Journal, mark: Mark) -> tuple[list[Record], Mark]:
        """Some thousand records behind `mark`, and the mark behind them."""
        journal.same_file()
        for records in journal.follow(mark):
            return records, journal.end
        return [], mark

    @property
    def known(self) -> Identity:
        if self.identity is None:
            raise RegistryMistrusted("the registry is being opened and checked")
        return self.identity

    @property
    def taken_or_new(self) -> Taken:
        return self.taken or Taken(self.journal.head.start, None, None, "")

    def _record(self, event: Event, layer: int) -> Record:
        return folding.record_of(replace(event, person=rotation.at(event.person, layer)), layer)


def _about(event: Event, person: Person) -> Event:
    return event if person is event.person else replace(event, person=person)
