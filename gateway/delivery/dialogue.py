"""The client's half of an SMTP dialogue after login: writes in flights, reads replies in order.

what:       `Dialogue`, an asyncio protocol that takes over an open transport
takes→gives: octets → (code, text) pairs, each with its own time limit
knows not:  verbs, parameters, what an answer means, how the connection was opened
fails by:   `Lost` when the connection is gone, late or out of step
standard:   RFC 5321 4.2, 4.5.3.2; RFC 2920 3.1; R-016, R-107
"""

from __future__ import annotations

import asyncio
from collections import deque

_LINE_LIMIT = 4096  # generous over the 512 octets of RFC 5321 4.5.3.1.5
_REPLY_LIMIT = 65536


class Lost(Exception):
    """The connection cannot be used any more. `why`: closed, timeout, desync or malformed; never a peer's text."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Dialogue(asyncio.Protocol):
    """Reads replies only as far as they were asked for; anything else makes the connection unusable."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._buffer = bytearray()
        self._lines: list[bytes] = []
        self._held = 0
        self._replies: deque[tuple[int, str]] = deque()
        self._expected = 0
        self._waiter: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._paused = False
        self._why = ""
        transport.set_protocol(self)

    @property
    def alive(self) -> bool:
        """Whether a new transaction may be tried: open, in step, nothing unasked for was said."""
        return not self._why and not self._transport.is_closing() and not self._replies and not self._expected

    @property
    def answered(self) -> bool:
        """Whether a reply waits to be read."""
        return bool(self._replies)

    def write(self, data: bytes, replies: int) -> None:
        """Hand `data` to the transport at once, without giving up control; `replies` answers are expected for it."""
        if self._why or self._transport.is_closing():
            raise Lost(self._why or "closed")
        self._expected += replies
        self._transport.write(data)

    async def drain(self, seconds: float) -> None:
        """Wait until the transport takes more; `Lost` after `seconds` without progress."""
        if self._why:
            raise Lost(self._why)
        if self._paused:
            self._room = self._loop.create_future()
            await self._wait(self._room, seconds)

    async def read(self, seconds: float) -> tuple[int, str]:
        """The next reply: code, and its lines joined by a space."""
        if not self._replies:
            if self._why:
                raise Lost(self._why)
            self._waiter = self._loop.create_future()
            await self._wait(self._waiter, seconds)
        self._expected -= 1
        return self._replies.popleft()

    def leave(self, last: bytes) -> None:
        """Write `last` if it still can be written, and close after it; answers are not read."""
        if not self._why and not self._transport.is_closing():
            self._why = "closed"
            self._transport.write(last)
            self._transport.close()

    def end(self, why: str) -> None:
        """Close without a farewell."""
        self._why = self._why or why
        self._transport.abort()
        self._wake()

    async def _wait(self, waiter: asyncio.Future[None], seconds: float) -> None:
        timer = self._loop.call_later(seconds, self.end, "timeout")
        try:
            await waiter
        finally:
            timer.cancel()
        if self._why and not self._replies:
            raise Lost(self._why)

    def _wake(self) -> None:
        for waiter in (self._waiter, self._room):
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[: end + 1])
            del self._buffer[: end + 1]
            if not self._take(line.rstrip(b"\r\n")):
                self.end("malformed")
                return
        if len(self._buffer) > _LINE_LIMIT:
            self.end("malformed")
        elif len(self._replies) > self._expected:
            self.end("desync")
        elif self._replies and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _take(self, line: bytes) -> bool:
        mark = line[3:4]
        self._held += len(line)
        if not (line[:3].isdigit() and len(line) >= 3 and mark in (b"", b" ", b"-")) or self._held > _REPLY_LIMIT:
            return False
        self._lines.append(line)
        if mark != b"-":
            text = b" ".join(item[4:].strip() for item in self._lines)
            self._replies.append((int(line[:3]), text.decode("utf-8", "replace")))
            self._lines, self._held = [], 0
        return True

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._why = self._why or "closed"
        self._wake()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
