"""What every spool promises: mail in flight, one sealed body per message, one small row per recipient.

takes→gives: `NewMessage` → durable; `claim` → `Entry` values with unsealed content
knows not:  what the bytes say, who sends them next
fails by:   `SpoolUnavailable` (451 at intake), `SpoolFull`
standard:   DESIGN §4 Spool; I-3, I-4, I-7; R-013
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from gateway.audit.protocol import AuditRow

QUARANTINE = 10 * 365 * 86400.0
"""How far off, in seconds, the due time of a quarantined row is set: an operator's retry makes it due."""
RELEASED = "released: "
"""What the reason of a queued row begins with after an operator's release, before the rule that had held it."""


class SpoolUnavailable(Exception):
    """Nothing can be stored or read now; the client must keep the mail (451)."""


class SpoolFull(SpoolUnavailable):
    """No room."""


class EntryBroken(Exception):
    """This row cannot be unsealed. It has been set aside as quarantined, with the reason; its siblings go on."""


class EntryGone(LookupError):
    """The row or message is no longer here: final for all recipients, replaced, or dropped."""


class State(StrEnum):
    """State of one row."""

    QUEUED = "queued"  # due at `due`
    HELD = "held"  # a person decides, or `until` passes
    UNDECIDED = "undecided"  # stored raw: registry was away (I-3)
    QUARANTINED = "quarantined"  # stored raw: a fault of ours (I-3)
    DELIVERED = "delivered"
    FAILED = "failed"  # given up or refused by the provider
    BLOCKED = "blocked"  # stopped at the second decision
    DROPPED = "dropped"  # by a named operator

    @property
    def final(self) -> bool:
        return self in (State.DELIVERED, State.FAILED, State.BLOCKED, State.DROPPED)


@dataclass(frozen=True, slots=True)
class NewRow:
    """One recipient. `sealed` is stored encrypted under the message's key; the other columns are in clear.

    `variant` names a template in the body; `due`, `until` are Unix seconds; `reason` explains a hold (no address).
    """

    person_exact: bytes
    person_wide: bytes
    state: State
    provider: str
    variant: str
    sealed: Mapping[str, object] = field(repr=False)  # JSON-able: address, notify, orcpt, slots …
    due: float
    until: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """`body` is stored encrypted once (templates, or the raw message when undecided or quarantined).

    `facts` is in clear and JSON-able: what a second decision needs (stream, list …), no address.
    `sealed` is JSON-able and encrypted: reverse-path, ENVID and the like.
    """

    id: str
    reference: int  # 32-bit, in tokens
    organisation: str
    client: str
    stream: str
    received: float
    facts: Mapping[str, object]
    sealed: Mapping[str, object] = field(repr=False)
    body: bytes = field(repr=False)
    rows: tuple[NewRow, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One claimed or listed row with its message's clear columns."""

    row: int
    message: str
    reference: int
    organisation: str
    client: str
    stream: str
    received: float
    facts: Mapping[str, object]
    person_exact: bytes
    person_wide: bytes
    state: State
    provider: str
    variant: str
    attempts: int
    due: float
    until: float
    reason: str

    @property
    def released(self) -> str:
        """The rule that had held this row when an operator released it, or ""."""
        if not self.reason.startswith(RELEASED):
            return ""
        return self.reason.removeprefix(RELEASED).partition(";")[0]

    def still(self, reason: str) -> str:
        """`reason` for a row that goes on waiting, which stays released if it was."""
        return f"{RELEASED}{self.released}; {reason}" if self.released else reason


@dataclass(frozen=True, slots=True)
class Opened:
    """Unsealed content of one entry."""

    message: Mapping[str, object] = field(repr=False)
    row: Mapping[str, object] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Update:
    """New state of one row after an attempt or an operator's act. Fields left None stay."""

    row: int
    state: State
    due: float | None = None
    until: float | None = None
    attempts: int | None = None
    reason: str | None = None
    variant: str | None = None
    provider: str | None = None
    sealed: Mapping[str, object] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Depth:
    """Counts for metrics: rows by (organisation, stream, state), and the age in seconds of the oldest queued row."""

    rows: Mapping[tuple[str, str, str], int]
    oldest: float


class Spool(Protocol):
    """One shard; one process owns it at a time."""

    async def put(self, messages: Sequence[NewMessage], audit: Sequence[AuditRow]) -> None:
        """Store all of it, or nothing; returns after the commit is on stable storage."""
        ...

    async def claim(self, now: float, limit: int) -> list[Entry]:
        """Queued rows due at `now`, oldest first, each given out once until `update` or restart."""
        ...

    async def open(self, entry: Entry) -> Opened:
        """Unseal one entry (the body is cached per message while its rows are being delivered).

        Raises `EntryBroken` (the row is set aside by then) or `EntryGone`.
        """
        ...

    def mark_sending(self, rows: Sequence[int]) -> None:
        """These rows are being sent from now on: recorded with the next group commit, nobody waits.

        A row still marked when the spool is opened again was cut off in the middle: one attempt more, and uncertain.
        """
        ...

    def release(self, rows: Sequence[int]) -> None:
        """Give back claims without an attempt (drain); the rows keep their state and are due as before."""
        ...

    async def update(self, updates: Sequence[Update], audit: Sequence[AuditRow]) -> None:
        """Record states; the last final row of a message destroys its key and body."""
        ...

    async def replace(self, message: str, new: NewMessage, audit: Sequence[AuditRow]) -> None:
        """An undecided or quarantined message got decided: raw body and rows become compiled ones, in one commit."""
        ...

    async def entries(
        self,
        *,
        state: State | None = None,
        message: str | None = None,
        organisation: str | None = None,
        limit: int = 1000,
    ) -> list[Entry]:
        """Rows for listing, oldest first."""
        ...

    async def next_due(self) -> float | None:
        """Unix seconds of the earliest queued, unclaimed row."""
        ...

    async def depth(self, now: float) -> Depth: ...

    async def close(self) -> None: ...
