"""One connection to a provider: opened by its TLS policy, then one recipient per transaction.

what:       `Hop` (how to reach a provider), `open_connection`, `Connection.transact`
takes→gives: envelope commands and final bytes → the `Answer` that counts
knows not:  people, decisions, spool, why this message goes here
fails by:   `Unreachable` while opening; `Broken` in a transaction, saying whether the final dot was sent
standard:   RFC 5321 4.1, 4.5.2, 4.5.3.2; RFC 2920; RFC 3207 6; RFC 4954; R-006, R-016, R-018, R-098, R-107, R-120
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Awaitable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Literal, cast

import aiosmtplib

from gateway.config.gateway import Delivery
from gateway.config.organisation import Provider
from gateway.delivery.answers import Answer, Verb
from gateway.delivery.dialogue import Dialogue, Lost
from gateway.delivery.parameters import Offers

_SLICE = 256 * 1024
_FAREWELL = 2.0  # seconds we wait for the answer to QUIT


class Unreachable(Exception):
    """No usable connection. `kind`: connect, hello, tls, login or plaintext; `answer` when the peer gave one."""

    def __init__(self, kind: str, answer: Answer | None = None) -> None:
        super().__init__(kind if answer is None else f"{kind}: {answer.brief}")
        self.kind = kind
        self.answer = answer


class Broken(Exception):
    """The connection went in a transaction. `dot` is True when the provider may have the whole message (R-018)."""

    def __init__(self, why: str, verb: Verb, *, dot: bool) -> None:
        super().__init__(f"{why} at {verb}")
        self.why = why
        self.verb = verb
        self.dot = dot


@dataclass(frozen=True, slots=True)
class Timers:
    """Seconds per command, not per session (RFC 5321 4.5.3.2)."""

    command: float
    data_start: float
    block: float
    final: float

    @classmethod
    def of(cls, settings: Delivery) -> Timers:
        command = settings.command_timeout.total_seconds()
        return cls(
            command=command,
            data_start=min(120.0, command),
            block=min(180.0, command),
            final=settings.data_timeout.total_seconds(),
        )


@dataclass(frozen=True, slots=True)
class Hop:
    """Where and how: made once per provider. `context` None only where TLS is never used."""

    host: str
    port: int
    tls: Literal["verify", "implicit", "opportunistic", "none"]
    hello: str
    context: ssl.SSLContext | None = None
    username: str = ""
    password: str = field(default="", repr=False)


def hop_of(provider: Provider, hello: str, password: str) -> Hop:
    """Build the hop of one provider; reads the authorities' file, so not for every message."""
    return Hop(
        host=provider.host,
        port=provider.port,
        tls=provider.tls,
        hello=hello,
        context=None if provider.tls == "none" else _context(provider),
        username=provider.username or "",
        password=password,
    )


def _context(provider: Provider) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=provider.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if provider.tls == "opportunistic":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def open_connection(hop: Hop, timers: Timers) -> Connection:
    """Connect, EHLO, TLS by policy, log in. Credentials go over TLS or not at all. Raises `Unreachable`."""
    client = aiosmtplib.SMTP(
        hostname=hop.host,
        port=hop.port,
        local_hostname=hop.hello,
        timeout=timers.command,
        use_tls=hop.tls == "implicit",
        start_tls=False,
        tls_context=hop.context,
    )
    with ExitStack() as undo:
        undo.callback(client.close)
        secure = await _greet(client, hop)
        authenticated = await _log_in(client, hop, secure=secure)
        undo.pop_all()
    offers = Offers.read(client.esmtp_extensions, authenticated=authenticated)
    # From here on our own protocol reads the transport: aiosmtplib waits for each reply before the next command.
    transport = cast(asyncio.Transport, client.transport)
    return Connection(Dialogue(transport, asyncio.get_running_loop()), offers, timers)


async def _greet(client: aiosmtplib.SMTP, hop: Hop) -> bool:
    """Greeting, EHLO and TLS; whether the connection is encrypted now."""
    await _step("connect", Verb.CONNECT, client.connect())
    if hop.tls == "implicit":
        await _step("hello", Verb.HELLO, client.ehlo())
        return True
    if hop.tls == "none" and not _loopback(client):
        raise Unreachable("plaintext")
    await _step("hello", Verb.HELLO, client.ehlo())
    if hop.tls == "none":
        return False
    if not client.supports_extension("starttls"):
        if hop.tls == "verify":
            raise Unreachable("tls")  # stripped or missing: never on in plain text (RFC 3207 6)
        return False
    await _step("tls", Verb.TLS, client.starttls())
    await _step("hello", Verb.HELLO, client.ehlo())
    return True


