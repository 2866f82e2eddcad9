"""One connection: lines in, replies out, timers, TLS. Knows how SMTP travels, not what it says.

what:       `Wire`, aiosmtpd's protocol class with input, output, time-outs and TLS of our own
takes→gives: octets → command lines; `Reply` → octets
knows not:  verbs, envelopes, clients
fails by:   `Goodbye` (end the session, perhaps with a reply), `PeerGone`, `LineTooLong`
standard:   RFC 5321 2.3.8, 4.5.3.2; RFC 2920 3.2; RFC 3207; R-002, R-008, R-096, R-107; LIBRARIES §6
"""

from __future__ import annotations

import asyncio
import logging
import math
import ssl
from collections.abc import Callable
from functools import lru_cache
from typing import cast

from aiosmtpd.smtp import SMTP

from gateway import reply
from gateway.config.gateway import Listener
from gateway.ingress.limits import IP, peer_address
from gateway.ingress.shared import Shared
from gateway.observe import maillog, metrics
from gateway.reply import Reply

# aiosmtpd writes commands at INFO and message lines at DEBUG; neither may ever reach a log (I-7).
logging.getLogger("mail.log").setLevel(logging.WARNING)

LONGEST_LINE = 12288
"""Octets with CR LF; the longest line there is, an answer in AUTH (RFC 4954 4)."""
_ENDLESS_LINE = 2**20
_BACKLOG = 2**18  # octets read ahead of the session before the network is told to wait
_REPLIES_TOGETHER = 2**14
HANDSHAKE_SECONDS = 30.0
_GOODBYE_SECONDS = 5.0  # for the last reply to leave; then the connection is cut


class Goodbye(Exception):
    """End the session after this reply (None: without one)."""

    def __init__(self, last: Reply | None) -> None:
        super().__init__(str(last))
        self.reply = last


class PeerGone(Exception):
    """The client closed its side, or the connection broke."""


class LineTooLong(Exception):
    """A command line over every limit; it was read to its end."""


class _NoHooks:
    """aiosmtpd calls methods of a handler by name and answers 250 where one is missing. We give it nothing to call."""


