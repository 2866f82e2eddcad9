"""The registry of one organisation in Redis, shared by several nodes.

what:       look-ups and writes in the loop that asks, and coming back after trouble
takes→gives: as `registry/protocol.py` says
knows not:  addresses, messages, decisions
fails by:   `RegistryUnavailable`, `RegistryMistrusted`; `InvalidEvent` for an event that cannot be kept
standard:   DESIGN §4 Redis; I-2, I-3, I-10, I-12, I-13

Connections belong to an event loop, so everything that is open belongs to one `_Line`; a command of the command line
has its own loop and so its own line. A task of that loop watches, and closes the line when the loop or `close` ends it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from gateway.config.store import Store
from gateway.facts import Facts
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry import redis_listing, redis_open, redis_people, redis_rotation
from gateway.registry.journal import Journal
from gateway.registry.opening import Owner, journal_of
from gateway.registry.places import Places
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
from gateway.registry.redis_faults import as_registry_errors
from gateway.registry.redis_hand import Hand
from gateway.registry.redis_keys import Keys
from gateway.registry.redis_primary import Primary
from gateway.registry.redis_view import View
from gateway.registry.redis_writer import Writer

_RETRY = 1.0  # seconds between two tries to open a registry that is not trusted
_WATCH = 2.0  # seconds between two looks at the server's settings and at who is the primary
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the registry is, and how to get in."""

    store: Store
    organisation: str
    username: str | None = None
    password: str | None = None

    @property
    def keys(self) -> Keys:
        return Keys.of(self.store.prefix, self.organisation)

    def primary(self) -> Primary:
        return Primary(self.store, self.username, self.password, self.keys.identity)


@dataclass(slots=True)
class _Line:
    """What is open in one loop. `view` and `writer` are there only while the registry is trusted."""

    loop: asyncio.AbstractEventLoop
    primary: Primary
    opening: asyncio.Lock
    writer: Writer | None = None
    view: View | None = None
    fault: RegistryUnavailable | None = None
    tried: float = 0.0
    keeper: asyncio.Task[None] | None = None


