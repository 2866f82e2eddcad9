"""Writes settled rows down in groups, so that nobody waits for a disk per message.

what:       `Recorder`: one per spool, one writer task, as many rows per commit as there are
takes→gives: `Update`, audit rows → `Spool.update`
knows not:  what happened to the row
fails by:   waits and tries again while the spool is away; what is settled is never dropped
standard:   I-4 (the window between a provider's reply and our record stays as short as one commit)
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway.audit.protocol import AuditRow
from gateway.observe import maillog, metrics
from gateway.spool.protocol import Spool, SpoolUnavailable, Update

_BACKLOG = 512  # rows settled but not yet on disk; beyond it, lanes wait
_AGAIN = 1.0


class Recorder:
    """`add` from anywhere, `run` once."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._updates: list[Update] = []
        self._audit: list[AuditRow] = []
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    async def add(self, update: Update, audit: Sequence[AuditRow]) -> None:
        """Hand one settled row over; returns at once unless the disk is far behind."""
        self._updates.append(update)
        self._audit.extend(audit)
        self._work.set()
        if len(self._updates) >= _BACKLOG:
            self._room.clear()
        await self._room.wait()

    async def run(self) -> None:
        """Write until `close`; the last group is written before it returns."""
        while not (self._closed and not self._updates):
            await self._work.wait()
            self._work.clear()
            updates, self._updates = self._updates, []
            audit, self._audit = self._audit, []
            self._room.set()
            if updates or audit:
                await self._write(updates, audit)

    async def _write(self, updates: list[Update], audit: list[AuditRow]) -> None:
        ill = False
        while True:
            try:
                await self._spool.update(updates, audit)
                break
            except SpoolUnavailable:
                if not ill:
                    maillog.trouble("spool", "cannot record delivery")
                    metrics.SPOOL_TROUBLE.set(1)
                ill = True
                await asyncio.sleep(_AGAIN)
        if ill:
            maillog.recovered("spool")
            metrics.SPOOL_TROUBLE.set(0)

    def close(self) -> None:
        """Let `run` finish."""
        self._closed = True
        self._work.set()
