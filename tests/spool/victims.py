"""Processes that use a shard until they are killed.

`python -m tests.spool.victims` reads folder names on standard input. For each it forks a child that puts mail, delivers
some of it, and says what is certain, once it is: `put ID`, `done ID`. First comes `pid N`; when the child has ended,
`ended`. Forking spares every round the start of an interpreter; the death is a real one.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from gateway.spool.protocol import State, Update
from gateway.spool.sqlite import SQLiteSpool
from tests.spool.mail import KEYS, PlainAudit, message, noted, row


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


async def use(folder: Path) -> None:
    spool = SQLiteSpool(folder, 0, KEYS, PlainAudit())
    await asyncio.gather(*(_client(spool, f"{os.getpid()}-{n}") for n in range(4)), _deliver(spool))


async def _client(spool: SQLiteSpool, name: str) -> None:
    for n in range(10**6):
        mail = message(f"{name}-{n}", [row(0), row(1)], body=f"body of {name}-{n} ".encode() * 200)
        await spool.put([mail], [noted("accepted", mail.id)])
        say(f"put {mail.id}")


async def _deliver(spool: SQLiteSpool) -> None:
    """One row at a time; the first one is being sent for ever."""
    while not (stuck := await spool.claim(10.0, 1)):
        await asyncio.sleep(0.001)
    spool.mark_sending([stuck[0].row])
    while True:
        for entry in await spool.claim(10.0, 3):
            spool.mark_sending([entry.row])
            await spool.update([Update(entry.row, State.DELIVERED)], [noted("delivered", entry.message)])
            say(f"done {entry.message}")
        await asyncio.sleep(0.001)


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(use(Path(line.strip())))
        say(f"pid {child}")
        os.waitpid(child, 0)
        say("ended")


if __name__ == "__main__":
    main()
