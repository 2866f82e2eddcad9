"""What all sessions of one worker share.

what:       `Shared`: the injected questions, the limits in use, the sessions and the messages being stored
takes→gives: built by the server, handed to every session
knows not:  sockets, listeners
fails by:   nothing of its own
standard:   DESIGN §2 I-3, I-4
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from gateway.address import Address
from gateway.config.gateway import Limits
from gateway.envelope import Envelope
from gateway.ingress.auth import Login
from gateway.ingress.clients import ClientDirectory
from gateway.ingress.limits import Budget, Occupancy
from gateway.ingress.linger import Lingering
from gateway.observe import maillog, metrics
from gateway.reply import Reply

Accept = Callable[[Envelope, bytes], Awaitable[Reply]]
CheckRecipient = Callable[[str, Address], Awaitable[Reply | None]]


class Drainable(Protocol):
    """What the server asks of a session when it stops."""

    def leave_when_idle(self) -> None: ...

    def leave_now(self) -> None: ...

    def abort(self) -> None: ...


@dataclass(slots=True)
class Shared:
    """One per worker. `clients` is replaced as a whole when rules change; sessions look theirs up per transaction."""

    hostname: str
    limits: Limits
    clients: ClientDirectory
    accept: Accept
    check_recipient: CheckRecipient
    login: Login
    occupancy: Occupancy
    budget: Budget
    draining: bool = False
    sessions: set[Drainable] = field(default_factory=set)
    storing: set[asyncio.Task[Reply]] = field(default_factory=set)
    lingering: Lingering = field(default_factory=Lingering)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def came(self, session: Drainable) -> None:
        self.sessions.add(session)

    def went(self, session: Drainable) -> None:
        self.sessions.discard(session)
        self.changed.set()

    def store(self, envelope: Envelope, content: bytes, done: Callable[[], None]) -> asyncio.Task[Reply]:
        """Start accepting a message, independent of the session's life: a client that hangs up stops nothing halfway.

        `done` is called when nobody needs the content any more. Whoever waits for the result shields it.
        """
        task = asyncio.get_running_loop().create_task(self._accept(envelope, content))
        self.storing.add(task)
        task.add_done_callback(lambda ended: self._stored(ended, done))
        return task

    async def _accept(self, envelope: Envelope, content: bytes) -> Reply:
        return final(await self.accept(envelope, content))

    def _stored(self, task: asyncio.Task[Reply], done: Callable[[], None]) -> None:
        self.storing.discard(task)
        self.changed.set()
        done()


def final(answer: object) -> Reply:
    """An answer that can end a command. aiosmtpd takes a missing one for 250; here it is an error (DESIGN §4)."""
    if not isinstance(answer, Reply) or answer.code // 100 not in (2, 4, 5):
        raise TypeError("expected a final Reply")
    return answer


def orphaned(task: asyncio.Task[Reply]) -> None:
    """A message whose client hung up was decided; nobody is left to hear of a fault but the log."""
    if not task.cancelled() and (error := task.exception()) is not None:
        fault(error)


def fault(error: BaseException) -> None:
    """A fault of ours was caught: counted and logged by type and place, never by text."""
    metrics.FAULTS.labels("ingress").inc()
    maillog.fault("ingress", error)
