"""The SMTP listeners of one worker: start, drain, stop.

what:       `IngressServer`, which accepts on sockets that are already bound (and may be shared with other workers)
takes→gives: listeners with sockets, clients, the injected questions → sessions
knows not:  verbs, policy, spool
fails by:   `ValueError` or `ssl.SSLError`/`OSError` at start when a listener cannot be what its settings say
standard:   RFC 8314, 8996; R-097; DESIGN §4 Shape
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from socket import socket

from gateway.config.gateway import Limits, Listener
from gateway.ingress.auth import Login, VerifySecret
from gateway.ingress.clients import ClientDirectory
from gateway.ingress.door import Door
from gateway.ingress.limits import Budget, Occupancy
from gateway.ingress.session import Session
from gateway.ingress.shared import Accept, CheckRecipient, Shared

_QUEUE = 1024  # connections the kernel keeps for us between two turns of the loop
_STORE_GRACE = 5.0  # seconds for commits under way after everything else had to go
_CLOSE_GRACE = 2.0


@dataclass(frozen=True, slots=True)
class ListenerSocket:
    """One listener and its bound socket."""

    listener: Listener
    socket: socket


class IngressServer:
    """All listeners of one worker process.

    `accept(envelope, content)` gets the exact octets of each message and gives the reply to DATA.
    `check_recipient(client, address)` is asked at RCPT for clients with `refuse: rcpt`.
    `verify_secret(stored, presented)` compares credentials, in a thread for argon2.
    `limits` are this worker's share.
    """

    def __init__(
        self,
        listeners: Sequence[ListenerSocket],
        clients: ClientDirectory,
        accept: Accept,
        check_recipient: CheckRecipient,
        limits: Limits,
        hostname: str,
        verify_secret: VerifySecret,
    ) -> None:
        self._listeners = tuple((bound, tls_context(bound.listener)) for bound in listeners)
        self._doors: list[Door] = []
        self._shared = Shared(
            hostname=hostname,
            limits=limits,
            clients=clients,
            accept=accept,
            check_recipient=check_recipient,
            login=Login(verify_secret),
            occupancy=Occupancy(limits.connections, limits.connections_per_address),
            budget=Budget(limits.memory),
        )

    @property
    def connections(self) -> int:
        """Open sessions."""
        return len(self._shared.sessions)

    @property
    def lingering(self) -> int:
        """Connections whose session has ended, kept a moment so that the last reply is not lost."""
        return self._shared.lingering.count

    @property
    def storing(self) -> int:
        """Messages given to `accept` that have no reply yet."""
        return len(self._shared.storing)

    async def start(self) -> None:
        """Begin to accept on every socket."""
        for bound, context in self._listeners:
            first = context if bound.listener.tls == "implicit" else None
            door = Door(bound.socket, self._factory(bound.listener, context), lambda: self.connections, first)
            self._doors.append(door)
            door.open(_QUEUE)

    def use_clients(self, clients: ClientDirectory) -> None:
        """New rules: counts from the next MAIL or AUTH of every session, open ones included."""
        self._shared.clients = clients

    def renew_certificates(self) -> None:
        """Read certificate and key files again; counts from the next handshake. Raises as at start."""
        for bound, context in self._listeners:
            if context is not None:
                _load(context, bound.listener)

    async def drain(self, grace: float) -> None:
        """Stop accepting, let open transactions finish for `grace` seconds, then 421 and close.

        Sessions without a transaction go at once. A message already given to `accept` gets a little longer, so that its
        client hears the outcome; other workers on the same sockets go on.
        """
        self._shared.draining = True
        for door in self._doors:
            door.close()
        for session in tuple(self._shared.sessions):
            session.leave_when_idle()
        await self._until_gone(grace)
        if self._shared.storing:
            await asyncio.wait(tuple(self._shared.storing), timeout=_STORE_GRACE)
            await asyncio.sleep(0)  # their sessions write the reply
        for session in tuple(self._shared.sessions):
            session.leave_now()
        await self._until_gone(_CLOSE_GRACE)
        for session in tuple(self._shared.sessions):
            session.abort()
        await self._until_gone(_CLOSE_GRACE)
        self._shared.lingering.end()

    async def _until_gone(self, grace: float) -> None:
        try:
            async with asyncio.timeout(grace):
                while self._shared.sessions:
                    self._shared.changed.clear()
                    await self._shared.changed.wait()
        except TimeoutError:
            pass  # the caller ends what is left

    def _factory(self, listener: Listener, context: ssl.SSLContext | None) -> Callable[[], Session]:
        return lambda: Session(self._shared, listener, context)


def tls_context(listener: Listener) -> ssl.SSLContext | None:
    """TLS 1.2 or newer (RFC 8996); None when the listener has no TLS. `ValueError` on settings that contradict."""
    if listener.tls == "none":
        if listener.role == "submission":
            raise ValueError(f"listener {listener.name}: submission needs tls: starttls or implicit (RFC 8314)")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, listener)
    return context


def _load(context: ssl.SSLContext, listener: Listener) -> None:
    if listener.certificate is None or listener.key is None:
        raise ValueError(f"listener {listener.name}: tls: {listener.tls} needs certificate and key")
    context.load_cert_chain(listener.certificate, listener.key)
