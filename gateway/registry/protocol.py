"""What every registry backend promises (people: facts, events, blocks).

takes→gives: `Person` pseudonyms → `Facts`; `Event` → its number in the registry's own order
knows not:  addresses, messages, SMTP, HTTP
fails by:   `RegistryUnavailable` (wait), `RegistryMistrusted` (I-13: wait until replayed or re-initialised)
standard:   DESIGN §4 People, I-10, I-12, I-13
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from gateway.facts import Facts, Scope
from gateway.pseudonym import Person, Pseudonyms


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
    CONTACT = "fact-contact"  # the client's own opaque id of this person
    ORIGIN = "fact-origin"  # how the address came here (S-44)
    ANNOUNCED = "fact-announced"  # told of this policy version (S-37)
    SHARED = "fact-shared"  # the share ledger: data went to a third party (S-13, S-39)
    RECEIPT = "fact-receipt"  # a read or delivery receipt came back (S-04)
    RETAINED = "fact-retained"  # something the law keeps, until when and why (S-29, S-62)
    RECTIFIED = "rectified"  # the address was corrected; blocks and consents moved here (GDPR 16)


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


@dataclass(frozen=True, slots=True)
class Act:
    """Something a named person did with the registry itself, with the reason (Unix seconds)."""

    at: int
    operator: str
    reason: str
    what: str


@dataclass(frozen=True, slots=True)
class Fed:
    """One event as the feed tells it: `number` is the cursor, `person` the exact pseudonym of the person it is about.

    `contacts`: (client, opaque contact id) of that person, as far as known and not erased.
    """

    number: int
    kind: EventKind
    at: int
    scope: Scope | None
    person: bytes
    contacts: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Return:
    """A consent that came in by itself after a refusal: it gives nothing until an operator decides (§1.3).

    `event` is the number of the consent, `person` the exact pseudonym.
    """

    event: int
    person: bytes
    scope: Scope
    at: int
    contacts: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class StateRow:
    """One state row, the same in every backend: what `registry copy` moves. `data` as `state.pack` made it."""

    pseudonym: bytes
    person: int
    layer: int
    data: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event row, the same in every backend. `detail` is JSON or None."""

    number: int
    person: int
    at: int
    kind: str
    scope_kind: int | None
    scope_id: int | None
    actor: str
    channel: str
    wording: str
    proof: str
    detail: str | None


class Registry(Protocol):
    """One organisation's people, as mail needs them. `facts`, `record`, `contact` and `published` raise as the module
    head says."""

    async def facts(self, people: Sequence[Person]) -> list[Facts]:
        """Facts in the order asked, in one batched read of registry plus journals."""
        ...

    async def record(self, events: Sequence[Event]) -> list[int]:
        """Append events in one commit; blocks are in the fsynced journal first. Gives their numbers, never used before.

        0 is the number of an event that was not kept, because its person is erased and it is neither a block nor a lift
        nor something the law keeps. An erasure is carried out as `erase` says.
        """
        ...

    async def contact(self, client: str, contact: str) -> bytes | None:
        """The exact pseudonym behind a client's own contact id, or None. The latest person to get an id has it."""
        ...

    async def published(self, ids: Collection[str]) -> frozenset[str]:
        """Those of these publication-consent ids that are in force, whoever gave them (S-09)."""
        ...

    def trouble(self) -> str:
        """Empty when decisions may rest on this registry, else why not (for /readyz)."""
        ...

    def close(self) -> None: ...


class PeopleRegistry(Registry, Protocol):
    """All that a backend does, for imports, rights, feeds and operators. Raises as the module head says."""

    async def ingest(self) -> int:
        """Move web opt-outs into the registry. Gives the position in the web journal up to which that is done."""
        ...

    async def replay(self) -> int:
        """Apply the whole block journal again. Gives the number of its records."""
        ...

    async def act(self, act: Act, person: Person | None) -> None:
        """Note what a named operator did, and about whom."""
        ...

    async def acts(self, person: Person) -> list[Act]:
        """What named operators did about one person, oldest first: who looked is theirs to know (GDPR 15)."""
        ...

    async def history(self, person: Person) -> list[tuple[int, Event]]:
        """All events about one person, oldest first, with their numbers."""
        ...

    async def feed(self, after: int, limit: int) -> list[Fed]:
        """Events behind number `after`, oldest first; those of erased people are gone.

        A block under a wide pseudonym names that one, and no contact: whose opt-out it was is not known then.
        """
        ...

    async def returns(self, limit: int) -> list[Return]:
        """Pending returns, oldest first. One ends by a lift or a later refusal of its scope, by a lift after which
        no block reaches it, by consent that counts, or by `record` of a consent with `active` False for it."""
        ...

    async def erase(self, person: Person, at: int, evidence: Evidence) -> int:
        """Leave the tombstone and what the law keeps (`RETAINED`, not yet past), delete every event and fact.

        The tombstone carries no day, here and in the journal: its time is the first second of the quarter in UTC, and
        of the evidence only actor and channel stay. In the files nothing of the deleted rows is left. Gives the number
        of events deleted. `act` rows about the person lose their person. A wide row is not touched: it is of all its
        spellings. Erasing twice is harmless; after `RegistryUnavailable` erase again.
        """
        ...

    async def move(self, old: Person, new: Person, at: int, evidence: Evidence) -> int:
        """Rectification: facts, consents and blocks follow to the new address, the old one stays blocked (L-04).

        Blocks of both rows follow, and so do events and acts. Both addresses may be known: then blocks and facts are
        joined, and a consent of one that a refusal of the other may reach is gone. The old address keeps its own blocks
        and gets a manual one on everything. Gives the number of the event. Raises `InvalidEvent` where either address
        was erased, or both are one.
        """
        ...

    async def purge(self, kinds: Collection[EventKind], before: int) -> int:
        """Retention: delete events of these (fact) kinds older than `before` (Unix seconds), and the facts they made.

        Of `RETAINED`, those whose `until` came before `before`, however old they are, also under a tombstone.

        Never a block, a consent of any sort or what protects a minor: `InvalidEvent` for a kind that is not in
        `events.PURGEABLE`. Gives the number deleted.
        """
        ...

    async def oldest(self, kinds: Collection[EventKind]) -> int | None:
        """Unix seconds of the oldest event of these kinds, or None."""
        ...

    async def state_rows(self, after: bytes, limit: int) -> list[StateRow]:
        """State rows behind pseudonym `after`, in its order."""
        ...

    async def event_rows(self, after: int, limit: int) -> list[EventRow]:
        """Event rows behind number `after`, in order."""
        ...

    async def load(self, states: Sequence[StateRow], events: Sequence[EventRow]) -> None:
        """Take rows of another registry with the same keys, as they are. Only into a registry where nothing ever
        happened (`InvalidEvent`); from the first call to the last, `load((), ())`, it is mistrusted. Blocks go to the
        journal as well."""
        ...

    def use_keys(self, pseudonyms: Pseudonyms) -> None:
        """Work with these keys, the old ones and a new one, as soon as what is under way is done."""
        ...

    async def settled(self) -> None:
        """Returns when everything asked for before is done, also what `use_keys` and `trouble` set off."""
        ...

    async def lift(self, *, begin: bool = True) -> int:
        """Bring every row to the newest layer of the keys beside other work. Gives the batches needed.

        `begin` only when every process of this registry has the keys; without, only a pass that was cut off is gone on
        with. Cut off, it is done by calling it again.
        """
        ...

    async def status(self) -> dict[str, int | str]:
        """Counts and positions, for people: at least people, events, journal, applied, web, layer, octets."""
        ...
