"""Open connections of one provider, kept for reuse.

what:       `Pool`: hands out a healthy connection, takes it back, closes what idles
takes→gives: a maker of the `Hop` → `Connection`
knows not:  messages, recipients, how many connections may be open (the line's lanes are that limit)
fails by:   `Unreachable` from opening; what the maker raises (a missing password or authorities' file) on each take
standard:   RFC 5321 4.5.3.2.7; R-120
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.delivery.relay import Connection, Hop, Timers, open_connection


class Pool:
    """Last in, first out, so that spare connections grow old and go."""

    def __init__(self, make_hop: Callable[[], Hop], timers: Timers, idle: float) -> None:
        """`idle` is how many seconds a spare connection is kept. The hop is made at first need, and kept."""
        self._make_hop = make_hop
        self._hop: Hop | None = None
        self._timers = timers
        self._idle = idle
        self._spare: list[tuple[Connection, asyncio.TimerHandle]] = []

    @property
    def spare(self) -> int:
        return len(self._spare)

    async def take(self, *, fresh: bool) -> Connection:
        """A connection for one caller: a spare one unless `fresh`, else a new one. Raises `Unreachable`."""
        while self._spare and not fresh:
            connection, timer = self._spare.pop()
            timer.cancel()
            if connection.reusable:
                return connection
            connection.abort()
        self._hop = self._hop or self._make_hop()
        return await open_connection(self._hop, self._timers)

    def give_back(self, connection: Connection) -> None:
        """Keep it for `idle` seconds if another transaction may follow on it, else close it."""
        if not connection.reusable:
            connection.abort()
            return
        timer = asyncio.get_running_loop().call_later(self._idle, self._expire, connection)
        self._spare.append((connection, timer))

    def _expire(self, connection: Connection) -> None:
        self._spare = [(kept, timer) for kept, timer in self._spare if kept is not connection]
        connection.farewell()

    def renew(self) -> None:
        """Make the hop anew at next need; spare connections of the old one close."""
        self._hop = None
        for connection, timer in self._spare:
            timer.cancel()
            connection.farewell()
        self._spare.clear()

    async def close(self) -> None:
        """Say goodbye on every spare connection."""
        spare, self._spare = self._spare, []
        for _, timer in spare:
            timer.cancel()
        await asyncio.gather(*(connection.quit() for connection, _ in spare))
