"""Attachments are read in a process of their own, one per worker: what breaks there breaks nothing here.

what:       `Inspector`: starts that process when it is first needed, asks it item by item, replaces it when it dies
takes→gives: items of a mail → `Inspection`
knows not:  formats, rules
fails by:   a part on which the process dies or does not end is an `Unread`; `InspectorUnavailable` where none can be
            started, or too many mails wait
standard:   R-050; S-11, S-53; I-3
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gateway.app.inspector_frames import (
    LENGTHS,
    LONGEST_ANSWER,
    Answer,
    Request,
    answer_in,
    pack,
    request_out,
)
from gateway.config.inspector import Inspector as Settings
from gateway.content import InspectorUnavailable
from gateway.documents.protocol import Bounds
from gateway.documents.read import readable
from gateway.inspection import NOTHING, Inspection, Item, Unread

TOO_LONG = "reading it takes too long"
FAILED = "reading it failed"
_LEFT = "not read after other files failed"
_START = "import sys; sys.path.insert(0, sys.argv[1]); from gateway.app.inspector_child import main; main()"
_FOLDER = str(Path(__file__).parents[2])
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Of the process (octets), of one item (seconds of processor), of one mail (seconds), and of the queue (mails)."""

    memory: int = 1024 * 2**20
    cpu: int = 20
    wall: float = 60.0
    start: float = 30.0
    waiting: int = 64
    deaths: int = 3
    """After so many deaths the rest of the mail is not tried."""
    worn: int = 256 * 2**20
    """A process that ever had so much memory is replaced by a fresh one."""

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """As `inspector:` in the settings says."""
        cpu, wall = settings.processor_time.total_seconds(), settings.time.total_seconds()
        return cls(settings.memory, int(cpu), wall, waiting=settings.waiting)


class _Died(Exception):
    """The process ended, or answered what is no answer."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(slots=True)
class Inspector:
    """One mail at a time, in the order of asking."""

    bounds: Bounds = field(default_factory=Bounds)
    limits: Limits = field(default_factory=Limits)
    started: int = 0
    """Processes so far."""
    _process: Process | None = None
    _memory: int = 0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _waiting: int = 0
    _closed: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Inspector:
        """As `inspector:` in the settings says."""
        return cls(Bounds.of(settings), Limits.of(settings))

    def reload(self, settings: Settings) -> None:
        """From the next file on; a process with another limit on its memory is replaced."""
        self.bounds, self.limits = Bounds.of(settings), Limits.of(settings)

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return self._process.pid if self._process is not None else None

    async def inspect(self, items: Sequence[Item], words: tuple[str, ...] = ()) -> Inspection:
        """Look into all items, also for `words`; a part that cannot be read does not hide the others."""
        asked = [item for item in items if readable(item)]
        if not asked:
            return NOTHING
        if self._closed or self._waiting >= self.limits.waiting:
            raise InspectorUnavailable("closed" if self._closed else "too many mails wait to be looked into")
        self._waiting += 1
        try:
            await self._turn_comes()
            try:
                return await self._mail(asked, words)
            finally:
                self._turn.release()
        finally:
            self._waiting -= 1

    async def _turn_comes(self) -> None:
        """Whose client waits as long as a mail may take hears sooner that the mail is stored (RFC 5321 4.5.3.2.6)."""
        try:
            async with asyncio.timeout(self.limits.wall):
                await self._turn.acquire()
        except TimeoutError:
            raise InspectorUnavailable("the mails before it take too long") from None

    async def close(self) -> None:
        """End the process; whoever waits is told that there is none."""
        self._closed = True
        await self._end()

    async def _mail(self, items: Sequence[Item], words: tuple[str, ...]) -> Inspection:
        key, spent, deaths = secrets.token_bytes(32), (0, 0, 0), 0
        found = Inspection(key=key)
        ends = asyncio.get_running_loop().time() + self.limits.wall
        for item in items:
            left = ends - asyncio.get_running_loop().time()
            if deaths >= self.limits.deaths or left <= 0:
                found = _merged(found, Inspection(unread=(Unread(item.part, TOO_LONG if left <= 0 else _LEFT),)))
                continue
            request = Request(item, self.bounds, spent, key, self.limits.cpu, words)
            try:
                answer = await self._one(request, left)
            except _Died as error:
                deaths += 1
                found = _merged(found, Inspection(unread=(Unread(item.part, error.why),)))
            else:
                spent = answer.spent
                found = _merged(found, answer.inspection)
        return found

    async def _one(self, request: Request, seconds: float) -> Answer:
        """Raises `_Died`, the process being gone then, and `InspectorUnavailable`."""
        process = await self._started()
        settled = False
        try:
            async with asyncio.timeout(seconds):
                await _send(process, request)
                answer = answer_in(await _receive(process), request.item.part, request.key)
            settled = answer.peak < self.limits.worn
        except TimeoutError:
            raise _Died(TOO_LONG) from None
        except (ConnectionError, EOFError, ValueError):
            raise _Died(await self._why()) from None
        finally:
            if not settled:
                await self._end()  # also when whoever asked went away: its answer would be the next one's
        return answer

    async def _why(self) -> str:
        process = self._process
        await self._end()
        return TOO_LONG if process is not None and process.returncode == -signal.SIGXCPU else FAILED

    async def _started(self) -> Process:
        if self._closed:
            raise InspectorUnavailable("closed")
        if self._process is not None:
            if _alive(self._process) and self._memory == self.limits.memory:
                return self._process
            await self._end()
        self._memory, ready = self.limits.memory, False
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-B", "-X", "utf8", "-c", _START,
                _FOLDER, str(os.getpid()), str(self._memory),
                stdin=PIPE, stdout=PIPE, stderr=DEVNULL,  # a traceback would show the mail
                env={},
            )  # fmt: skip
            self.started += 1
            async with asyncio.timeout(self.limits.start):
                await _receive(self._process)
            ready = True
        except (OSError, EOFError, ValueError) as error:  # TimeoutError is an OSError
            raise InspectorUnavailable("the inspector does not start") from error
        finally:
            if not ready:
                await self._end()  # also when whoever asked went away: its first word would be the next one's answer
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if _alive(process):
            # Not `process.kill`: it collects a process that ended this moment, and then nobody learns how it ended.
            os.kill(process.pid, signal.SIGKILL)
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


def _alive(process: Process) -> bool:
    """Asked of the kernel: a process that ended while nobody asked must not cost the next mail a part."""
    if process.returncode is not None:
        return False
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False


async def _send(process: Process, request: Request) -> None:
    """The content goes through the pipe as it is, once."""
    assert process.stdin is not None
    content = memoryview(request.item.content)
    process.stdin.write(pack(request_out(request), len(content)))
    for at in range(0, len(content), _CHUNK):
        process.stdin.write(content[at : at + _CHUNK])
        await process.stdin.drain()
    await process.stdin.drain()


async def _receive(process: Process) -> bytes:
    assert process.stdout is not None
    length, nothing = LENGTHS.unpack(await process.stdout.readexactly(LENGTHS.size))
    if length > LONGEST_ANSWER or nothing:
        raise ValueError("not an answer")
    return await process.stdout.readexactly(length)


def _merged(one: Inspection, other: Inspection) -> Inspection:
    addresses = dict(one.addresses)
    for address, places in other.addresses.items():
        addresses[address] = (*addresses.get(address, ()), *places)[:8]
    return replace(
        one,
        findings=(*one.findings, *other.findings),
        addresses=addresses,
        unread=(*one.unread, *other.unread),
        crowded=(*one.crowded, *other.crowded),
        worded=(*one.worded, *other.worded),
    )
