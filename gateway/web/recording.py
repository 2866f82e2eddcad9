"""Opt-outs from the page to the web journal, many in one fsync.

what:       group commit in front of an append-only journal, and the wait that invariant I-2 asks for
takes→gives: `OptOut` → `Receipt`, once it is on stable storage and L has passed
knows not:  HTTP, the registry
fails by:   `OSError` from the journal: then nothing was promised
standard:   I-2, R-071, R-072, L-42
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.token import OptOut


class BlockJournal(Protocol):
    """The part of `registry/journal.py` that this process may use: adding opt-outs."""

    def append_opt_outs(self, opt_outs: list[OptOut], at: int) -> list[str]:
        """Append in one fsync; gives a receipt per record. Raises `OSError`."""
        ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """`number`: finds the record in the journal, names nobody. `at`: when it was stored, seconds since 1970."""

    number: str
    at: int


class Recorder:
    """One per organisation. Same link asked again while its record is being written shares that record."""

    def __init__(self, journal: BlockJournal, *, wait: float, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._wait = wait
        self._clock = clock
        self._waiting: dict[OptOut, asyncio.Future[Receipt]] = {}
        self._writer: asyncio.Task[None] | None = None

    async def record(self, opt_out: OptOut) -> Receipt:
        """Store it, then wait L, so that no decision older than the 200 is still on its way to MAIL FROM."""
        future = self._waiting.get(opt_out)
        if future is None:
            future = self._waiting[opt_out] = asyncio.get_running_loop().create_future()
            if self._writer is None or self._writer.done():
                self._writer = asyncio.create_task(self._write(), name="web journal")
        receipt = await asyncio.shield(future)
        await asyncio.sleep(self._wait)
        return receipt

    async def _write(self) -> None:
        while self._waiting:
            batch, at = list(self._waiting), int(self._clock())
            try:
                receipts = await asyncio.to_thread(self._journal.append_opt_outs, batch, at)
            except OSError as error:
                for opt_out in batch:
                    self._waiting.pop(opt_out).set_exception(error)
                continue
            for opt_out, number in zip(batch, receipts, strict=True):
                self._waiting.pop(opt_out).set_result(Receipt(number, at))
