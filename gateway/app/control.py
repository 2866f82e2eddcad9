"""The wire between parent and worker: one JSON object per line over a socket pair.

what:       orders down (start, prepare, commit, abort, settle, rekey), signs up (ready, beat, prepared, refused, …)
fails by:   `ConnectionError` when the other side is gone
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LINE = 64 * 1024 * 1024  # settings of many organisations travel in one line

Signal = dict[str, Any]


def texts_out(texts: Mapping[Path, bytes]) -> dict[str, str]:
    """Settings texts for the wire; the order stays (gateway.yaml is first)."""
    return {str(path): octets.decode("latin-1") for path, octets in texts.items()}


def texts_in(texts: Mapping[str, str]) -> dict[Path, bytes]:
    """Inverse of `texts_out`."""
    return {Path(path): text.encode("latin-1") for path, text in texts.items()}


class Wire:
    """One end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> Wire:
        end.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=end, limit=_LINE)
        return cls(reader, writer)

    async def send(self, **signal: Any) -> None:
        self._writer.write(json.dumps(signal).encode() + b"\n")
        await self._writer.drain()

    async def receive(self) -> Signal:
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("the other process is gone")
        signal: Signal = json.loads(line)
        return signal

    def close(self) -> None:
        self._writer.close()
