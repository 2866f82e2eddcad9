"""The registry of one organisation on SQLite, for the processes of one node.

what:       look-ups in the calling thread, writes in one thread beside it, and coming back after trouble
takes→gives: as `registry/protocol.py` says
knows not:  addresses, messages, decisions
fails by:   `RegistryUnavailable`, `RegistryMistrusted`; `InvalidEvent` for an event that cannot be kept
standard:   DESIGN §4 People; I-2, I-10, I-12, I-13
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from gateway.config.organisation import Organisation
from gateway.facts import Facts
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry import copying, feeding, rotation, scrubbing, store
from gateway.registry import identity as identities
from gateway.registry.faults import as_registry_errors
from gateway.registry.opening import Owner, open_writer
from gateway.registry.places import Places, places
from gateway.registry.protocol import (
    Act,
    Event,
    EventKind,
    EventRow,
    Evidence,
    Fed,
    RegistryMistrusted,
    RegistryUnavailable,
    Return,
    StateRow,
)
from gateway.registry.view import View
from gateway.registry.writer import Writer

_RETRY = 1.0  # seconds between two tries to open a registry that is not trusted
_OCTETS = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
_T = TypeVar("_T")


def open_registry(
    organisation: Organisation,
    state: Path,
    pseudonyms: Pseudonyms,
    seen: Callable[[float], None] | None = None,
    *,
    web: Path | None = None,
) -> SQLiteRegistry:
    """The registry of `organisation` below the state folder; never creates one, and never raises.

    What is wrong is in `trouble()`; it opens by itself as soon as that is mended. `seen` is told, for each web opt-out,
    the seconds from its own time to its first sight here; `web` is the folder of the page's journals.
    """
    return SQLiteRegistry(places(state, organisation.name, web), Owner(organisation.id, pseudonyms), seen)


class SQLiteRegistry:
    """One process's registry. `facts` runs where it is called: a look-up there is faster than any hand-over."""

    def __init__(self, where: Places, owner: Owner, seen: Callable[[float], None] | None = None) -> None:
        self._where = where
        self._owner = owner
        self._seen = seen
        self._hand = ThreadPoolExecutor(max_workers=1, thread_name_prefix="registry")
        self._writer: Writer | None = None
        self._view: View | None = None
        self._swap = threading.Lock()  # nobody looks through a view that is being closed
        self._fault: RegistryUnavailable | None = None
        self._tried = 0.0
        self._closed = False
        try:
            self._open()
        except RegistryUnavailable:
            pass  # kept for trouble()

    async def facts(self, people: Sequence[Person]) -> list[Facts]:
        """One batched read; a registry that stopped being trusted is opened and checked anew, at most once a second."""
        return await self._see(lambda view: view.read(people))

    async def contact(self, client: str, contact: str) -> bytes | None:
        """The exact pseudonym behind a client's own contact id, or None; the latest who got that id has it."""
        return await self._see(lambda view: view.contact(client, contact))

    async def published(self, ids: Collection[str]) -> frozenset[str]:
        """Those of these publication-consent ids that are in force, whoever gave them."""
        return await self._see(lambda view: view.published(ids))

    async def record(self, events: Sequence[Event]) -> list[int]:
        return await self._beside(lambda: self._write(lambda writer: writer.record(events)))

    async def ingest(self) -> int:
        """Move web opt-outs into the registry. Gives the position in the web journal up to which that is done."""
        return await self._beside(lambda: self._write(lambda writer: writer.ingest()))

    async def replay(self) -> int:
        """Apply the whole block journal again. Gives the number of its records."""
        return await self._beside(lambda: self._write(lambda writer: writer.replay(writer.journal.head.start)))

    async def act(self, act: Act, person: Person | None) -> None:
        """Note what a named operator did, and about whom."""
        await self._beside(
            lambda: self._write(lambda writer: writer.act(act, writer.place(person).exact if person else None))
        )

    async def acts(self, person: Person) -> list[Act]:
        """What named operators did about one person, oldest first."""
        return await self._beside(
            lambda: self._write(lambda writer: store.acts(writer.connection, writer.place(person).exact))
        )

    async def history(self, person: Person) -> list[tuple[int, Event]]:
        """All events about one person, oldest first, with their numbers."""
        return await self._beside(
            lambda: self._write(lambda writer: store.history(writer.connection, writer.place(person)))
        )

    async def feed(self, after: int, limit: int) -> list[Fed]:
        """Events behind number `after`, oldest first."""
        return await self._read(lambda connection: feeding.feed(connection, after, limit, self._owner.pseudonyms))

    async def returns(self, limit: int) -> list[Return]:
        """Pending returns, oldest first."""
        return await self._read(lambda connection: feeding.returns(connection, limit, self._owner.pseudonyms))

    async def oldest(self, kinds: Collection[EventKind]) -> int | None:
        """Unix seconds of the oldest event of these kinds, or None."""
        return await self._read(lambda connection: feeding.oldest(connection, kinds))

    async def erase(self, person: Person, at: int, evidence: Evidence) -> int:
        """Leave the tombstone and what the law keeps; delete the rest from all files. Gives the events deleted."""
        return await self._change(lambda writer: writer.erase(person, at, evidence))

    async def move(self, old: Person, new: Person, at: int, evidence: Evidence) -> int:
        """Everything follows to the new address; the old one stays blocked. Gives the number of the rectification."""
        return await self._change(lambda writer: writer.move(old, new, at, evidence))

    async def purge(self, kinds: Collection[EventKind], before: int) -> int:
        """Delete old events of these kinds, batch by batch beside other work. Gives how many."""
        total = 0
        while gone := await self._change(lambda writer: writer.purge_batch(kinds, before)):
            total += gone
        return total

    async def state_rows(self, after: bytes, limit: int) -> list[StateRow]:
        """State rows behind pseudonym `after`, in its order."""
        return await self._read(lambda connection: copying.state_rows(connection, after, limit))

    async def event_rows(self, after: int, limit: int) -> list[EventRow]:
        """Event rows behind number `after`, in order."""
        return await self._read(lambda connection: copying.event_rows(connection, after, limit))

    async def load(self, states: Sequence[StateRow], events: Sequence[EventRow]) -> None:
        """Take rows of another registry; nobody can rest on this one until `load((), ())`."""
        await self._change(lambda writer: writer.load(states, events))

    def use_keys(self, pseudonyms: Pseudonyms) -> None:
        """Work with these keys, the old ones and a new one, from the next turn of the writing thread on (`settled`)."""
        if pseudonyms != self._owner.pseudonyms:
            self._hand.submit(self._take_keys, replace(self._owner, pseudonyms=pseudonyms))

    async def settled(self) -> None:
        """Returns when everything asked for before is done."""
        await self._beside(lambda: None)

    async def lift(self, *, begin: bool = True) -> int:
        """Bring every row to the newest layer of the keys, batch by batch beside other work. Gives the batches needed.

        `begin` only when every process of this registry has the keys; without, only a pass that was cut off is gone on
        with. Cut off, it is done by calling it again.
        """
        if not await self._beside(lambda: self._write(lambda writer: writer.begin_lift(begin=begin))):
            return 0
        after: bytes | None = b""
        batches = 0
        while after is not None:
            step = partial(_lift_batch, after)
            after = await self._beside(lambda: self._write(step))  # noqa: B023 - awaited before the next turn
            batches += 1
        return batches

    async def status(self) -> dict[str, int | str]:
        """Counts and positions, for people."""
        return await self._beside(lambda: self._write(_status))

    def trouble(self) -> str:
        """Looks, and sets off a new try to open, so that /readyz needs no traffic to turn red or green."""
        before = self._view
        try:
            self._look(lambda view: view.read(()))
        except RegistryUnavailable as error:
            if not self._closed:
                self._hand.submit(self._reopen, before)  # what comes of it shows the next time
            return str(error)
        return ""

    def close(self) -> None:
        """Wait for the write under way, then let go of the files."""
        self._closed = True
        self._hand.shutdown(wait=True)
        self._let_go()

    async def _see(self, look: Callable[[View], _T]) -> _T:
        before = self._view
        if before is not None:
            try:
                return self._look(look)
            except RegistryMistrusted:
                pass  # a backup put back may be replayed and trusted again
        await self._beside(lambda: self._reopen(before))
        return self._look(look)

    def _look(self, look: Callable[[View], _T]) -> _T:
        with self._swap, as_registry_errors():
            if self._view is None:
                raise self._refusal()
            return look(self._view)

    def _write(self, act: Callable[[Writer], _T]) -> _T:
        before = self._view
        if self._writer is not None:
            try:
                with as_registry_errors():
                    return act(self._writer)
            except RegistryMistrusted:
                pass  # once more, on a registry that was checked anew
        self._reopen(before)
        if self._writer is None:
            raise self._refusal()
        with as_registry_errors():
            return act(self._writer)

    def _reopen(self, before: View | None) -> None:
        """Open anew, unless somebody did since `before` was the view, or it failed within the last second."""
        if self._view is not before:
            return
        if self._fault is not None and time.monotonic() - self._tried < _RETRY:
            raise self._refusal()
        self._open()

    def _refusal(self) -> RegistryUnavailable:
        if self._fault is None:
            return RegistryMistrusted("the registry is being opened and checked")
        return type(self._fault)(str(self._fault))

    def _open(self) -> None:
        """Runs in the writing thread, except at the start. Meanwhile nobody gets facts: the old ones are in doubt."""
        self._let_go()
        self._fault = None
        self._tried = time.monotonic()
        try:
            with as_registry_errors():
                self._writer = open_writer(self._where, self._owner)
                expected = identities.read(self._writer.connection)
                self._view = View(self._where, expected, self._owner.pseudonyms, self._seen)
        except RegistryUnavailable as error:
            self._fault = error
            self._let_go()
            raise

    def _let_go(self, fresh: tuple[View | None, Writer | None] = (None, None)) -> None:
        with self._swap:
            view, writer = self._view, self._writer
            self._view, self._writer = fresh
            if view is not None:
                view.close()
            if writer is not None:
                writer.close()

    def _take_keys(self, owner: Owner) -> None:
        """Open with the new keys first, then let go of what was open with the old ones: nobody waits for it."""
        self._owner = owner
        try:
            with as_registry_errors():
                writer = open_writer(self._where, owner)
                view = View(self._where, identities.read(writer.connection), owner.pseudonyms, self._seen)
        except RegistryUnavailable as error:
            self._let_go()
            self._fault = error
            return
        self._let_go((view, writer))
        self._fault = None

    async def _change(self, act: Callable[[Writer], _T]) -> _T:
        return await self._beside(lambda: self._write(act))

    async def _read(self, look: Callable[[sqlite3.Connection], _T]) -> _T:
        return await self._beside(lambda: self._write(lambda writer: look(writer.connection)))

    async def _beside(self, act: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._hand, act)


def _lift_batch(after: bytes, writer: Writer) -> bytes | None:
    return writer.lift_batch(after)


def _status(writer: Writer) -> dict[str, int | str]:
    connection = writer.connection
    found = identities.read(connection)
    journal = writer.journal.verify()
    return {
        "registry": found.registry.hex(),
        "people": int(connection.execute("SELECT COUNT(*) FROM state").fetchone()[0]),
        "events": int(connection.execute("SELECT COUNT(*) FROM events").fetchone()[0]),
        "journal": journal.position,
        "applied": found.applied.position,
        "web": found.ingested.position if found.ingested else 0,
        "layer": found.layer,
        "waiting": 0 if found.floor is None else rotation.waiting(connection, found.layer),
        "octets": int(connection.execute(_OCTETS).fetchone()[0]),
        "unscrubbed": scrubbing.due(connection),
        "torn": writer.journal.torn,
    }
