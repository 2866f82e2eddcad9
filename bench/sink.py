"""Where all mail ends: Postfix's smtp-sink, or a small one of our own where that is not installed.

usage:      python -m bench.sink PORT runs the small one
what:       a process on a loopback port that takes everything; how many mails it has taken
knows not:  who delivers
fails by:   `BenchError` when it does not start
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from bench.figures import arrived
from bench.process import BenchError, end, tool

_TAIL = 400
_BACKLOG = "200"


class Sink:
    """One process that listens on `port` of 127.0.0.1."""

    def __init__(self, folder: Path, port: int) -> None:
        self._counters = folder / f"sink-{time.monotonic_ns()}.txt"
        with self._counters.open("wb") as out:
            self._process = subprocess.Popen(_command(port), stdout=out, stderr=out)
        _listening(port, self._process, self._counters)

    def count(self) -> int:
        """Mails taken so far."""
        with self._counters.open("rb") as file:
            file.seek(max(0, self._counters.stat().st_size - _TAIL))
            return arrived(file.read())

    def close(self) -> None:
        end(self._process)


def _command(port: int) -> list[str]:
    if sink := tool("smtp-sink"):
        user = ["-u", "postfix"] if os.geteuid() == 0 else []
        return [sink, *user, "-c", f"127.0.0.1:{port}", _BACKLOG]
    return [sys.executable, "-m", "bench.sink", str(port)]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def _listening(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    end(process)
    raise BenchError(f"the sink does not listen: {log.read_text('utf-8', 'replace')[-500:]}")


async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, taken: list[int]) -> None:
    """One session: any command is fine."""
    writer.write(b"220 sink\r\n")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"EHLO":
            writer.write(b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
        elif verb == b"DATA":
            writer.write(b"354 go\r\n")
            await reader.readuntil(b"\r\n.\r\n")
            taken[0] += 1
            sys.stdout.write(f"mesg={taken[0]}\r")
            sys.stdout.flush()
            writer.write(b"250 2.0.0 taken\r\n")
        else:
            writer.write(b"221 2.0.0 bye\r\n" if verb == b"QUIT" else b"250 2.0.0 ok\r\n")
    writer.close()


async def serve(port: int) -> None:
    taken = [0]
    server = await asyncio.start_server(lambda r, w: take(r, w, taken), "127.0.0.1", port, limit=2**26)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
