"""Closing without losing the last reply.

what:       `Lingering`, the connections whose session has ended and whose client may still be sending
takes→gives: a connection's socket → what still comes is read and dropped, until the client closes or time is up
knows not:  sessions, SMTP, TLS
fails by:   closing at once, as without it: when there are too many already, or no descriptor is left
standard:   RFC 1122 4.2.2.13: closing with octets unread sends RST; RFC 5321 3.8: the client must hear the reply

A client in the middle of its message meets that RST with the reply unread: it reports a broken connection in place of
the reason, and comes back with the same message for days.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from socket import SHUT_WR, socket

_SECONDS = 5.0
_OCTETS = 2**24
_MOST = 256
_PIECE = 2**16


class Lingering:
    """All such connections of one worker."""

    def __init__(self) -> None:
        self._kept: dict[socket, asyncio.TimerHandle | None] = {}  # without a timer: its transport is still writing

    @property
    def count(self) -> int:
        """Connections still kept for their client to read the last reply."""
        return len(self._kept)

    def keep(self, number: int) -> Callable[[], None] | None:
        """Keep the connection of descriptor `number` although its transport is about to close it.

        Gives what to call once the transport has written everything; None when it cannot be kept.
        """
        if len(self._kept) >= _MOST:
            return None
        try:
            kept = socket(fileno=os.dup(number))
        except OSError:
            return None
        self._kept[kept] = None
        return lambda: self._linger(kept)

    def end(self) -> None:
        """Close them all now."""
        for kept in tuple(self._kept):
            self._close(kept)

    def _linger(self, kept: socket) -> None:
        if kept not in self._kept:
            return  # the server has stopped
        loop = asyncio.get_running_loop()
        self._kept[kept] = loop.call_later(_SECONDS, self._close, kept)
        try:
            kept.setblocking(False)
            kept.shutdown(SHUT_WR)
        except OSError:
            self._close(kept)  # the client was faster
        else:
            loop.add_reader(kept, self._drop, kept, [_OCTETS])

    def _drop(self, kept: socket, left: list[int]) -> None:
        try:
            octets = len(kept.recv(_PIECE))
        except BlockingIOError:
            return
        except OSError:
            octets = 0
        left[0] -= octets
        if not octets or left[0] < 0:
            self._close(kept)

    def _close(self, kept: socket) -> None:
        if (timer := self._kept.pop(kept)) is not None:
            timer.cancel()
        asyncio.get_running_loop().remove_reader(kept)
        kept.close()