async def _log_in(client: aiosmtplib.SMTP, hop: Hop, *, secure: bool) -> bool:
    if not hop.username:
        return False
    if not secure:
        raise Unreachable("login")
    if "plain" in client.server_auth_methods:
        await _step("login", Verb.LOGIN, client.auth_plain(hop.username, hop.password))
    elif "login" in client.server_auth_methods:
        await _step("login", Verb.LOGIN, client.auth_login(hop.username, hop.password))
    else:
        raise Unreachable("login")
    return True


async def _step(kind: str, verb: Verb, step: Awaitable[object]) -> None:
    """Await one opening step; every way it can fail becomes `Unreachable` of that kind."""
    try:
        await step
    except aiosmtplib.SMTPResponseException as error:
        raise Unreachable(kind, Answer.read(verb, error.code, error.message)) from None
    except aiosmtplib.SMTPException as error:
        raise Unreachable("tls" if isinstance(error.__cause__, ssl.SSLError) else kind) from None
    except ssl.SSLError:
        raise Unreachable("tls") from None
    except OSError:
        raise Unreachable(kind) from None


def _loopback(client: aiosmtplib.SMTP) -> bool:
    peer = client.get_transport_info("peername")
    try:
        return bool(ipaddress.ip_address(peer[0]).is_loopback)
    except (TypeError, ValueError, IndexError):
        return False


