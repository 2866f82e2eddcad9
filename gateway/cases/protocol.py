"""What the cases of one organisation promise: requests of people, their steps, their mail, the register, breaches.

takes→gives: `NewCase` → a numbered, sealed `Case`; a step with the mail it causes → one commit
knows not:  what a right means, how mail is written or sent, the registry
fails by:   `CasesUnavailable` (wait), `NoSuchCase`, `CaseChanged` (somebody else took a step first)
standard:   S-28..S-36, S-66, D-06; GDPR 12, 15-21; DESIGN §4 Outbox; I-7
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

from gateway.facts import Scope
from gateway.pseudonym import Person


class CasesUnavailable(Exception):
    """The file cannot be read or written now, or a key that opens it is missing."""


class NoSuchCase(LookupError):
    """No case of this number is open here; a closed one keeps no content, and a closed erasure not even a number."""


class CaseChanged(Exception):
    """The case took another step since it was read; nothing was stored."""


class CaseKind(StrEnum):
    """What a person asks for."""

    ACCESS = "access"  # GDPR 15
    RECTIFICATION = "rectification"  # GDPR 16
    ERASURE = "erasure"  # GDPR 17
    RESTRICTION = "restriction"  # GDPR 18
    OBJECTION = "objection"  # GDPR 21
    PORTABILITY = "portability"  # GDPR 20
    WITHDRAWAL = "withdrawal"  # GDPR 7(3)
    LEAVING = "leaving"  # no longer wants the services (S-28)
    QUESTION = "question"
    TIP = "tip"
    COMPLAINT = "complaint"

    @property
    def answered_only(self) -> bool:
        """Nothing to carry out: an answer is all that is asked (S-34)."""
        return self in (CaseKind.QUESTION, CaseKind.TIP, CaseKind.COMPLAINT)


class CaseState(StrEnum):
    PENDING = "pending-identity"  # proof of the mailbox is awaited; sending is blocked already (L-14)
    OPEN = "open"
    WAITING = "waiting"  # mail of this case is under way: notices, or the closing reply
    CLOSED = "closed"


class Channel(StrEnum):
    """How the request came in (S-66, D-17)."""

    EMAIL = "e-mail"
    LETTER = "letter"
    PHONE = "phone"
    FORM = "form"
    IN_PERSON = "in-person"


class Outcome(StrEnum):
    GRANTED = "granted"
    PARTLY = "partly"  # something stays, or was refused, and the reply says why (S-62)
    REFUSED = "refused"  # with a reason (GDPR 12(4))
    ANSWERED = "answered"  # questions, tips, complaints
    TAKEN_BACK = "taken-back"  # by the person, or entered by mistake


@dataclass(frozen=True, slots=True)
class Content:
    """The sealed part of a case; gone with it. `language` a BCP 47 primary tag; `notes` of operators, oldest first.

    `report`, `kept` and `outside` are what completion said (see `rights/protocol.py`).
    """

    address: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    language: str = "nl"
    new_address: str = field(default="", repr=False)  # rectification
    code: str = field(default="", repr=False)  # proves the mailbox it was sent to
    notes: tuple[str, ...] = field(default=(), repr=False)
    report: tuple[str, ...] = field(default=(), repr=False)
    kept: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)  # what, why, until (date or "")
    outside: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Case:
    """One request. Days are in the organisation's time zone; times Unix seconds, 0.0 for "not yet".

    `received` is the day the request really came in (S-66), `due` the last day to answer, `ceiling` the legal date of
    an objection (S-59) or None. `person` has the sealed address, in the newest layer; None once closed, and where the
    person is known by name only.
    `effective`: when sending was blocked, or the request recorded; `completed`: when it was carried out; `answered`:
    when the reply was put in the outbox; `ended`: when nothing more was to be done but wait for mail under way (a
    restriction stays in force between the two). `version` grows with every step.
    """

    number: int
    version: int
    kind: CaseKind
    state: CaseState
    channel: Channel
    received: date
    entered: float
    due: date
    extended: bool
    ceiling: date | None
    outcome: Outcome | None
    scope: Scope | None
    person: Person | None
    effective: float
    completed: float
    answered: float
    ended: float
    content: Content = field(default=Content(), repr=False)


@dataclass(frozen=True, slots=True)
class NewCase:
    """A request as it is entered; the store gives the number."""

    kind: CaseKind
    state: CaseState
    channel: Channel
    received: date
    entered: float
    due: date
    ceiling: date | None = None
    scope: Scope | None = None
    effective: float = 0.0
    content: Content = field(default=Content(), repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """What was done: `what` in fixed words, no address; `note` is sealed and goes with the case."""

    at: float
    who: str
    what: str
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """What a step changes; None leaves a value as it is."""

    state: CaseState | None = None
    due: date | None = None
    extended: bool | None = None
    outcome: Outcome | None = None
    effective: float | None = None
    completed: float | None = None
    answered: float | None = None
    ended: float | None = None
    content: Content | None = field(default=None, repr=False)


NO_CHANGE = Change()


@dataclass(frozen=True, slots=True)
class Paper:
    """A file that belongs to a case and is sent with its reply, as an export. Sealed, and gone with the case."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


