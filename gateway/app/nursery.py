"""Where children are started: a process that has imported everything forks them, so that a start costs a fork.

what:       `Nursery`: starts that process when it is first needed, and again when it is gone; tells how children ended
takes→gives: kind and number of a child → `Born` and our end of the control wire
knows not:  what children do
fails by:   a child that could not be started has ended, with code 1; the code of one that outlived its nursery is LOST
standard:   DESIGN §4 Shape; pidfd_open(2), unix(7) SCM_RIGHTS
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

LONGEST = 4096  # octets of one message between this process and the other
LOST = -signal.SIGKILL
"""What is told of a child that ended while nobody was there to collect its code."""


@dataclass(frozen=True, slots=True)
class Born:
    """A child: `handle` is its own pidfd, so that no signal can reach another process that got its number."""

    pid: int
    handle: int
    ended: asyncio.Future[int]

    def signal(self, number: signal.Signals) -> None:
        if not self.ended.done():
            try:
                signal.pidfd_send_signal(self.handle, number)
            except ProcessLookupError:
                pass  # it ended this moment


@dataclass(slots=True)
class Nursery:
    """`modules` are imported there beforehand; `sockets` listen, and each child is given some of them."""

    modules: Collection[str]
    sockets: Mapping[str, socket.socket]
    environment: Mapping[str, str]
    started: int = 0
    """Processes so far."""
    _process: Process | None = None
    _orders: socket.socket | None = None
    _asked: deque[asyncio.Future[Born]] = field(default_factory=deque)
    _living: dict[int, Born] = field(default_factory=dict)
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def bear(self, kind: str, number: int, sockets: Collection[str]) -> tuple[Born, socket.socket]:
        """A new child, and our end of its control wire. Raises `OSError` when there is none."""
        order = json.dumps({"kind": kind, "number": number, "sockets": list(sockets)}).encode()
        try:
            return await self._wired(order)
        except ConnectionResetError:
            return await self._wired(order)  # it was found dead: of another one

    async def _wired(self, order: bytes) -> tuple[Born, socket.socket]:
        """Each time over a wire of its own: a child nobody told of finds it closed, and ends."""
        with ExitStack() as undo:
            ours, theirs = socket.socketpair()
            undo.callback(ours.close)
            with theirs:
                born = await self._ask(order, theirs)
            undo.pop_all()
        return born, ours

    async def _ask(self, order: bytes, wire: socket.socket) -> Born:
        async with self._starting:
            if self._orders is None:
                await self._start()
            assert self._orders is not None
            asked: asyncio.Future[Born] = asyncio.get_running_loop().create_future()
            self._asked.append(asked)
            try:
                socket.send_fds(self._orders, [order], [wire.fileno()])
            except OSError:
                self._gone()
        return await asked

    async def close(self) -> None:
        """End the process; children that are still there live on, and nobody hears with which code they end."""
        self._gone()
        if self._process is not None:
            await self._process.wait()
            self._process = None

    async def _start(self) -> None:
        await self.close()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        listening = ",".join(f"{name}={sock.fileno()}" for name, sock in self.sockets.items())
        with ExitStack() as undo, theirs:
            undo.callback(ours.close)
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway.app.nursery_child",
                str(theirs.fileno()), listening, ",".join(self.modules),
                pass_fds=[theirs.fileno(), *(sock.fileno() for sock in self.sockets.values())],
                env=dict(self.environment),
                start_new_session=True,  # Ctrl-C goes to the parent, which drains
            )  # fmt: skip
            undo.pop_all()
        self.started += 1
        self._orders = ours
        asyncio.get_running_loop().add_reader(ours.fileno(), self._read)

    def _read(self) -> None:
        """One message: a child was born, or one ended."""
        assert self._orders is not None
        try:
            message, handles, _, _ = socket.recv_fds(self._orders, LONGEST, 1, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return
        except ConnectionError:
            message, handles = b"", []
        if not message:
            self._gone()
            return
        told: dict[str, int] = json.loads(message)
        if "born" in told and not handles:  # no descriptor was left for it (MSG_CTRUNC)
            self._gone()
        elif "born" in told:
            born = Born(told["born"], handles[0], asyncio.get_running_loop().create_future())
            self._living[born.pid] = born
            self._answer(born)
        elif "ended" in told:
            self._end(told["ended"], told["code"])
        else:
            self._answer(OSError(told["errno"], os.strerror(told["errno"])))

    def _answer(self, answer: Born | OSError) -> None:
        asked = self._asked.popleft()
        if asked.done():
            return  # whoever asked went away; its end of the wire is closed, so the child ends
        if isinstance(answer, OSError):
            asked.set_exception(answer)
        else:
            asked.set_result(answer)

    def _end(self, pid: int, code: int) -> None:
        born = self._living.pop(pid)
        os.close(born.handle)
        if not born.ended.done():
            born.ended.set_result(code)

    def _gone(self) -> None:
        """The process ended: who waits for a child gets none; its children live on, watched by their handles."""
        if self._orders is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._orders.fileno())
        self._orders.close()
        self._orders = None
        while self._asked:
            self._answer(ConnectionResetError("the process that starts children is gone"))
        for born in self._living.values():
            loop.add_reader(born.handle, self._lost, born.pid)

    def _lost(self, pid: int) -> None:
        asyncio.get_running_loop().remove_reader(self._living[pid].handle)
        self._end(pid, LOST)
