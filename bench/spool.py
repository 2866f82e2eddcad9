"""How many mails a second one shard stores and lets go, on the disk of the folder given.

usage:      python bench/spool.py [--folder DIR] [--mails N]
what:       puts of 5 kB single-recipient mail by 1, 20 and 100 clients at once; then claim, open, deliver; then one
            mail of 5 MB to 500 people; with the time of a bare fsync beside it, since that is what a commit costs
knows not:  SMTP, filters, signing
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gateway.audit.protocol import AuditRow
from gateway.audit.sqlite import AuditWriter
from gateway.spool.protocol import NewMessage, NewRow, State, Update
from gateway.spool.sqlite import SQLiteSpool

BODY = os.urandom(5000)


def mail(name: str, rows: int = 1, body: bytes = BODY) -> NewMessage:
    return NewMessage(
        id=name,
        reference=1,
        organisation="kleine-parel",
        client="kleine-parel-crm",
        stream="newsletter",
        received=time.time(),
        facts={"stream": "newsletter", "list": 3, "from_domain": "example.org", "language": "nl"},
        sealed={"sender": "bounce@example.org", "envid": "", "ret": "", "split": rows > 1},
        body=body,
        rows=tuple(
            NewRow(
                os.urandom(32),
                os.urandom(32),
                State.QUEUED,
                "letters",
                "nl/untracked",
                {"address": f"person{n}@example.org", "notify": [], "orcpt": "", "slots": {"opt-out": "u" * 100}},
                0.0,
            )
            for n in range(rows)
        ),
    )


def noted(what: str, name: str) -> AuditRow:
    return AuditRow(time.time(), "kleine-parel", name, what, b"p" * 32, {"rule": "consent", "stream": "newsletter"})


async def put_all(spool: SQLiteSpool, clients: int, mails: int) -> None:
    async def client(number: int) -> None:
        for n in range(mails // clients):
            name = f"{clients}-{number}-{n}"
            await spool.put([mail(name)], [noted("accepted", name)])

    await asyncio.gather(*(client(number) for number in range(clients)))


async def deliver_all(spool: SQLiteSpool, workers: int) -> None:
    async def worker() -> None:
        while entries := await spool.claim(time.time(), 5):
            for entry in entries:
                await spool.open(entry)
                spool.mark_sending([entry.row])
                await spool.update([Update(entry.row, State.DELIVERED)], [noted("delivered", entry.message)])

    await asyncio.gather(*(worker() for _ in range(workers)))


async def both(spool: SQLiteSpool, mails: int) -> None:
    putting = asyncio.ensure_future(put_all(spool, 50, mails))
    putting.add_done_callback(lambda _: spool.stirred.set())
    while not putting.done() or await spool.next_due() is not None:
        await spool.stirred.wait()
        spool.stirred.clear()
        await deliver_all(spool, 20)
    await putting


async def measured(what: str, number: int, spool: SQLiteSpool, work: Callable[[], Awaitable[None]]) -> None:
    commits, began, cpu = spool._writer.commits, time.perf_counter(), time.process_time()
    await work()
    took, used = time.perf_counter() - began, time.process_time() - cpu
    groups = spool._writer.commits - commits
    cost = f"{used / number * 1e6:6.0f} us CPU each"
    sys.stdout.write(f"{what:34} {number / took:9.0f} /s   {cost}   {number / groups:6.1f} per commit\n")


async def main(folder: Path, mails: int) -> None:
    spool = SQLiteSpool(folder, 0, {1: os.urandom(32)}, AuditWriter())
    try:
        for clients in (1, 20, 100):
            number = mails // 5 if clients == 1 else mails
            await measured(f"put, {clients} at once", number, spool, partial(put_all, spool, clients, number))
        stored = mails // 5 + 2 * mails // 20 * 20
        await measured("claim, open, deliver, 20 at once", stored, spool, lambda: deliver_all(spool, 20))
        await measured("put and deliver together", mails, spool, lambda: both(spool, mails))
        large = [mail("large", 500, os.urandom(5 * 2**20))]
        await measured("put 5 MB to 500 people, rows", 500, spool, lambda: spool.put(large, []))
        await measured("deliver those rows, 20 at once", 500, spool, lambda: deliver_all(spool, 20))
    finally:
        await spool.close()


def fsyncs(folder: Path) -> float:
    """Bare appends of 8 kB with fdatasync per second."""
    path = folder / "bare"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    began = time.perf_counter()
    for _ in range(200):
        os.write(fd, BODY + BODY[:3192])
        os.fdatasync(fd)
    took = time.perf_counter() - began
    os.close(fd)
    path.unlink()
    return 200 / took


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--folder", type=Path, default=None, help="where to store; default a temporary folder")
    arguments.add_argument("--mails", type=int, default=10000)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        sys.stdout.write(f"{'bare write and fdatasync':34} {fsyncs(Path(place)):9.0f} /s\n")
        asyncio.run(main(Path(place) / "spool", given.mails))