class Connection:
    """An open, greeted, possibly encrypted and logged-in connection. One transaction at a time."""

    __slots__ = ("_dialogue", "_dot", "_timers", "_unfinished", "_verb", "offers", "transactions")

    def __init__(self, dialogue: Dialogue, offers: Offers, timers: Timers) -> None:
        self._dialogue = dialogue
        self._timers = timers
        self._unfinished = False
        self._verb = Verb.MAIL
        self._dot = False
        self.offers = offers
        self.transactions = 0

    @property
    def reusable(self) -> bool:
        """Whether another transaction may follow on it (in step, and within the peer's LIMITS MAILMAX)."""
        full = bool(self.offers.messages) and self.transactions >= self.offers.messages
        stuck = self._unfinished and not self.offers.pipelining
        return self._dialogue.alive and not full and not stuck

    async def transact(self, mail: bytes, rcpt: bytes, head: bytes, body: bytes) -> Answer:
        """One message to one recipient; `head` (the signature) stands before `body`.

        MAIL is written before this coroutine first gives up control, so a decision read just before the call is no
        older on the wire (I-2). Returns the answer that decides: the first refusal, else the one after the final dot.
        Raises `Broken`.
        """
        self.transactions += 1
        self._dot = False
        try:
            answer = await self._transact(mail, rcpt, head, body)
        except Lost as lost:
            self._dialogue.end(lost.why)
            raise Broken(lost.why, self._verb, dot=self._dot) from None
        if answer.code == 421:
            self._dialogue.end("closed")
        return answer

    async def _transact(self, mail: bytes, rcpt: bytes, head: bytes, body: bytes) -> Answer:
        envelope = self._flight if self.offers.pipelining else self._steps
        refused, started = await envelope(mail, rcpt)
        if not started:
            assert refused is not None  # nothing else keeps DATA from starting
            return refused
        self._verb = Verb.CONTENT
        if refused is not None:
            self._dialogue.write(b".\r\n", 1)  # 354 without a recipient: an empty message to nobody (RFC 2920 3.1)
            await self._dialogue.read(self._timers.final)
            return refused
        early = await self._content(head, body)
        answer = await self._read(Verb.CONTENT, self._timers.final)
        self._unfinished = False
        if early:
            self._dialogue.end("desync")
            if answer.code // 100 == 2:
                raise Lost("desync")
        return answer

    async def _flight(self, mail: bytes, rcpt: bytes) -> tuple[Answer | None, bool]:
        """RSET if needed, MAIL, RCPT and DATA in one write; every reply is read and checked (R-107)."""
        self._verb = Verb.MAIL
        reset, self._unfinished = self._unfinished, True
        self._dialogue.write((b"RSET\r\n" if reset else b"") + mail + rcpt + b"DATA\r\n", 4 if reset else 3)
        if reset:
            await self._dialogue.read(self._timers.command)
        refused: Answer | None = None
        for verb in (Verb.MAIL, Verb.RCPT):
            answer = await self._read(verb, self._timers.command)
            if answer.code == 421:
                return refused or answer, False  # it closes now; the other replies will not come
            if answer.code // 100 != 2:
                refused = refused or answer
        return _started(refused, await self._read(Verb.DATA, self._timers.data_start))

    async def _steps(self, mail: bytes, rcpt: bytes) -> tuple[Answer | None, bool]:
        """The same, one command at a time, for a peer without PIPELINING."""
        self._unfinished = True
        for verb, command in ((Verb.MAIL, mail), (Verb.RCPT, rcpt)):
            self._verb = verb
            self._dialogue.write(command, 1)
            answer = await self._read(verb, self._timers.command)
            if answer.code // 100 != 2:
                return await self._forget(answer), False
        self._dialogue.write(b"DATA\r\n", 1)
        refused, started = _started(None, await self._read(Verb.DATA, self._timers.data_start))
        return (await self._forget(refused) if refused else None), started

    async def _forget(self, refused: Answer) -> Answer:
        # RSET now and not before the next MAIL, where it would cost the fresh decision a round trip.
        if refused.code != 421:
            self._dialogue.write(b"RSET\r\n", 1)
            code, _ = await self._dialogue.read(self._timers.command)
            self._unfinished = code // 100 != 2
        return refused

    async def _read(self, verb: Verb, seconds: float) -> Answer:
        self._verb = verb
        return Answer.read(verb, *await self._dialogue.read(seconds))

    async def _content(self, head: bytes, body: bytes) -> bool:
        """Write dot-stuffed content and the final dot; whether the peer answered before the end (RFC 5321 4.5.2)."""
        replies, early = 1, False
        for chunk, last in stuffed(head, body):
            early = self._dialogue.answered
            self._dot = self._dot or last
            self._dialogue.write(chunk, replies)
            replies = 0
            await self._dialogue.drain(self._timers.block)
        return early

    async def quit(self) -> None:
        """Say goodbye, shortly, and close."""
        try:
            self._dialogue.write(b"QUIT\r\n", 1)
            await self._dialogue.read(_FAREWELL)
        except Lost:
            pass  # it is gone already, which is what we wanted
        self._dialogue.end("closed")

    def farewell(self) -> None:
        """QUIT without waiting for the answer; the transport closes once it is written."""
        self._dialogue.leave(b"QUIT\r\n")

    def abort(self) -> None:
        """Close at once."""
        self._dialogue.end("closed")


def _started(refused: Answer | None, start: Answer) -> tuple[Answer | None, bool]:
    if start.code == 354:
        return refused, True
    if start.code // 100 not in (4, 5):
        raise Lost("desync")  # neither go nor no: nothing after it can be trusted
    return refused or start, False


def stuffed(head: bytes, body: bytes) -> Iterator[tuple[bytes, bool]]:
    """Content for the wire in chunks that end at a line's end, the last one with the final dot; (octets, last).

    A dot is put before every line that starts with one (RFC 5321 4.5.2); a missing last CRLF is added.
    """
    start, total = 0, len(body)
    lead = head
    while total - start > _SLICE:
        end = body.rfind(b"\n", start, start + _SLICE) + 1
        if not end:
            break  # one endless line; the last look before signing lets none pass
        yield lead + _stuff(body[start:end]), False
        start, lead = end, b""
    rest = body[start:] if start else body
    tail = b".\r\n" if not total or body.endswith(b"\r\n") else b"\r\n.\r\n"
    yield b"".join((lead, _stuff(rest), tail)), True


def _stuff(lines: bytes) -> bytes:
    if b"." not in lines:  # no line of an attachment in base64 holds one
        return lines
    doubled = lines.replace(b"\r\n.", b"\r\n..") if b"\r\n." in lines else lines
    return b"." + doubled if doubled.startswith(b".") else doubled
