"""Accepting on one listening socket that other workers accept on too.

what:       few connections per turn, and later the more sessions this worker holds, so that an idler worker gets them
takes→gives: a bound socket → protocols from `factory`, connected
knows not:  SMTP, the other workers
fails by:   nothing: a connection that breaks while it comes in is nobody's; without descriptors it waits
standard:   DESIGN §4 Shape: one listening socket, no SO_REUSEPORT

asyncio's own server takes everything that waits in one turn: whoever looks first then has all kept connections of a
mailing program, and the other cores have none.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from socket import socket

from gateway.ingress.wire import HANDSHAKE_SECONDS

_TURN = 0.001  # seconds; what the timers of event loops can tell apart
_LATEST = 4  # turns
_SESSIONS_PER_TURN = 8
_NO_DESCRIPTORS = 1.0


class Door:
    """One listener of one worker. `held()` is how many sessions this worker has; `tls` only where it comes first."""

    def __init__(
        self, sock: socket, factory: Callable[[], asyncio.Protocol], held: Callable[[], int], tls: ssl.SSLContext | None
    ) -> None:
        self._socket, self._factory, self._held, self._tls = sock, factory, held, tls
        self._loop = asyncio.get_running_loop()
        self._coming: set[asyncio.Task[None]] = set()
        self._later: asyncio.TimerHandle | None = None
        self._open = False

    def open(self, queue: int) -> None:
        """Begin to accept; the kernel keeps up to `queue` connections for us."""
        self._socket.listen(queue)
        self._socket.setblocking(False)
        self._open = True
        self._watch()

    def close(self) -> None:
        """Accept no more, and let go of the socket; what is connected stays."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._socket)
            if self._later is not None:
                self._later.cancel()
            self._socket.close()

    def _watch(self) -> None:
        self._later = None
        self._loop.add_reader(self._socket, self._knocked)

    def _knocked(self) -> None:
        held = self._held()
        if not held:
            self._take(1)
            return
        turns = min(1 + held // _SESSIONS_PER_TURN, _LATEST)
        self._loop.remove_reader(self._socket)
        self._later = self._loop.call_later(turns * _TURN, self._take_and_watch, turns)

    def _take_and_watch(self, number: int) -> None:
        if self._take(number):
            self._watch()

    def _take(self, number: int) -> bool:
        """Accept up to `number`; False when it has to wait for descriptors."""
        for _ in range(number):
            try:
                connection, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionError):
                return True  # another worker was faster, or the client has left
            except OSError:
                self._loop.remove_reader(self._socket)
                self._later = self._loop.call_later(_NO_DESCRIPTORS, self._watch)
                return False
            connection.setblocking(False)
            task = self._loop.create_task(self._connect(connection))
            self._coming.add(task)
            task.add_done_callback(self._coming.discard)
        return True

    async def _connect(self, connection: socket) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._factory,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if self._tls else None,
            )
        except OSError:
            connection.close()  # no handshake, or gone before it began