class RedisRegistry:
    """One process's registry. `reach` None: the credentials are not there, which `why` says."""

    def __init__(
        self, reach: Reach, where: Places, owner: Owner, seen: Callable[[float], None] | None = None, why: str = ""
    ) -> None:
        self._reach = reach
        self.places = where
        self._owner = owner
        self._seen = seen
        self._why = why
        self._beside_hand = ThreadPoolExecutor(max_workers=1, thread_name_prefix="registry")
        self._line: _Line | None = None
        self._trouble = "the registry is being opened and checked"
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    async def facts(self, people: Sequence[Person]) -> list[Facts]:
        """One batched read; a registry that stopped being trusted is opened and checked anew, at most once a second."""
        return await self._see(lambda view: view.read(people))

    async def contact(self, client: str, contact: str) -> bytes | None:
        return await self._see(lambda view: view.contact(client, contact))

    async def published(self, ids: Collection[str]) -> frozenset[str]:
        return await self._see(lambda view: view.published(ids))

    async def record(self, events: Sequence[Event]) -> list[int]:
        return await self._write(lambda writer: writer.record(events))

    async def ingest(self) -> int:
        return await self._write(lambda writer: writer.ingest())

    async def replay(self) -> int:
        return await self._write(lambda writer: writer.replay())

    async def act(self, act: Act, person: Person | None) -> None:
        await self._write(lambda writer: redis_people.act(writer, act, person))

    async def acts(self, person: Person) -> list[Act]:
        return await self._write(lambda writer: redis_people.acts(writer, person))

    async def history(self, person: Person) -> list[tuple[int, Event]]:
        return await self._write(lambda writer: redis_people.history(writer, person))

    async def feed(self, after: int, limit: int) -> list[Fed]:
        return await self._write(lambda writer: redis_listing.feed(writer.hand, after, limit))

    async def returns(self, limit: int) -> list[Return]:
        return await self._write(lambda writer: redis_listing.returns(writer.hand, limit))

    async def erase(self, person: Person, at: int, evidence: Evidence) -> int:
        return await self._write(lambda writer: redis_people.erase(writer, person, at, evidence))

    async def move(self, old: Person, new: Person, at: int, evidence: Evidence) -> int:
        return await self._write(lambda writer: redis_people.move(writer, old, new, at, evidence))

    async def purge(self, kinds: Collection[EventKind], before: int) -> int:
        return await self._write(lambda writer: redis_people.purge(writer, kinds, before))

    async def oldest(self, kinds: Collection[EventKind]) -> int | None:
        return await self._write(lambda writer: redis_listing.oldest(writer.hand, kinds))

    async def state_rows(self, after: bytes, limit: int) -> list[StateRow]:
        return await self._write(lambda writer: redis_listing.state_rows(writer.hand, after, limit))

    async def event_rows(self, after: int, limit: int) -> list[EventRow]:
        return await self._write(lambda writer: redis_listing.event_rows_after(writer.hand, after, limit))

    async def load(self, states: Sequence[StateRow], events: Sequence[EventRow]) -> None:
        await self._write(lambda writer: redis_people.load(writer, states, events))

    async def lift(self, *, begin: bool = True) -> int:
        """Bring every row to the newest layer of the keys, some buckets at a time. Gives the changes needed."""
        if not await self._write(lambda writer: redis_rotation.begin(writer, begin=begin)):
            return 0
        after: int | None = -1
        changes = 0
        while after is not None:
            after = await self._write(partial(_lift_some, after))
            changes += 1
        return changes

    async def nodes(self) -> list[redis_open.NodeRow]:
        """Every node that ever wrote here."""
        return await self._write(lambda writer: redis_open.nodes(writer.hand))

    async def retire(self, journal: str, act: Act) -> str:
        """Wait no longer for the node with this journal; gives its whole name."""
        name = await self._write(lambda writer: redis_open.retire(writer, journal, act))
        await self.act(replace(act, what=f"retire node {name}"), None)
        return name

    async def status(self) -> dict[str, int | str]:
        """Counts and positions, for people."""
        return await self._write(_status)

    def use_keys(self, pseudonyms: Pseudonyms) -> None:
        """Work with these keys, the old ones and a new one, from the next question on (`settled`)."""
        if pseudonyms != self._owner.pseudonyms:
            self._owner = replace(self._owner, pseudonyms=pseudonyms)
            if self._line is not None:
                self._let_go(self._line)

    async def settled(self) -> None:
        """Returns when the look under way is done, and new keys are in use, or it is known why not."""
        if self._looking is not None and not self._looking.done():
            await asyncio.shield(self._looking)
        with suppress(RegistryUnavailable):
            await self._opened(self._here())

    async def init(self) -> None:
        """Make a new registry; raises `RegistryExists`."""
        await self._make(lambda hand: redis_open.init(hand, self.places, self._owner), [])

    async def adopt(self, act: Act) -> list[str]:
        """Accept what is in Redis, or join it as one more node. Gives what was done, in words."""
        done: list[str] = []
        await self._make(lambda hand: redis_open.adopt(hand, self.places, self._owner, done), done)
        await self.act(replace(act, what=f"adopt: {'; '.join(done)}"), None)
        return done

    def trouble(self) -> str:
        """What the last look found; sets off another one, so that /readyz needs no traffic to turn red or green."""
        with suppress(RuntimeError):
            self._line_of(asyncio.get_running_loop())
            if not self._closed and (self._looking is None or self._looking.done()):
                self._looking = asyncio.get_running_loop().create_task(self._look_around(), name="registry look")
        return self._trouble

    def close(self) -> None:
        """Let go of the files; connections end with their loop, or as soon as it turns again."""
        self._closed = True
        self._end(self._line)
        self._line = None
        self._beside_hand.shutdown(wait=True)

    async def _see(self, look: Callable[[View], Awaitable[_T]]) -> _T:
        return await self._twice(lambda line: look(_there(line.view)))

    async def _write(self, act: Callable[[Writer], Awaitable[_T]]) -> _T:
        return await self._twice(lambda line: act(_there(line.writer)))

    async def _twice(self, act: Callable[[_Line], Awaitable[_T]]) -> _T:
        """Once more, on a registry that was checked anew, when it was not the one it should be."""
        line = self._here()
        before = line.view
        if before is not None:
            try:
                with as_registry_errors():
                    return await act(line)
            except RegistryMistrusted as error:
                if line.view is before and not _waits(error):
                    self._let_go(line)
                elif _waits(error):
                    raise
            except RegistryUnavailable:
                line.primary.forget()
                raise
        await self._opened(line)
        try:
            with as_registry_errors():
                return await act(line)
        except RegistryUnavailable:
            line.primary.forget()
            raise

    async def _opened(self, line: _Line) -> None:
        async with line.opening:
            if line.view is not None:
                return
            if line.fault is not None and time.monotonic() - line.tried < _RETRY:
                raise type(line.fault)(str(line.fault))
            await self._open(line)

    async def _open(self, line: _Line) -> None:
        """Meanwhile nobody gets facts: the old ones are in doubt."""
        self._let_go(line)
        line.fault, line.tried = None, time.monotonic()
        try:
            if self._why:
                raise RegistryUnavailable(self._why)
            with as_registry_errors():
                redis_open.remembered(self.places)
                line.writer = self._writer(line, await self._beside(lambda: journal_of(self.places, self._owner)))
                await redis_open.safe(line.writer.hand, self._reach.store)
                proof = await redis_open.trust(line.writer)
                expected = proof.identity(line.writer.journal.head)
                line.view = View(line.writer.hand, self.places, expected, self._owner, self._seen)
        except RegistryUnavailable as error:
            line.fault = error
            self._let_go(line)
            line.primary.forget()
            raise

    async def _make(self, prepare: Callable[[Hand], Awaitable[Journal]], done: list[str]) -> None:
        line = self._here()
        async with line.opening:
            self._let_go(line)
            if self._why:
                raise RegistryUnavailable(self._why)
            with as_registry_errors():
                hand = Hand(line.primary, self._reach.keys, bytes(16), self._reach.store.copies)
                await redis_open.safe(hand, self._reach.store)
                journal = await prepare(hand)
                try:
                    await redis_open.accept(self._writer(line, journal), done)
                finally:
                    journal.close()
            line.fault = None

    def _writer(self, line: _Line, journal: Journal) -> Writer:
        hand = Hand(line.primary, self._reach.keys, journal.head.identity, self._reach.store.copies)
        return Writer(hand, self.places, self._owner, journal, self._beside)

    async def _look_around(self) -> None:
        """What `trouble` tells: a whole look, with the settings of the server and who the primary is."""
        try:
            await self.facts(())
            line = self._here()
            with as_registry_errors():
                if await line.primary.moved():
                    self._let_go(line)
                    line.primary.forget()
                    raise RegistryMistrusted("another Redis is the primary by now")
                if line.writer is not None:
                    await redis_open.safe(line.writer.hand, self._reach.store)
                await line.primary.tidy()
        except RegistryUnavailable as error:
            self._trouble = str(error)
            if isinstance(error, RegistryMistrusted) and self._line is not None and not _waits(error):
                self._let_go(self._line)
        else:
            self._trouble = ""

    async def _keep(self, line: _Line) -> None:
        """Looks around now and then, and closes the connections when the loop ends or the registry is closed."""
        try:
            while True:
                await asyncio.sleep(_WATCH)
                if line.view is not None:
                    await self._look_around()
        finally:
            for _ in range(3):  # `close` and then the end of the loop cancel this, each once
                with suppress(asyncio.CancelledError):
                    await line.primary.close()
                    break

    def _here(self) -> _Line:
        if self._closed:
            raise RegistryUnavailable("the registry is closed")
        return self._line_of(asyncio.get_running_loop())

    def _line_of(self, loop: asyncio.AbstractEventLoop) -> _Line:
        line = self._line
        if line is None or line.loop is not loop:
            self._end(line)
            line = self._line = _Line(loop, self._reach.primary(), asyncio.Lock())
            line.keeper = loop.create_task(self._keep(line), name="registry watch")
        return line

    def _end(self, line: _Line | None) -> None:
        if line is None:
            return
        self._let_go(line)
        for task in (line.keeper, self._looking):
            if task is not None and not line.loop.is_closed():
                task.cancel()

    def _let_go(self, line: _Line) -> None:
        view, writer = line.view, line.writer
        line.view = line.writer = None
        if view is not None:
            view.close()
        if writer is not None:
            writer.leave()

    async def _beside(self, act: Callable[[], Any]) -> Any:
        """Runs what may block. Who is cancelled meanwhile waits for it: no lock and no file may go from under it."""
        running = asyncio.get_running_loop().run_in_executor(self._beside_hand, act)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])
            raise


async def _lift_some(after: int, writer: Writer) -> int | None:
    return await redis_rotation.lift_some(writer, after)


def _there(part: _T | None) -> _T:
    if part is None:
        raise RegistryMistrusted("the registry is being opened and checked")
    return part


def _waits(error: RegistryUnavailable) -> bool:
    """Whether only other nodes can end this trouble; opening anew would not."""
    return "have not checked their journals" in str(error)


async def _status(writer: Writer) -> dict[str, int | str]:
    async with writer.locked():
        journal = await writer.beside(writer.journal.verify)
        proof, _ = await writer.hand.look()
        found = writer.see(proof)
    waiting = await redis_listing.waiting(writer.hand, found.layer) if found.floor is not None else 0
    return {
        "registry": found.registry.hex(),
        "node": writer.hand.node,
        "people": proof.people,
        "events": proof.last,
        "journal": journal.position,
        "applied": found.applied.position,
        "web": found.ingested.position if found.ingested else 0,
        "layer": found.layer,
        "waiting": waiting,
        "octets": await redis_listing.octets(writer.hand, proof),
        "torn": writer.journal.torn,
    }
