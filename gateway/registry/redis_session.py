"""One process's session with a registry in Redis: opening, looking around, coming back after trouble, ending.

what:       what is open in the loop that asks, and only while it is trusted
takes→gives: what is asked of a `View` or a `Writer` → its answer, on a registry that was checked
knows not:  what is asked
fails by:   `RegistryUnavailable`, `RegistryMistrusted`
standard:   I-3, I-13

Connections belong to an event loop, so everything that is open belongs to one `_Line`; a command of the command line
has its own loop and so its own line. A task of that loop watches, and closes the line when the loop or `close` ends it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from gateway.pseudonym import Pseudonyms
from gateway.registry import redis_open
from gateway.registry.journal import Journal
from gateway.registry.opening import Owner, journal_of
from gateway.registry.places import Places
from gateway.registry.protocol import RegistryMistrusted, RegistryUnavailable
from gateway.registry.redis_faults import as_registry_errors
from gateway.registry.redis_hand import Hand
from gateway.registry.redis_keys import Keys
from gateway.registry.redis_primary import Primary, Reach
from gateway.registry.redis_proof import Waiting
from gateway.registry.redis_view import View
from gateway.registry.redis_writer import Writer

_RETRY = 1.0  # seconds between two tries to open a registry that is not trusted
_WATCH = 2.0  # seconds between two looks at the server's settings and at who is the primary
_T = TypeVar("_T")


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


class Session:
    """`why`: what is missing among the credentials, where something is."""

    def __init__(
        self, reach: Reach, where: Places, owner: Owner, seen: Callable[[float], None] | None = None, why: str = ""
    ) -> None:
        self.reach = reach
        self.keys = Keys(reach.tag)
        self.places = where
        self.owner = owner
        self._seen = seen
        self._why = why
        self._beside_hand = ThreadPoolExecutor(max_workers=1, thread_name_prefix="registry")
        self._line: _Line | None = None
        self._trouble = "the registry is being opened and checked"
        self._looked = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    def use_keys(self, pseudonyms: Pseudonyms) -> None:
        """Work with these keys, the old ones and a new one, from the next question on (`settled`)."""
        if pseudonyms != self.owner.pseudonyms:
            self.owner = replace(self.owner, pseudonyms=pseudonyms)
            if self._line is not None:
                self._line.fault = None
                self._let_go(self._line)

    async def settled(self) -> None:
        """Returns when the look under way is done, and new keys are in use, or it is known why not."""
        if self._looking is not None and not self._looking.done():
            await asyncio.shield(self._looking)
        with suppress(RegistryUnavailable):
            await self._opened(self._here())

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

    async def see(self, look: Callable[[View], Awaitable[_T]]) -> _T:
        return await self._twice(lambda line: look(_there(line.view)))

    async def write(self, act: Callable[[Writer], Awaitable[_T]]) -> _T:
        return await self._twice(lambda line: act(_there(line.writer)))

    async def _twice(self, act: Callable[[_Line], Awaitable[_T]]) -> _T:
        """Once more, on a registry that was checked anew, when it was not the one it should be."""
        line = self._here()
        before = line.view
        if before is not None:
            try:
                with as_registry_errors():
                    return await act(line)
            except Waiting:
                raise
            except RegistryMistrusted:
                if line.view is before:
                    self._let_go(line)
        await self._opened(line)
        with as_registry_errors():
            return await act(line)

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
                line.writer = self._writer(line, await self._beside(lambda: journal_of(self.places, self.owner)))
                await redis_open.safe(line.writer.hand, self.reach.store)
                proof = await redis_open.trust(line.writer)
                expected = proof.identity(line.writer.journal.head)
                line.view = View(line.writer.hand, self.places, expected, self.owner, self._seen, line.writer.busy)
        except RegistryUnavailable as error:
            line.fault = error
            self._let_go(line)
            line.primary.forget()
            raise

    async def make(self, prepare: Callable[[Hand], Awaitable[Journal]], done: list[str]) -> None:
        """Make or accept a registry; `done` is told in words what that took."""

        async def made(hand: Hand) -> None:
            await redis_open.safe(hand, self.reach.store)
            journal = await prepare(hand)
            try:
                await redis_open.accept(self._writer(self._here(), journal), done)
            finally:
                journal.close()
            self._here().fault = None

        await self.with_hand(made)

    async def with_hand(self, act: Callable[[Hand], Awaitable[_T]]) -> _T:
        """Something that needs no trust, as long as nothing is open."""
        line = self._here()
        async with line.opening:
            self._let_go(line)
            if self._why:
                raise RegistryUnavailable(self._why)
            with as_registry_errors():
                return await act(Hand(line.primary, self.keys, bytes(16), self.reach.store.copies))

    def _writer(self, line: _Line, journal: Journal) -> Writer:
        hand = Hand(line.primary, self.keys, journal.head.identity, self.reach.store.copies)
        return Writer(hand, self.places, self.owner, journal, self._beside)

    async def _look_around(self) -> None:
        """What `trouble` tells: a whole look, with the settings of the server and who the primary is."""
        self._looked = time.monotonic()
        try:
            await self.see(lambda view: view.read(()))
            line = self._here()
            with as_registry_errors():
                if await line.primary.moved():
                    self._let_go(line)
                    line.primary.forget()
                    raise RegistryMistrusted("another Redis is the primary by now")
                if line.writer is not None:
                    await redis_open.safe(line.writer.hand, self.reach.store)
                await line.primary.tidy()
        except RegistryUnavailable as error:
            self._trouble = str(error)
            if isinstance(error, RegistryMistrusted) and self._line is not None and not isinstance(error, Waiting):
                self._let_go(self._line)
        else:
            self._trouble = ""

    async def _keep(self, line: _Line) -> None:
        """Looks around now and then, and closes the connections when the loop ends or the registry is closed."""
        own = asyncio.current_task()
        try:
            # A library may turn a cancellation into an error of its own; the task knows all the same.
            while own is not None and not own.cancelling():
                await asyncio.sleep(_WATCH)
                if line.view is not None and time.monotonic() - self._looked >= _WATCH:
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
            line = self._line = _Line(loop, self.reach.primary(), asyncio.Lock())
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


def _there(part: _T | None) -> _T:
    if part is None:
        raise RegistryMistrusted("the registry is being opened and checked")
    return part
