"""What the registry knows about one person, as plain values that the policy reads.

what:       scopes, blocks, consents and the named facts of DESIGN §4
takes→gives: built by the registry from one batched read, read by `policy.decide`
knows not:  SQL, addresses, settings
fails by:   `ValueError` when built wrongly
standard:   GDPR 4(11), 7, 17, 18, 21; Telecommunicatiewet 11.7; rows S-18..S-23, S-49, S-58, S-60
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class ScopeKind(IntEnum):
    """What a block or a consent reaches. The numbers are in tokens and journals: never change or reuse one."""

    EVERYTHING = 0  # erasure, restriction: all streams
    MARKETING = 1  # all marketing of the organisation; id 0
    SOURCE = 2  # everything automated from one source database (S-22)
    LIST = 3
    TOPIC = 4
    CATEGORY = 5
    PURPOSE = 6


class Purpose(IntEnum):
    """Ids of `ScopeKind.PURPOSE`. Never change or reuse one."""

    TRACKING = 1
    RESEARCH = 2
    PROFILING = 3
    IDENTIFIED = 4  # research results traceable to the person (S-48)
    OFFERS = 5


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """Kind and numeric id; ids of lists, topics, categories and sources come from the settings and are never reused."""

    kind: ScopeKind
    id: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.id < 2**32:
            raise ValueError(f"scope id {self.id}: expected 0..4294967295")

    def __str__(self) -> str:
        return f"{self.kind.name.lower()}:{self.id}" if self.id else self.kind.name.lower()


class BlockKind(StrEnum):
    """Why mail to a person stops. Each is a state of its own, with its own rule for lifting."""

    OPT_OUT = "opt-out"
    WITHDRAWAL = "withdrawal"
    OBJECTION = "objection"
    RESTRICTION = "restriction"
    ERASURE = "erasure"
    COMPLAINT = "complaint"
    BOUNCE = "bounce"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Block:
    """One block in force. `at` is Unix seconds; `event` its number in the registry's own order of events."""

    kind: BlockKind
    scope: Scope
    at: int
    event: int


@dataclass(frozen=True, slots=True)
class Consent:
    """One consent in force, with evidence (S-03: without evidence there is no consent)."""

    scope: Scope
    at: int
    event: int


@dataclass(frozen=True, slots=True)
class Purchase:
    """A sale: `category` id, whether offers were declined at it, Unix seconds (S-49)."""

    category: int
    declined: bool
    at: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription in `category`; `end` Unix seconds or None while it runs (S-50). `free`: no sale (L-30)."""

    category: int
    end: int | None
    free: bool = False


@dataclass(frozen=True, slots=True)
class Retained:
    """What the law keeps of a person beyond an erasure: which, why, until when (Unix seconds; S-29, S-62)."""

    id: str
    reason: str
    until: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Current state of one person. The empty value means "not found", which means "no consent, no block"."""

    blocks: tuple[Block, ...] = ()
    consents: tuple[Consent, ...] = ()
    enrolments: frozenset[str] = frozenset()  # references (S-20)
    contracts: frozenset[str] = frozenset()  # references (S-43)
    purchases: tuple[Purchase, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    requests: frozenset[int] = frozenset()  # topic ids asked for (S-08, S-19)
    publications: frozenset[str] = frozenset()  # publication-consent ids (S-09)
    minor: bool = False
    guardian_consent: bool = False
    language: str = ""
    contacts: frozenset[tuple[str, str]] = frozenset()  # (client, the client's own opaque contact id)
    origins: frozenset[str] = frozenset()  # how the address came here: contest, account … (S-44); never a basis
    announced: frozenset[str] = frozenset()  # policy versions this person was told of (S-37)
    third_parties: frozenset[tuple[str, str]] = frozenset()  # (reference, third party of that order) (S-13)
    retained: tuple[Retained, ...] = ()  # what outlives an erasure (S-29); never a basis
    known: bool = False  # whether the registry holds any row about this person

    def consents_to(self, scope: Scope) -> Consent | None:
        return next((c for c in self.consents if c.scope == scope), None)


NOBODY = Facts()
