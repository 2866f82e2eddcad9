"""What every registry backend promises (people: facts, events, blocks).

takes→gives: `Person` pseudonyms → `Facts`; `Event` → its number in the registry's own order
knows not:  addresses, messages, SMTP, HTTP
fails by:   `RegistryUnavailable` (wait), `RegistryMistrusted` (I-13: wait until replayed or re-initialised)
standard:   DESIGN §4 People, I-10, I-12, I-13
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from gateway.facts import Facts, Scope
from gateway.pseudonym import Person


class RegistryUnavailable(Exception):
    """The store cannot be read or written now."""


class RegistryMistrusted(RegistryUnavailable):
    """The store answers, but is not the one this node knows: identity, key check or journal position differ."""


class EventKind(StrEnum):
    """Append-only event kinds. `fact-*` kinds carry `detail` (see `registry/events.py`)."""

    CONSENT = "consent"
    OPT_OUT = "opt-out"
    WITHDRAWAL = "withdrawal"
    OBJECTION = "objection"
    RESTRICTION = "restriction"
    RESTRICTION_LIFTED = "restriction-lifted"
    ERASURE = "erasure"
    COMPLAINT = "complaint"
    BOUNCE = "bounce"
    MANUAL = "manual"
    LIFTED = "lifted"  # a block lifted by later consent or operator, with evidence (I-10)
    ENROLMENT = "fact-enrolment"
    CONTRACT = "fact-contract"
    PURCHASE = "fact-purchase"
    SUBSCRIPTION = "fact-subscription"
    REQUEST = "fact-request"
    PUBLICATION = "fact-publication"
    MINOR = "fact-minor"
    LANGUAGE = "fact-language"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Who acted, how, and with what proof (S-03, L-09). `actor` is "person", "operator:NAME", "import:ID" or "web"."""

    actor: str
    channel: str = ""  # form, e-mail, phone, letter, link, import
    wording: str = ""  # version id of the text agreed to
    proof: str = ""  # reference to where the proof is kept; never an address


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one person. `at` Unix seconds; `scope` None where the kind has none."""

    kind: EventKind
    person: Person
    at: int
    evidence: Evidence
    scope: Scope | None = None
    detail: Mapping[str, str | int | bool | None] = field(default_factory=dict)


class Registry(Protocol):
    """One organisation's people."""

    async def facts(self, people: Sequence[Person]) -> list[Facts]:
        """Facts in the order asked, in one batched read of registry plus web journal. Raises as in the module head."""
        ...

    async def record(self, events: Sequence[Event]) -> list[int]:
        """Append events in one commit; blocks are in the fsynced journal first. Gives their numbers."""
        ...

    def trouble(self) -> str:
        """Empty when decisions may rest on this registry, else why not (for /readyz)."""
        ...

    def close(self) -> None: ...
