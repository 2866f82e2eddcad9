"""A running ingress on free loopback ports, with a recording `accept`, and a raw client that speaks octets."""

from __future__ import annotations

import asyncio
import math
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

import trustme

from gateway import reply
from gateway.address import Address
from gateway.config.client_secret import check_secret, digest
from gateway.config.gateway import Limits, Listener
from gateway.envelope import Envelope
from gateway.ingress.clients import ClientDirectory, ClientEntry
from gateway.ingress.server import IngressServer, ListenerSocket
from gateway.ingress.session import Session
from gateway.reply import Reply

HOST = "gateway.example.org"
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
ELSEWHERE = (ip_network("192.0.2.0/24"),)
PASSWORD = "correct horse battery staple"
STORED = digest(PASSWORD, b"0123456789abcdef")

SHOP = ClientEntry("shop", "de-school", LOOPBACK, refuse="rcpt", max_recipients=100)
CRM = ClientEntry("crm", "de-school", (), STORED)
FOREIGN = ClientEntry("foreign", "de-school", ELSEWHERE, STORED)

# Every reply but the greeting, HELO, EHLO and 3xx has an enhanced code with the same first digit.
ENHANCED = re.compile(rb"^([245])\d\d[ -]\1\.\d{1,3}\.\d{1,3} ")


@dataclass
class Recorder:
    """What the gateway behind ingress would do. `answer` may be replaced by anything, wrong things included."""

    messages: list[tuple[Envelope, bytes]] = field(default_factory=list)
    asked: list[tuple[str, Address]] = field(default_factory=list)
    answer: Callable[[Envelope, bytes], Awaitable[Reply]] | None = None
    refusal: Callable[[str, Address], Awaitable[Reply | None]] | None = None

    async def accept(self, envelope: Envelope, content: bytes) -> Reply:
        self.messages.append((envelope, content))
        return reply.QUEUED if self.answer is None else await self.answer(envelope, content)

    async def check_recipient(self, client: str, address: Address) -> Reply | None:
        self.asked.append((client, address))
        return None if self.refusal is None else await self.refusal(client, address)

    @property
    def contents(self) -> list[bytes]:
        return [content for _, content in self.messages]


@dataclass(frozen=True)
class Certificates:
    certificate: Path
    key: Path
    ca: Path

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca))


def make_certificates(folder: Path) -> Certificates:
    authority = trustme.CA()
    made = authority.issue_cert("localhost", "127.0.0.1")
    paths = Certificates(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")
    made.cert_chain_pems[0].write_to_path(paths.certificate)
    made.private_key_pem.write_to_path(paths.key)
    authority.cert_pem.write_to_path(paths.ca)
    return paths


@dataclass
class Site:
    """A running server: `relay`, `relay_tls`, `submission` (STARTTLS) and `implicit` are ports."""

    server: IngressServer
    recorder: Recorder
    ports: dict[str, int]
    certificates: Certificates
    dialled: list[Dialogue] = field(default_factory=list)

    def let_time_pass(self) -> None:
        """Every client's time is up at once, where the clock runs for clients."""
        for session in tuple(self.server._shared.sessions):
            assert isinstance(session, Session)
            if session._deadline < math.inf:
                session._deadline = 0.0
            session._timeout_cb()

    async def dial(self, name: str = "relay", context: ssl.SSLContext | None = None) -> Dialogue:
        host = None if context is None else "localhost"
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.ports[name], limit=2**20, ssl=context, server_hostname=host
        )
        self.dialled.append(Dialogue(reader, writer))
        return self.dialled[-1]

    async def greeted(self, name: str = "relay") -> Dialogue:
        """Behind the greeting and EHLO."""
        dialogue = await self.dial(name)
        await dialogue.reply()
        await dialogue.ask(b"EHLO client.example.org")
        return dialogue

    async def encrypted(self) -> Dialogue:
        """On the submission port, behind STARTTLS and a second EHLO."""
        dialogue = await self.greeted("submission")
        await dialogue.start_tls(self.certificates.client())
        await dialogue.ask(b"EHLO client.example.org")
        return dialogue


@dataclass
class Dialogue:
    """A raw SMTP client that checks the form of every reply it reads."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    hello: bool = True  # the next replies belong to the greeting, HELO or EHLO

    async def send(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    async def reply(self) -> bytes:
        """One reply, all its lines. b"" when the server closed."""
        lines = b""
        while line := await asyncio.wait_for(self.reader.readline(), 120):
            assert line.endswith(b"\r\n")
            if not self.hello and line[:1] != b"3":
                assert ENHANCED.match(line), line
            lines += line
            if line[3:4] == b" ":
                break
        self.hello = False
        return lines

    async def ask(self, line: bytes) -> bytes:
        self.hello = line[:4].upper() in (b"EHLO", b"HELO")
        await self.send(line + b"\r\n")
        return await self.reply()

    async def code(self, line: bytes) -> str:
        """Code and enhanced code of the answer; the code alone where there is no other."""
        words = (await self.ask(line)).decode().split(" ")
        return words[0] if words[0][0] == "3" else " ".join(words[:2])

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        try:
            return await asyncio.wait_for(self.reader.read(), 120)
        except ConnectionError:
            return b""

    async def start_tls(self, context: ssl.SSLContext) -> None:
        assert (await self.ask(b"STARTTLS")).startswith(b"220 2.0.0")
        await self.writer.start_tls(context, server_hostname="localhost")

    async def mail(self, content: bytes, sender: bytes = b"a@example.org", to: bytes = b"b@example.org") -> bytes:
        """A whole transaction, `content` already stuffed; gives the last reply."""
        for line in (b"MAIL FROM:<" + sender + b">", b"RCPT TO:<" + to + b">"):
            assert (await self.ask(line)).startswith(b"250 "), line
        assert (await self.ask(b"DATA")).startswith(b"354 ")
        await self.send(content + b".\r\n")
        return await self.reply()

    def reset(self) -> None:
        """Vanish with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except (ConnectionError, ssl.SSLError):
            pass  # the server was faster


def listeners(certificates: Certificates) -> list[Listener]:
    tls = {"certificate": certificates.certificate, "key": certificates.key}
    return [
        Listener(name="relay", port=0, role="relay"),
        Listener(name="relay_tls", port=0, role="relay", tls="starttls", **tls),
        Listener(name="submission", port=0, role="submission", tls="starttls", **tls),
        Listener(name="implicit", port=0, role="submission", tls="implicit", **tls),
    ]


@asynccontextmanager
async def running(
    certificates: Certificates, clients: list[ClientEntry] | None = None, **limits: object
) -> AsyncIterator[Site]:
    recorder = Recorder()
    bound = [
        ListenerSocket(item, socket.create_server((item.address, 0), backlog=128)) for item in listeners(certificates)
    ]
    ports = {item.listener.name: item.socket.getsockname()[1] for item in bound}
    server = IngressServer(
        bound,
        ClientDirectory([SHOP, CRM, FOREIGN] if clients is None else clients),
        recorder.accept,
        recorder.check_recipient,
        Limits(**limits),
        HOST,
        check_secret,
    )
    await server.start()
    site = Site(server, recorder, ports, certificates)
    try:
        yield site
    finally:
        for dialogue in site.dialled:
            await dialogue.close()
        await server.drain(0.2)
        assert server.connections == 0
        assert server.storing == 0
