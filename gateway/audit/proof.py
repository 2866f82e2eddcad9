"""Proving that nothing in one shard's audit was changed, taken out, put in, moved or cut off.

what:       one walk along the chain, held against the signed checkpoints
takes→gives: database, checkpoint lines, public keys → `Proof`
knows not:  who asks, where checkpoints were kept
fails by:   `AuditUnavailable` for a file that cannot be read as a database
standard:   L-07, DESIGN §4 Audit. Linear, in bounded memory; erased rows keep their place and prove nothing but it
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.audit.checkpoints import FIRST, Checkpoint, CheckpointDamaged, Checkpoints, PublicKeys
from gateway.audit.files import looking
from gateway.audit.reading import row_of
from gateway.audit.sqlite import START, commitment, link

_Stored = tuple[int, float, str, bytes | None, bytes | None, str | None, bytes, bytes]
_COLUMNS = "number, at, message, pseudonym, salt, payload, commitment, chain"
_QUERY = f"SELECT {_COLUMNS} FROM audit WHERE number >= ? ORDER BY number"
_LEAST = -(2**63)  # a row put in before the first must be met too
_STEP = 10_000  # rows between two words of progress
_KEPT = 1000  # problems kept; all are counted


@dataclass(frozen=True, slots=True)
class Problem:
    """`row` is the number in its shard (0: the checkpoint file itself); `what` says what does not fit."""

    row: int
    what: str


@dataclass(slots=True)
class Proof:
    """What the walk found. `erased` rows keep their place in the chain without content; `signed` is the last row that a
    checkpoint covers, `signed_at` its time (0.0: none); rows behind it can be cut off without showing."""

    shard: str
    first: int = 1
    rows: int = 0
    erased: int = 0
    last: int = 0
    signed: int = 0
    signed_at: float = 0.0
    checkpoints: int = 0
    found: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not self.found

    def add(self, row: int, what: str) -> None:
        self.found += 1
        if len(self.problems) < _KEPT:
            self.problems.append(Problem(row, what))


@dataclass(slots=True)
class _Marks:
    """Checkpoints by row number, in the order of their numbers."""

    by_number: dict[int, list[Checkpoint]] = field(default_factory=dict)

    def add(self, checkpoint: Checkpoint) -> None:
        self.by_number.setdefault(checkpoint.number, []).append(checkpoint)

    @property
    def newest(self) -> Checkpoint | None:
        return self.by_number[max(self.by_number)][-1] if self.by_number else None


def verify(
    database: Path,
    keys: PublicKeys | None = None,
    *,
    elsewhere: Sequence[Checkpoint] = (),
    since: float | None = None,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Proof:
    """Walk the chain of one shard. `keys` None looks at no checkpoint; `elsewhere` are copies kept in another place.

    `since` starts behind the newest checkpoint that is no younger (Unix seconds) instead of at the first row.
    """
    proof = Proof(database.stem)
    marks = _signed(proof, Checkpoints.beside(database), keys, elsewhere)
    start = _start(marks, since)
    proof.last = start.number if start else 0
    proof.first = proof.last + 1
    chain = start.chain if start else START
    for stored in _rows(database, proof.first if start else _LEAST):
        _row(proof, stored, chain, marks)
        chain, proof.last = stored[7] if isinstance(stored[7], bytes) else b"", stored[0]
        proof.rows += 1
        if proof.rows % _STEP == 0:
            progress(proof.rows)
    _end(proof, marks)
    return proof


def _signed(proof: Proof, file: Checkpoints, keys: PublicKeys | None, elsewhere: Sequence[Checkpoint]) -> _Marks:
    marks = _Marks()
    if keys is None:
        return marks
    before, number, broken = FIRST, 0, False
    for place, line in enumerate(file.lines(), 1):
        try:
            checkpoint = Checkpoint.read(line)
        except CheckpointDamaged:
            proof.add(0, f"checkpoint line {place} cannot be read")
            broken = True
            continue
        if checkpoint.shard != proof.shard or not keys.fits(checkpoint):
            proof.add(checkpoint.number, f"checkpoint line {place} is not signed by a key of this gateway")
            broken = True
            continue
        if (checkpoint.before != before or checkpoint.number <= number) and not broken:
            proof.add(checkpoint.number, f"checkpoint line {place} does not fit the one before: lines were taken out")
        before, number, broken = checkpoint.digest, checkpoint.number, False
        marks.add(checkpoint)
        proof.checkpoints += 1
    for checkpoint in elsewhere:
        if checkpoint.shard != proof.shard:
            continue
        if keys.fits(checkpoint):
            marks.add(checkpoint)
            proof.checkpoints += 1
        else:
            proof.add(checkpoint.number, "a checkpoint kept elsewhere is not signed by a key of this gateway")
    if (newest := marks.newest) is not None:
        proof.signed, proof.signed_at = newest.number, newest.at
    return marks


def _start(marks: _Marks, since: float | None) -> Checkpoint | None:
    if since is None:
        return None
    earlier = [c for found in marks.by_number.values() for c in found if c.at <= since]
    return max(earlier, key=lambda c: c.number, default=None)


def _row(proof: Proof, stored: _Stored, before: bytes, marks: _Marks) -> None:
    number, expected = stored[0], proof.last + 1
    if number < expected:
        proof.add(number, "stands before the first row")
    elif number > expected:
        proof.add(number, f"rows {expected} to {number - 1} are missing")
    if stored[4] is None and stored[5] is None:
        proof.erased += 1
    for what in _faults(stored, before):
        proof.add(number, what)
    for checkpoint in marks.by_number.get(number, ()):
        if checkpoint.chain != stored[7]:
            proof.add(number, "this row or one before it is not what was signed in a checkpoint")


def _faults(stored: _Stored, before: bytes) -> Iterator[str]:
    _number, at, message, pseudonym, salt, text, committed, chain = stored
    if not isinstance(committed, bytes) or chain != link(before, committed):
        yield "the chain does not fit the row before"
    if salt is None and text is None:
        if pseudonym is not None:
            yield "erased, but still names a person"
        return
    if not isinstance(salt, bytes) or not isinstance(text, str) or commitment(salt, text) != committed:
        yield "the content is not what was committed to"
        return
    row = row_of(text)
    if (row.at, row.message, row.pseudonym) != (at, message, pseudonym or b""):
        yield "the columns differ from the content"


def _end(proof: Proof, marks: _Marks) -> None:
    newest = marks.newest
    if newest is not None and newest.number > proof.last:
        proof.add(newest.number, f"rows {proof.last + 1} to {newest.number} are cut off at the end")


def _rows(path: Path, first: int) -> Iterator[_Stored]:
    with looking(path) as connection:
        if connection is not None:
            yield from connection.execute(_QUERY, (first,))
