"""A recording SMTP server for tests: small, strict, and told beforehand how to misbehave.

what:       `Sink`: a loopback listener in a thread of its own, so that tests may block and other processes may connect
takes→gives: SMTP → `Transaction` values with the exact octets, `Script` → refusals, stalls and drops
knows not:  the gateway; it is written from the RFCs and shares no code with it
standard:   RFC 5321, 1870, 2920, 3207, 3461, 4954, 6152, 6531, 9422; S-12, R-005, R-006, R-107, R-120

Use: `with Sink() as sink: … sink.port … sink.wait(1) … sink.accepted`.
A step of a script is a reply ("550 5.1.1 no"), `STALL`, `DROP` (close without a word), or "" for the usual answer.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

STALL = "stall"
DROP = "drop"
LINE_LIMIT = 1000  # with CRLF (RFC 5321 4.5.3.1.6)
_PATIENCE = 120.0  # seconds for what takes a moment where the machine is not busy
_SIZE = re.compile(r"SIZE=(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Transaction:
    """One message as it arrived. `content` is what stood before the final dot, stuffing undone, with its last CRLF.

    `mail` and `recipients` are the arguments of MAIL and RCPT as received ("<a@example.org> SIZE=12").
    `accepted`: the sink said 2xx to the content, or meant to (a dropped reply). `faults`: what a strict peer minds.
    """

    connection: int
    tls: bool
    login: str
    hello: str
    mail: str
    recipients: tuple[str, ...]
    content: bytes
    accepted: bool
    at: float
    faults: tuple[str, ...] = ()

    @property
    def sender(self) -> str:
        return self.mail[1 : self.mail.index(">")]

    @property
    def to(self) -> tuple[str, ...]:
        return tuple(r[1 : r.index(">")] for r in self.recipients)

    @property
    def parameters(self) -> dict[str, str]:
        """Of MAIL, keyword in upper case → value as received."""
        return _parameters(self.mail)

    def recipient_parameters(self, index: int = 0) -> dict[str, str]:
        return _parameters(self.recipients[index])


def _parameters(argument: str) -> dict[str, str]:
    words = argument[argument.rindex(">") + 1 :].split()
    return {name.upper(): value for name, _, value in (word.partition("=") for word in words)}


@dataclass
class Script:
    """How the sink behaves. Each step is one string for always, or a list: one per command of that kind, then normal.

    `mail`, `rcpt` may also be functions of the argument. `content` is the answer after the final dot;
    `DROP` there means: take the message, then close before the reply. `drop_in_data`: close after that many octets.
    """

    connect: str | list[str] = ""
    ehlo: str | list[str] = ""
    starttls: str | list[str] = ""
    auth: str | list[str] = ""
    mail: str | list[str] | Callable[[str], str] = ""
    rcpt: str | list[str] | Callable[[str], str] = ""
    data: str | list[str] = ""
    content: str | list[str] = ""
    rset: str | list[str] = ""
    after: str | list[str] = ""  # once a transaction is over: DROP, or a reply nobody asked for (421 …) and close
    drop_in_data: int = 0
    offers: Sequence[str] = ("PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")
    size: int | None = 50_000_000
    limits: str = ""
    max_recipients: int = 100
    logins: dict[str, str] = field(default_factory=dict)
    """User → password; non-empty offers AUTH (after TLS where there is TLS)."""
    auth_before_tls: bool = False
    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False
    hide_starttls: bool = False


class _Close(Exception):
    """End of this connection."""


class Sink:
    """Start with `with`. All attributes may be read from the test's thread at any time."""

    def __init__(self, script: Script | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.script = script or Script()
        self.host = host
        self.port = port
        self.transactions: list[Transaction] = []
        self.commands: list[tuple[int, str]] = []
        self.mails: list[tuple[float, str]] = []
        """Each MAIL command seen: `time.monotonic()` and its argument. What must not start is not here."""
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self._changed = threading.Condition()
        self._resume = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="sink", daemon=True)

    def __enter__(self) -> Sink:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(_PATIENCE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(_PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()

    async def _listen(self) -> None:
        context = self.script.tls if self.script.implicit_tls else None
        self._server = await asyncio.start_server(self._meet, self.host, self.port, ssl=context, limit=2**26)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        assert self._server is not None
        self._server.close()
        for session in tuple(self._sessions):
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        for _ in range(4):
            await asyncio.sleep(0)  # transports close in the turns after

    @property
    def accepted(self) -> list[Transaction]:
        """Messages that the sink took."""
        return [t for t in self.transactions if t.accepted]

    @property
    def faults(self) -> list[str]:
        """Everything a strict peer minded, over all transactions."""
        return [fault for t in self.transactions for fault in t.faults]

    def verbs(self) -> list[str]:
        """The commands of all connections, first word in upper case."""
        return [line.split(" ", 1)[0].upper() for _, line in self.commands]

    def wait(self, messages: int, seconds: float = _PATIENCE) -> list[Transaction]:
        """Block until that many messages were accepted; AssertionError after `seconds`."""
        self.wait_for(lambda: len(self.accepted) >= messages, seconds)
        return self.accepted

    def wait_for(self, ready: Callable[[], bool], seconds: float = _PATIENCE) -> None:
        """Block until `ready()`, looked at after each change."""
        with self._changed:
            assert self._changed.wait_for(ready, seconds), (
                f"sink: {len(self.transactions)} transactions, {self.verbs()}"
            )

    def resume(self) -> None:
        """Let everything that stalls go on."""
        self._resume.set()

    def stall_again(self) -> None:
        self._resume.clear()

    def note(self, act: Callable[[], object]) -> None:
        with self._changed:
            act()
            self._changed.notify_all()

    async def pause(self) -> None:
        while not self._resume.is_set():
            await asyncio.sleep(0.005)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        self._writers.append(writer)

        def opened() -> None:
            self.connections += 1
            self.open += 1
            self.most_open = max(self.most_open, self.open)

        self.note(opened)
        try:
            await _Session(self, reader, writer, self.connections).run()
        except (_Close, ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            self.note(lambda: setattr(self, "open", self.open - 1))
            self._sessions.discard(task)
            writer.close()


class _Session:
    def __init__(self, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.sink, self.script, self.number = sink, sink.script, number
        self.reader, self.writer = reader, writer
        self.tls = self.script.implicit_tls
        self.login = self.hello = self.mail = ""
        self.recipients: list[str] = []

    async def run(self) -> None:
        await self.answer(self.step("connect"), "220 sink.example ESMTP")
        while True:
            line = await self.line()
            verb, _, rest = line.partition(" ")
            act = getattr(self, f"do_{verb.lower()}", None)
            if act is None:
                await self.say("500 5.5.1 what")
            else:
                await act(rest)

    def step(self, name: str, argument: str = "") -> str:
        steps = getattr(self.script, name)
        if callable(steps):
            return str(steps(argument))
        if isinstance(steps, list):
            return steps.pop(0) if steps else ""
        return str(steps)

    async def say(self, reply: str) -> None:
        self.writer.write(reply.encode() + b"\r\n")
        await self.writer.drain()
        if reply.startswith("421"):
            raise _Close

    async def answer(self, step: str, usual: str) -> bool:
        """Follow the step, else say what is usual; whether it was positive."""
        if step == STALL:
            await self.sink.pause()
            step = ""
        if step == DROP:
            raise _Close
        await self.say(step or usual)
        return (step or usual)[0] in "23"

    async def line(self) -> str:
        raw = await self.reader.readuntil(b"\n")
        if not raw.endswith(b"\r\n") or b"\r" in raw[:-2] or b"\0" in raw:
            await self.say("500 5.5.2 only CR LF ends a line")
            raise _Close
        text = raw[:-2].decode("utf-8")
        self.sink.note(lambda: self.sink.commands.append((self.number, text)))
        return text

    def keywords(self) -> list[str]:
        script = self.script
        words = list(script.offers)
        if script.size is not None:
            words.append(f"SIZE {script.size}" if script.size else "SIZE")
        if script.limits:
            words.append(f"LIMITS {script.limits}")
        if script.tls is not None and not self.tls and not script.hide_starttls:
            words.append("STARTTLS")
        if script.logins and (self.tls or script.auth_before_tls):
            words.append("AUTH PLAIN LOGIN")
        return words

    def offered(self, word: str) -> bool:
        return any(k.split(" ")[0] == word for k in self.keywords())

    async def do_ehlo(self, rest: str) -> None:
        self.hello, self.mail, self.recipients = rest, "", []
        lines = ["sink.example", *self.keywords()]
        usual = "\r\n".join(f"250{'-' if i < len(lines) - 1 else ' '}{text}" for i, text in enumerate(lines))
        await self.answer(self.step("ehlo"), usual)

    async def do_helo(self, rest: str) -> None:
        self.hello = rest
        await self.say("250 sink.example")

    async def do_starttls(self, _: str) -> None:
        if not self.offered("STARTTLS"):
            await self.say("502 5.5.1 not offered")
            return
        if not await self.answer(self.step("starttls"), "220 2.0.0 go"):
            return
        assert self.script.tls is not None
        await self.writer.start_tls(self.script.tls)
        self.tls, self.hello = True, ""

    async def do_auth(self, rest: str) -> None:
        if not self.offered("AUTH"):
            await self.say("503 5.5.1 not offered")
            return
        mechanism, _, first = rest.partition(" ")
        if mechanism.upper() == "PLAIN":
            _, user, password = base64.b64decode(first).decode().split("\0")
        else:
            user = base64.b64decode(first).decode()
            await self.say("334 UGFzc3dvcmQ6")
            password = base64.b64decode(await self.line()).decode()
        good = self.script.logins.get(user) == password
        if await self.answer(self.step("auth"), "235 2.7.0 welcome" if good else "535 5.7.8 no"):
            self.login = user

    async def do_mail(self, rest: str) -> None:
        argument = rest[5:] if rest[:5].upper() == "FROM:" else rest
        self.sink.note(lambda: self.sink.mails.append((time.monotonic(), argument)))
        if self.mail:
            await self.say("503 5.5.1 nested MAIL")
            return
        if bad := self.unknown(argument, ("SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH")):
            await self.say(f"555 5.5.4 {bad}")
            return
        if (size := _SIZE.search(argument)) and self.script.size and int(size[1]) > self.script.size:
            await self.say("552 5.3.4 too big")
            return
        if await self.answer(self.step("mail", argument), "250 2.1.0 ok"):
            self.mail, self.recipients = argument, []

    def unknown(self, argument: str, known: tuple[str, ...]) -> str:
        need = {"BODY": "8BITMIME", "RET": "DSN", "ENVID": "DSN", "NOTIFY": "DSN", "ORCPT": "DSN"}
        for word in _parameters(argument):
            if word not in known or not self.offered(need.get(word, word)):
                return word
        return "" if argument.isascii() or "SMTPUTF8" in self.script.offers else "SMTPUTF8"

    async def do_rcpt(self, rest: str) -> None:
        argument = rest[3:] if rest[:3].upper() == "TO:" else rest
        if not self.mail:
            await self.say("503 5.5.1 MAIL first")
        elif bad := self.unknown(argument, ("NOTIFY", "ORCPT")):
            await self.say(f"555 5.5.4 {bad}")
        elif len(self.recipients) >= self.script.max_recipients:
            await self.say("452 4.5.3 too many recipients")
        elif await self.answer(self.step("rcpt", argument), "250 2.1.5 ok"):
            self.recipients.append(argument)

    async def do_data(self, _: str) -> None:
        if not self.recipients:
            await self.say("554 5.5.1 no valid recipients" if self.mail else "503 5.5.1 MAIL first")
            return
        if not await self.answer(self.step("data"), "354 go on"):
            return
        if self.script.drop_in_data:
            await self.reader.readexactly(self.script.drop_in_data)
            raise _Close
        content, faults = await self.content()
        await self.close_transaction(content, faults)

    async def content(self) -> tuple[bytes, list[str]]:
        lines: list[bytes] = []
        faults: list[str] = []
        while (line := await self.reader.readuntil(b"\n")) != b".\r\n":
            if not line.endswith(b"\r\n"):
                faults.append("bare LF")
            if b"\r" in line[:-2]:
                faults.append("bare CR")
            if b"\0" in line:
                faults.append("NUL")
            plain = line[1:] if line.startswith(b".") else line
            if line.startswith(b".") and not line.startswith(b".."):
                faults.append("dot not stuffed")
            if len(plain) > LINE_LIMIT:
                faults.append("line over 998 octets")
            lines.append(plain)
        return b"".join(lines), faults

    async def close_transaction(self, content: bytes, faults: list[str]) -> None:
        step = self.step("content")
        parameters = _parameters(self.mail)
        if not content.isascii() and parameters.get("BODY", "").upper() != "8BITMIME":
            faults.append("8-bit content without BODY=8BITMIME")
        if not content.partition(b"\r\n\r\n")[0].isascii() and "SMTPUTF8" not in parameters:
            faults.append("UTF-8 header without SMTPUTF8")
        if "SIZE" in parameters and int(parameters["SIZE"]) != len(content):
            faults.append(f"SIZE={parameters['SIZE']} for {len(content)} octets")
        taken = step in ("", STALL, DROP) or step.startswith("2")
        done = Transaction(
            self.number, self.tls, self.login, self.hello, self.mail, tuple(self.recipients), content, taken,
            time.monotonic(), tuple(faults),
        )  # fmt: skip
        self.mail, self.recipients = "", []
        self.sink.note(lambda: self.sink.transactions.append(done))
        await self.answer(step, "250 2.0.0 taken")
        after = self.step("after")
        if after == DROP:
            raise _Close
        if after:
            await self.say(after)

    async def do_rset(self, _: str) -> None:
        self.mail, self.recipients = "", []
        await self.answer(self.step("rset"), "250 2.0.0 ok")

    async def do_noop(self, _: str) -> None:
        await self.say("250 2.0.0 ok")

    async def do_quit(self, _: str) -> None:
        await self.say("221 2.0.0 bye")
        raise _Close
