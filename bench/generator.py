"""The load: one process that sends newsletters over SMTP, the same to every server.

usage:      python -m bench.generator '{"port": …, "sessions": …, …}' (the fields of `Load`)
takes→gives: a `Load` → on standard output one line of JSON: when it began (time.monotonic), seconds, mails accepted
knows not:  what it talks to
fails by:   exit 1 with the reply that was not expected
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import uvloop

from bench.mail import SENDER, address, newsletter

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Load:
    """`mails` of `recipients` each over `sessions` at once; people are numbered from `first` modulo `people`."""

    port: int
    mails: int
    sessions: int
    people: int
    first: int = 0
    recipients: int = 1
    fresh: bool = False
    """A new connection for each mail."""
    authority: str = ""
    """PEM file; with it STARTTLS is used."""
    user: str = ""
    password: str = ""
    pipelining: bool = False

    def to_json(self) -> str:
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Prepared:
    """One mail, ready to be written."""

    recipients: tuple[bytes, ...]
    content: bytes


class Unexpected(Exception):
    """A server said something else than a mail needs."""


def prepare(load: Load) -> Iterator[Prepared]:
    """The mails of a load; each is different. Many recipients all stand in To, as a mailing tool without care does."""
    for n in range(load.mails):
        start = load.first + n * load.recipients
        people = [address(i % load.people) for i in range(start, start + load.recipients)]
        to = ",\r\n ".join(people) if len(people) < 20 else f"Lezers <{SENDER}>"
        content = newsletter(load.first + n, to).replace(b"\r\n.", b"\r\n..") + b".\r\n"
        yield Prepared(tuple(f"RCPT TO:<{p}>\r\n".encode() for p in people), content)


async def run(load: Load) -> dict[str, float]:
    mails = list(prepare(load))
    context = ssl.create_default_context(cafile=load.authority) if load.authority else None
    queue = iter(mails)
    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(load.sessions):
            tasks.create_task(_session(load, context, queue))
    return {"began": began, "seconds": time.monotonic() - began, "mails": len(mails)}


async def _session(load: Load, context: ssl.SSLContext | None, queue: Iterator[Prepared]) -> None:
    streams: Streams | None = None
    for mail in queue:
        if streams is None:
            streams = await _open(load, context)
        await _send(streams, mail, pipelining=load.pipelining)
        if load.fresh:
            await _close(streams)
            streams = None
    if streams is not None:
        await _close(streams)


async def _open(load: Load, context: ssl.SSLContext | None) -> Streams:
    streams = await asyncio.open_connection("127.0.0.1", load.port)
    await _reply(streams, b"2")
    await _ask(streams, b"EHLO load.test.example\r\n")
    if context is not None:
        await _ask(streams, b"STARTTLS\r\n")
        await streams[1].start_tls(context, server_hostname="localhost")
        await _ask(streams, b"EHLO load.test.example\r\n")
    if load.user:
        secret = base64.b64encode(f"\0{load.user}\0{load.password}".encode())
        await _ask(streams, b"AUTH PLAIN " + secret + b"\r\n")
    return streams


async def _send(streams: Streams, mail: Prepared, *, pipelining: bool) -> None:
    sender = b"MAIL FROM:<" + SENDER.encode() + b">\r\n"
    if pipelining:
        streams[1].write(sender + b"".join(mail.recipients) + b"DATA\r\n")
        for _ in range(1 + len(mail.recipients)):
            await _reply(streams, b"2")
        await _reply(streams, b"3")
    else:
        await _ask(streams, sender)
        for recipient in mail.recipients:
            await _ask(streams, recipient)
        await _ask(streams, b"DATA\r\n", b"3")
    await _ask(streams, mail.content)


async def _close(streams: Streams) -> None:
    await _ask(streams, b"QUIT\r\n")
    streams[1].close()


async def _ask(streams: Streams, command: bytes, expected: bytes = b"2") -> None:
    streams[1].write(command)
    await _reply(streams, expected)


async def _reply(streams: Streams, expected: bytes) -> None:
    while (line := await streams[0].readline())[3:4] == b"-":
        pass
    if line[:1] != expected:
        raise Unexpected(line.decode("latin-1").strip() or "connection closed")


def main() -> int:
    load = Load(**json.loads(sys.argv[1]))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            done = runner.run(asyncio.wait_for(run(load), _PATIENCE))
    except (ExceptionGroup, TimeoutError) as error:
        sys.stderr.write(f"{getattr(error, 'exceptions', (error,))[0]!r}\n")
        return 1
    sys.stdout.write(json.dumps(done) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