class MailKind(StrEnum):
    RECEIPT = "receipt"  # confirmation that the request came in
    PROOF = "proof"  # asks to prove the mailbox
    EXTENSION = "extension"
    REPLY = "reply"  # the one that closes
    NOTICE = "notice"  # to a third party (GDPR 19)
    ANNOUNCEMENT = "announcement"  # before a restriction is lifted (GDPR 18(3))
    DIGEST = "digest"  # to the privacy officer: what falls due


class MailState(StrEnum):
    PREPARED = "prepared"  # kept until the effects are done, so that a crash in between loses no notice
    QUEUED = "queued"  # for the mail worker to move into its spool
    MOVED = "moved"
    DELIVERED = "delivered"
    FAILED = "failed"  # the provider refused, or it was given up
    TOLD = "told"  # the operator told them in another way

    @property
    def under_way(self) -> bool:
        return self in (MailState.PREPARED, MailState.QUEUED, MailState.MOVED)


@dataclass(frozen=True, slots=True)
class NewOutgoing:
    """A mail to be sent with a step. `id`: 20 hex digits, also its id in the spool; `mail`: all of it, with CRLF."""

    id: str
    kind: MailKind
    to: str = field(repr=False)
    mail: bytes = field(repr=False)
    third_party: str = ""
    state: MailState = MailState.QUEUED


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A row of the outbox. `case` is 0 for mail of no case (a digest). `status`: what the provider said, no address."""

    id: str
    case: int
    kind: MailKind
    third_party: str
    state: MailState
    created: float
    moved: float
    final: float
    status: str
    anonymous: bool  # of an erasure: spool and audit get no pseudonym


@dataclass(frozen=True, slots=True)
class Registered:
    """One row of the register of handled requests (S-35, D-06).

    An erasure keeps quarter, outcome and a band of days only: `number` and the days of receipt and closing are None.
    `days` from receipt to closing; for an erasure the upper end of its band (7, 14, 30, 60, 90, 9999).
    """

    kind: CaseKind
    quarter: str  # 2026-Q4
    outcome: Outcome
    days: int
    late: bool
    number: int | None = None
    received: date | None = None
    closed: date | None = None
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class Breach:
    """One row of the breach register (L-26). `at` Unix seconds when it was noticed; `detail` JSON-able, sealed."""

    number: int
    at: float
    state: str
    detail: Mapping[str, object] = field(repr=False)


class CaseStore(Protocol):
    """One organisation's cases. Several processes may use the file at once."""

    async def open(self, new: NewCase, step: Step, outgoing: Sequence[NewOutgoing] = ()) -> Case:
        """Store a request with its first step and the mail it causes, in one commit."""
        ...

    async def case(self, number: int) -> Case:
        """One case with its content; a closed one has none. Raises `NoSuchCase`."""
        ...

    async def cases(self, *, closed: bool = False) -> list[Case]:
        """Cases that are not closed, earliest due first; with `closed`, those that are, latest first."""
        ...

    async def step(
        self,
        case: Case,
        step: Step,
        change: Change = NO_CHANGE,
        outgoing: Sequence[NewOutgoing] = (),
        papers: Sequence[Paper] | None = None,
        *,
        release: bool = False,
    ) -> Case:
        """A step, what it changes and the mail it causes, in one commit. `papers` replace those of the case; `release`
        queues its prepared mail. Raises `CaseChanged` when `case` is not the newest version."""
        ...

    async def finish(self, case: Case, step: Step, row: Registered | None) -> None:
        """Close: destroy the seal and the mail, drop the person, add the register row. An erasure leaves no row, no
        step and no number behind. Returns when no octet of it is left in the file or its log."""
        ...

    async def steps(self, number: int) -> list[Step]: ...

    async def papers(self, number: int) -> list[Paper]: ...

    async def post(self, outgoing: NewOutgoing, at: float) -> None:
        """Mail of no case."""
        ...

    async def outgoing(self, case: int | None = None, *states: MailState) -> list[Outgoing]:
        """Rows of the outbox, oldest first: of one case or of all, in these states or in any."""
        ...

    async def mail(self, id: str) -> NewOutgoing:
        """One mail of the outbox, unsealed. Raises `NoSuchCase`."""
        ...

    async def moved(self, id: str, at: float) -> None:
        """It is in the spool."""
        ...

    async def settled(self, id: str, state: MailState, status: str, at: float) -> None:
        """Its final status; mail of no case is deleted then. An earlier final status stays."""
        ...

    async def register(self) -> list[Registered]:
        """All rows, by quarter, then kind."""
        ...

    async def breach_add(self, at: float, state: str, detail: Mapping[str, object]) -> int:
        """Gives its number."""
        ...

    async def breach_list(self) -> list[Breach]: ...

    async def breach_update(self, number: int, state: str, detail: Mapping[str, object]) -> None:
        """Raises `NoSuchCase`."""
        ...

    async def purge(self, requests: date, breaches: float) -> tuple[int, int]:
        """Retention: delete register rows closed before the day `requests`, and breaches closed before `breaches` (Unix
        seconds); open ones have no term. Gives the numbers deleted."""
        ...

    async def close(self) -> None: ...
