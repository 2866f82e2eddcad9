"""One record of a block journal, as a value and as octets.

what:       head and record layout, the digest chain, the position in a journal
takes→gives: `Record` ↔ 96 octets; octets → the records that hold, and where they stop holding
knows not:  files, locks, SQL, addresses
fails by:   `JournalDamaged` when a record was changed after others were written behind it
standard:   DESIGN §4 Block journal, I-13; L-34
"""

from __future__ import annotations

import hashlib
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from gateway.facts import BlockKind, Scope, ScopeKind
from gateway.pseudonym import SIZE, Person, Pseudonyms

MAGIC = b"BGJRNL1\n"
# magic, identity, numeric organisation, layer of the keys at creation, key check (zeros where the writer has no keys)
_HEAD = struct.Struct(">8s16sHB32s5x")
# sequence number, Unix seconds, kind, scope kind, layer, actor, scope id, message reference, pseudonym
_BODY = struct.Struct(f">QdBBBBII{SIZE}s4x")
_CHAIN = 32
HEAD_SIZE = _HEAD.size
RECORD_SIZE = _BODY.size + _CHAIN

# Numbers on disk: never change or reuse one.
BLOCK_KINDS = {
    1: BlockKind.OPT_OUT,
    2: BlockKind.WITHDRAWAL,
    3: BlockKind.OBJECTION,
    4: BlockKind.RESTRICTION,
    5: BlockKind.ERASURE,
    6: BlockKind.COMPLAINT,
    7: BlockKind.BOUNCE,
    8: BlockKind.MANUAL,
}
BLOCK_NUMBERS = {kind: number for number, kind in BLOCK_KINDS.items()}


class JournalDamaged(Exception):
    """The journal is not what was written: changed, cut short, replaced, or of another organisation."""


class Actor(IntEnum):
    """Who acted, by kind only. The numbers are in journals: never change or reuse one."""

    PERSON = 1
    OPERATOR = 2
    IMPORT = 3
    WEB = 4
    SYSTEM = 5


@dataclass(frozen=True, slots=True)
class Record:
    """One block. `at` Unix seconds; `pseudonym` 32 octets of `layer`; `message` the 32-bit reference or 0."""

    kind: BlockKind
    scope: Scope
    at: float
    pseudonym: bytes
    layer: int
    actor: Actor
    message: int = 0

    def __post_init__(self) -> None:
        if len(self.pseudonym) != SIZE:
            raise ValueError(f"a pseudonym has {SIZE} octets")

    def newest(self, keys: Pseudonyms) -> bytes:
        """The pseudonym in the newest layer of `keys`."""
        return self.person(keys).exact

    def person(self, keys: Pseudonyms) -> Person:
        """Whom it blocks, in the newest layer of `keys` and those down to its own."""
        try:
            return keys.known_by(self.pseudonym, self.layer)
        except ValueError as error:
            raise JournalDamaged(f"a record cannot be read with these keys: {error}") from None


@dataclass(frozen=True, slots=True)
class Head:
    """First octets of a journal: its own identity, and whose it is. `key_check` is 32 zeros in a web journal."""

    identity: bytes
    organisation: int
    layer: int
    key_check: bytes

    @classmethod
    def new(cls, organisation: int, layer: int, key_check: bytes) -> Head:
        return cls(uuid.uuid4().bytes, organisation, layer, key_check.ljust(32, b"\0"))

    def pack(self) -> bytes:
        return _HEAD.pack(MAGIC, self.identity, self.organisation, self.layer, self.key_check)

    @classmethod
    def unpack(cls, octets: bytes) -> Head:
        if len(octets) != HEAD_SIZE or not octets.startswith(MAGIC):
            raise JournalDamaged("not a block journal of this version")
        _, identity, organisation, layer, key_check = _HEAD.unpack(octets)
        return cls(identity, organisation, layer, key_check)

    @property
    def start(self) -> Mark:
        return Mark(0, hashlib.sha256(self.pack()).digest())


@dataclass(frozen=True, slots=True)
class Mark:
    """A position: `position` records came before, and `chain` is the digest of all of them."""

    position: int
    chain: bytes

    @property
    def offset(self) -> int:
        return HEAD_SIZE + self.position * RECORD_SIZE


def pack(records: Sequence[Record], mark: Mark) -> tuple[bytes, Mark]:
    """Octets of `records` to be written at `mark`, and the mark behind them."""
    octets = bytearray()
    for number, record in enumerate(records, mark.position + 1):
        body = _pack_body(number, record)
        chain = hashlib.sha256(mark.chain + body).digest()
        octets += body + chain
        mark = Mark(number, chain)
    return bytes(octets), mark


def unpack(octets: bytes, mark: Mark) -> tuple[list[Record], Mark]:
    """Records that hold from `mark` on, and the mark behind the last of them.

    What follows that mark is a torn end (a write that a crash or a full disk cut off, or one still going on): not
    acknowledged to anybody. Raises `JournalDamaged` when a whole record stands behind one that does not hold.
    """
    records: list[Record] = []
    for start in range(0, len(octets) - RECORD_SIZE + 1, RECORD_SIZE):
        body, chain = octets[start : start + _BODY.size], octets[start + _BODY.size : start + RECORD_SIZE]
        record = _unpack_body(body, mark.position + 1) if _follows(mark.chain, body, chain) else None
        if record is None:
            _refuse_change(octets[start:], mark.position + 1)
            break
        records.append(record)
        mark = Mark(mark.position + 1, chain)
    return records, mark


def chain_of(octets: bytes) -> bytes:
    """The digest at the end of one record's octets."""
    return octets[_BODY.size :]


def _follows(previous: bytes, body: bytes, chain: bytes) -> bool:
    return hashlib.sha256(previous + body).digest() == chain


def _refuse_change(octets: bytes, number: int) -> None:
    # A torn write leaves nothing whole behind it; a changed record does.
    for start in range(RECORD_SIZE, len(octets) - RECORD_SIZE + 1, RECORD_SIZE):
        before = octets[start - _CHAIN : start]
        if _follows(before, octets[start : start + _BODY.size], octets[start + _BODY.size : start + RECORD_SIZE]):
            raise JournalDamaged(f"record {number} was changed after it was written")


def _pack_body(number: int, record: Record) -> bytes:
    return _BODY.pack(
        number,
        record.at,
        BLOCK_NUMBERS[record.kind],
        record.scope.kind,
        record.layer,
        record.actor,
        record.scope.id,
        record.message,
        record.pseudonym,
    )


def _unpack_body(body: bytes, expected: int) -> Record:
    number, at, kind, scope_kind, layer, actor, scope_id, message, pseudonym = _BODY.unpack(body)
    try:
        if number != expected:
            raise ValueError(f"numbered {number}")
        scope = Scope(ScopeKind(scope_kind), scope_id)
        return Record(BLOCK_KINDS[kind], scope, at, pseudonym, layer, Actor(actor), message)
    except (KeyError, ValueError) as error:
        # The chain holds, so this is what was written: by a newer version or by somebody else's program.
        raise JournalDamaged(f"record {expected} cannot be read: {error}") from None
