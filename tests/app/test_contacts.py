"""Notes of the pipeline reach the registry without anybody waiting for them, and none is left behind at the end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.app import contacts
from gateway.app.contacts import contacts as run


class Notes:
    def __init__(self) -> None:
        self.flushed = asyncio.Semaphore(0)
        self.count = 0

    async def flush(self) -> int:
        self.count += 1
        self.flushed.release()
        return 0


async def test_it_flushes_again_and_again_and_once_more_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contacts, "_PAUSE", 0.0)
    notes = Notes()
    pipeline: Any = SimpleNamespace(notes=notes)
    task = asyncio.create_task(run(pipeline))
    for _ in range(3):
        await asyncio.wait_for(notes.flushed.acquire(), 120)
    before = notes.count
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert notes.count > before
