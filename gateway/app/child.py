"""One child process as the parent sees it: start, beats, reload in two steps, drain.

what:       a process with inherited sockets and a control wire
knows not:  what the child does, how it is started (`nursery`)
fails by:   a child that does not answer in time counts as refusing
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.app.control import Signal, Wire, texts_out
from gateway.app.nursery import Born, Nursery
from gateway.config.load import Loaded

_ANSWER_LIMIT = 30.0
_DRAIN_LIMIT = 40.0
_AGAIN = 0.1
NOT_STARTED = 1
"""The code of a child for which there was no process."""


@dataclass(slots=True)
class Child:
    """`kind` is "worker" or "web"; `beat` is time.monotonic() of its last sign of life."""

    name: str
    kind: str
    number: int
    sockets: Collection[str]
    """Names of the listening sockets it accepts on."""
    nursery: Nursery
    pid: int = 0
    ready: bool = False
    was_ready: bool = False
    """Whether the process that ran last ever got ready."""
    trouble: str = "starting"
    keys: str = ""
    """Which pseudonym keys it works with, as it says."""
    rekeyed: bool = False
    """Whether this process was told that all work with the same."""
    beat: float = field(default_factory=time.monotonic)
    _born: Born | None = None
    _wire: Wire | None = None
    _answer: asyncio.Future[Signal] | None = None

    async def live(self, loaded: Loaded) -> int:
        """Start the process, listen to it until it ends; gives its exit code."""
        self.ready, self.was_ready, self.trouble, self.beat = False, False, "starting", time.monotonic()
        try:
            self._born, ours = await self.nursery.bear(self.kind, self.number, self.sockets)
        except OSError:
            return NOT_STARTED
        self.pid = self._born.pid
        self._wire = await Wire.over(ours)
        try:
            await self._wire.send(do="start", texts=texts_out(loaded.texts))
            await self._listen()
        except ConnectionError:
            pass  # it ended; its exit code says how
        finally:
            self._wire.close()
            self._wire, self.ready, self.trouble = None, False, "not running"
            if self._answer is not None and not self._answer.done():
                self._answer.set_result({"why": f"{self.name} ended"})
        return await asyncio.shield(self._born.ended)

    async def prepare(self, texts: Mapping[Path, bytes]) -> str:
        """Ask it to get ready for new rules; "" when it is, else why not."""
        answer = await self._ask(do="prepare", texts=texts_out(texts))
        return "" if answer.get("is") == "prepared" else str(answer.get("why", f"{self.name} did not answer"))

    async def settle(self, *, commit: bool) -> None:
        """Second step: take the prepared rules, or forget them."""
        await self._send(do="commit" if commit else "abort")

    async def settled(self) -> None:
        """Returns when it uses what it was told to take; a child that died meanwhile reads everything anew."""
        self.rekeyed = False
        self.keys = str((await self._ask(do="settle")).get("keys", "unknown"))

    async def rekey(self) -> None:
        """Every process has the same keys: told once."""
        if not self.rekeyed:
            self.rekeyed = await self._send(do="rekey")

    async def end(self, keeper: asyncio.Task[None]) -> None:
        """Drain it until `keeper`, which starts it no more, is done; it may be on the point of being started."""
        while not keeper.done():
            await self.drain()
            await asyncio.wait({keeper}, timeout=_AGAIN)

    async def drain(self) -> None:
        """Ask it to finish; after the limit it is killed, and the spool still has everything."""
        if self._born is None:
            return
        self._born.signal(signal.SIGTERM)
        await asyncio.wait({self._born.ended}, timeout=_DRAIN_LIMIT)
        self._born.signal(signal.SIGKILL)

    async def _ask(self, **order: object) -> Signal:
        self._answer = asyncio.get_running_loop().create_future()
        if not await self._send(**order):
            return {"why": f"{self.name} is not running"}
        try:
            return await asyncio.wait_for(self._answer, _ANSWER_LIMIT)
        except TimeoutError:
            return {"why": f"{self.name} did not answer in time"}

    async def _send(self, **order: object) -> bool:
        """False where it is not running, or died this moment: its successor reads everything anew."""
        if self._wire is None:
            return False
        try:
            await self._wire.send(**order)
        except ConnectionError:
            return False
        return True

    async def _listen(self) -> None:
        assert self._wire is not None
        while True:
            sign = await self._wire.receive()
            self.beat = time.monotonic()
            if sign["is"] == "ready":
                self.ready, self.was_ready, self.trouble = True, True, ""
                self.keys, self.rekeyed = str(sign["keys"]), False
            elif sign["is"] == "beat":
                self.trouble = str(sign["trouble"])
            elif self._answer is not None and not self._answer.done():
                self._answer.set_result(sign)