class Wire(SMTP):
    """A connection. `push` takes only `Reply` values, so no text of aiosmtpd can leave."""

    def __init__(self, shared: Shared, listener: Listener, tls: ssl.SSLContext | None) -> None:
        idle = shared.limits.idle.total_seconds()
        super().__init__(_NoHooks(), hostname=shared.hostname, timeout=idle, loop=asyncio.get_running_loop())
        self._shared = shared
        self._listener = listener
        self._starttls = tls
        self._inbox = bytearray()
        self._outbox = bytearray()
        self._arrival: asyncio.Future[None] | None = None
        self._ended = False
        self._resting = False  # waits for the first octet of a command
        self._deadline = math.inf
        self._late = reply.IDLE
        self._cut: asyncio.TimerHandle | None = None
        self._linger: Callable[[], None] | None = None
        self._counted = False
        self._held_back = False
        self._address: IP | None = None

    # -- coming and going ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._address = peer_address(transport.get_extra_info("peername"))
        self._counted = self._shared.occupancy.enter(self._address)
        self._shared.came(self)
        metrics.CONNECTIONS.labels(self._listener.name).inc()
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._gone()
        if self._linger is not None:
            self._linger()
        if self.transport is not None:
            super().connection_lost(error)

    def _gone(self) -> None:
        if self in self._shared.sessions:
            self._shared.went(self)
            metrics.CONNECTIONS.labels(self._listener.name).dec()
        if self._counted:
            self._counted = False
            self._shared.occupancy.leave(self._address)
        if self._cut is not None:
            self._cut.cancel()

    async def _handle_client(self) -> None:
        try:
            await self._converse()
        except Goodbye as goodbye:
            self._part(goodbye.reply)
        except PeerGone:
            self._part(None)

    async def _converse(self) -> None:
        raise NotImplementedError

    def _part(self, last: Reply | None) -> None:
        """Say the last word, let it leave, close."""
        if self.transport is None or self._cut is not None:
            return
        if last is not None:
            self._outbox += _octets(last)
            if last.code == 421:
                maillog.session_refused(self._listener.name, last.code, last.text)
            self._stay(last)
        transport = cast(asyncio.Transport, self.transport)
        self._cut = self.loop.call_later(_GOODBYE_SECONDS, transport.abort)
        if not transport.is_closing():
            transport.write(bytes(self._outbox))
        self._outbox.clear()
        transport.close()

    def _stay(self, last: Reply) -> None:
        """A client that did not ask to leave may be sending still: close so that it hears `last` all the same."""
        number = self.transport.get_extra_info("socket").fileno() if self.transport is not None else -1
        if last.code != reply.BYE.code and number >= 0:
            self._linger = self._shared.lingering.keep(number)

    def leave_when_idle(self) -> None:
        """The server stops: go now when nothing is under way; else the session goes after its transaction."""
        if self._resting and not self._inbox and not self._busy():
            self.leave_now()

    def leave_now(self) -> None:
        self._part(reply.SHUTTING_DOWN)

    def abort(self) -> None:
        if self.transport is not None:
            cast(asyncio.Transport, self.transport).abort()

    def _busy(self) -> bool:
        """Whether a transaction is open."""
        raise NotImplementedError

    # -- input -----------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._inbox += data
        if len(self._inbox) > _BACKLOG:
            self._pause()
        self._wake()

    def eof_received(self) -> bool:
        # A client may send everything and close its half; what it sent still counts (RFC 2920 3.2).
        self._ended = True
        self._wake()
        return not self._tls_version()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    def _pause(self) -> None:
        if not self._held_back and self.transport is not None:
            self._held_back = True
            cast(asyncio.Transport, self.transport).pause_reading()

    def _resume(self) -> None:
        if self._held_back and self.transport is not None:
            self._held_back = False
            cast(asyncio.Transport, self.transport).resume_reading()

    async def _more(self) -> None:
        """Wait for more octets. Raises `PeerGone` at the end of the stream."""
        await self._flush()
        if self._ended:
            raise PeerGone
        self._resume()
        self._arrival = self.loop.create_future()
        held = len(self._inbox)
        try:
            await self._arrival
        finally:
            self._arrival = None
        if len(self._inbox) == held:
            raise PeerGone

    async def _chunk(self) -> bytes:
        """All octets at hand, at least one."""
        if not self._inbox:
            await self._more()
        chunk = bytes(self._inbox)
        self._inbox.clear()
        return chunk

    async def _line(self) -> bytes:
        """One line without its CR LF. `Goodbye` on a bare CR, bare LF or NUL, `LineTooLong` behind a long one."""
        dropped = seen = 0
        while (end := self._inbox.find(b"\n", seen)) < 0:
            _refuse_ambiguity(self._inbox, len(self._inbox) - 1)
            if len(self._inbox) > LONGEST_LINE:
                dropped += len(self._inbox) - 1
                del self._inbox[:-1]  # the last octet may be the CR
            if dropped > _ENDLESS_LINE:
                raise Goodbye(reply.LINE_TOO_LONG)
            seen = len(self._inbox)
            await self._more()
        line = bytes(self._inbox[: end + 1])
        del self._inbox[: end + 1]
        if not line.endswith(b"\r\n"):
            raise Goodbye(reply.BARE_LINE_END_COMMAND)
        _refuse_ambiguity(line, len(line) - 2)
        if dropped or len(line) > LONGEST_LINE:
            raise LineTooLong
        return line[:-2]

    # -- output ----------------------------------------------------------------------------------------------------

    async def push(self, status: object) -> None:
        """Queue one reply; it leaves before the session waits for input, or with `_flush`."""
        if not isinstance(status, Reply):
            raise TypeError("only a Reply may be sent")
        self._outbox += _octets(status)
        if len(self._outbox) > _REPLIES_TOGETHER:
            await self._flush()

    async def _flush(self) -> None:
        if self.transport is None or self._cut is not None:
            raise PeerGone
        if self._deadline == math.inf:
            self._reset_timeout()  # a client that does not read is silent too
        if self._outbox:
            self._writer.write(bytes(self._outbox))
            self._outbox.clear()
        try:
            await self._writer.drain()
        except ConnectionError:
            raise PeerGone from None

    # -- time ------------------------------------------------------------------------------------------------------

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Give the client its full time again. One timer per session, which looks at the deadline when it fires."""
        self._wait_until(self.loop.time() + (duration or self._timeout_duration))

    def _wait_until(self, deadline: float) -> None:
        self._deadline = deadline
        if self._timeout_handle is None or self._timeout_handle.when() > deadline:
            self._arm(deadline)

    def _stop_the_clock(self) -> None:
        """Our own work does not count as the client's silence."""
        self._deadline = math.inf

    def _arm(self, when: float) -> None:
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        self._timeout_handle = self.loop.call_at(when, self._timeout_cb)

    def _timeout_cb(self) -> None:
        now = self.loop.time()
        heard = self._arrival is not None and self._arrival.done()  # octets came; the session has not had its turn yet
        if now < self._deadline or heard:
            self._arm(min(max(self._deadline, now + 0.001), now + self._timeout_duration))
        else:
            self._part(self._late)

    # -- TLS -------------------------------------------------------------------------------------------------------

    def _tls_version(self) -> str:
        """The negotiated version, e.g. "TLSv1.3", or ""."""
        encrypted = self.transport.get_extra_info("ssl_object") if self.transport is not None else None
        return "" if encrypted is None else str(encrypted.version())

    async def _start_tls(self, context: ssl.SSLContext) -> None:
        """Answer 220 and become encrypted. Raises `Goodbye` on anything behind STARTTLS or a failed handshake."""
        if self._inbox:
            # RFC 3207 4.2, CVE-2024-34083: nothing that came in clear may be read as if it came encrypted.
            raise Goodbye(reply.BAD_SEQUENCE)
        await self.push(reply.START_TLS)
        await self._flush()
        if self._inbox:
            raise Goodbye(None)
        try:
            await self._writer.start_tls(context, ssl_handshake_timeout=HANDSHAKE_SECONDS)
        except OSError:
            self._gone()
            raise Goodbye(None) from None
        # What is in the inbox by now came encrypted, behind the handshake.
        self.transport = self._writer.transport


@lru_cache(maxsize=256)
def _octets(status: Reply) -> bytes:
    return str(status).encode("ascii") + b"\r\n"


def _refuse_ambiguity(octets: bytes | bytearray, end: int) -> None:
    if octets.find(b"\r", 0, end) >= 0 or octets.find(b"\0") >= 0:
        raise Goodbye(reply.BARE_LINE_END_COMMAND)
