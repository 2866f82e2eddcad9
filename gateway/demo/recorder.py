"""A provider that only records: one SMTP server per provider name, on loopback, with STARTTLS.

what:       listens, accepts, keeps envelope and exact bytes
knows not:  the gateway
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import tempfile
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from gateway.demo.certificate import write_certificate

_PATIENCE = 60.0  # seconds for a server to come up, which takes a moment where the machine is not busy


@dataclass(frozen=True, slots=True)
class Recorded:
    """One delivered transaction."""

    provider: str
    sender: str
    recipient: str
    content: bytes


@dataclass
class Recorder:
    """All providers of the demo. `ports` by provider name; `certificate` is what they show, and their authority."""

    ports: dict[str, int] = field(default_factory=dict)
    mails: list[Recorded] = field(default_factory=list)
    _paused: set[str] = field(default_factory=set)
    _controllers: list[Controller] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @cached_property
    def certificate(self) -> Path:
        return Path(self._folder.name) / "provider.pem"

    @cached_property
    def _folder(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="recorder-")

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        key = self.certificate.with_name("key.pem")
        write_certificate(self.certificate, key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, key)
        return context

    def listen(self, provider: str) -> int:
        """Start a server for this provider; gives its port."""
        controller = _FreePort(
            _Keep(self, provider), hostname="127.0.0.1", port=0, ready_timeout=_PATIENCE, tls_context=self._tls
        )
        controller.start()
        self.ports[provider] = bound_port(controller)
        self._controllers.append(controller)
        return self.ports[provider]

    def add(self, mail: Recorded) -> None:
        with self._changed:
            self.mails.append(mail)
            self._changed.notify_all()

    def wait_for(self, count: int, seconds: float) -> bool:
        """Wait until so many mails are there."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.mails) >= count, seconds)

    def pause(self, provider: str) -> None:
        """This provider answers 451 to every MAIL from now on."""
        self._paused.add(provider)

    def resume(self, provider: str) -> None:
        self._paused.discard(provider)

    def paused(self, provider: str) -> bool:
        return provider in self._paused

    def close(self) -> None:
        for controller in self._controllers:
            controller.stop(no_assert=True)
        if "_folder" in self.__dict__:
            self._folder.cleanup()


def bound_port(controller: Controller) -> int:
    """The port a started controller listens on."""
    assert isinstance(controller.server, asyncio.Server)
    return int(controller.server.sockets[0].getsockname()[1])


class _FreePort(Controller):
    def _trigger_server(self) -> None:
        """The base class would connect to port 0; the port that was really bound is known by now."""
        with socket.create_connection((self.hostname, bound_port(self)), _PATIENCE) as probe:
            probe.recv(1024)

    def factory(self) -> SMTP:
        return SMTP(
            self.handler,
            enable_SMTPUTF8=True,
            ident="recorder",
            data_size_limit=100 * 2**20,
            tls_context=self.SMTP_kwargs["tls_context"],
        )


class _Keep:
    def __init__(self, recorder: Recorder, provider: str) -> None:
        self._recorder = recorder
        self._provider = provider

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._recorder.paused(self._provider):
            return "451 4.3.0 Not now"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        for recipient in envelope.rcpt_tos:
            self._recorder.add(Recorded(self._provider, envelope.mail_from or "", recipient, content))
        return "250 2.0.0 Recorded"
