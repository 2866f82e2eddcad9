"""What was deleted is gone from the files too: from the log, from free pages, and from the gaps inside pages.

what:       empties the write-ahead log, looks for what was deleted in the raw file, rewrites the file where it is found
takes→gives: a connection outside a transaction, and what to look for → files without it
knows not:  why something was deleted
fails by:   `sqlite3.OperationalError` while another process reads the log: what is left to do stays noted in the file
standard:   GDPR 17; SQLite file format 1.6, 2.1; I-7

`PRAGMA secure_delete` overwrites deleted rows. But when pages are split or joined, SQLite leaves copies of moved rows
in the gap of the old page, and does not know of them later: up to one erasure in eight, where rows differ much in size.
"""

from __future__ import annotations

import mmap
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.registry.folding import Folded
from gateway.registry.postings import Posting
from gateway.registry.protocol import EventKind, StateRow

_KINDS = b"|".join(re.escape(kind.value.encode()) for kind in EventKind if kind is not EventKind.ERASURE)
_SIZES = (1, 2, 3, 4, 6, 8)  # octets an integer may take


@dataclass(frozen=True, slots=True)
class Trace:
    """How what an erasure deleted would look in the file: `tombstones` are the rows that stay."""

    tombstones: Sequence[StateRow]
    postings: Sequence[Posting]


def trace_of(folded: Folded) -> Trace:
    """What the erasures of this fold leave to look for."""
    tombstones = [row for row in folded.states if row.person in folded.erased]
    return Trace(tombstones, [line for line in folded.lost if line.person in folded.erased])


def due(connection: sqlite3.Connection) -> int:
    """How many commits deleted something that was not yet looked for."""
    return int(connection.execute("SELECT COUNT(*) FROM scrub").fetchone()[0])


def scrub(connection: sqlite3.Connection, path: Path, traces: Sequence[Trace]) -> None:
    """Bring the files to hold nothing deleted. `traces`: one for each commit that deleted, as far as known; where one
    is not (a crash, another process), the file is rewritten."""
    empty_log(connection)
    if due(connection) != len(traces) or found(path, traces):
        connection.execute("VACUUM")
        empty_log(connection)
    connection.execute("DELETE FROM scrub")


def found(path: Path, traces: Iterable[Trace]) -> bool:
    """Whether the file at `path` or its log still holds a deleted row of any of these."""
    traces = list(traces)
    for file in (path, path.with_name(path.name + "-wal")):
        with _octets(file) as octets:
            if octets is not None and any(_in(octets, trace) for trace in traces):
                return True
    return False


def _in(octets: mmap.mmap, trace: Trace) -> bool:
    for row in trace.tombstones:
        if re.search(_events_of(row.person), octets) or any(_older(octets, row)):
            return True
    return any(octets.find(_line(posting)) >= 0 for posting in trace.postings)


def _events_of(person: int) -> re.Pattern[bytes]:
    # An event row begins with the person number, the time and the kind; of a row that was cut, the beginning is left.
    return re.compile(re.escape(_integer(person)) + b".{0,8}(?:" + _KINDS + b")", re.DOTALL)


def _older(octets: mmap.mmap, row: StateRow) -> Iterator[bool]:
    """For each copy of the state row, whether it says something else than the row does now."""
    head = row.pseudonym + _integer(row.person) + _integer(row.layer)
    now = row.data.encode()
    at = octets.find(head)
    while at >= 0:
        data = octets[at + len(head) : at + len(head) + len(now)]
        yield data.startswith(b"{") and data != now
        at = octets.find(head, at + 1)


def _line(posting: Posting) -> bytes:
    return posting.key.encode() + _integer(posting.event) + _integer(posting.person)


def _integer(value: int) -> bytes:
    """As SQLite's record format stores it: 0 and 1 take no octet."""
    if value in (0, 1):
        return b""
    return value.to_bytes(next(n for n in _SIZES if value < 1 << (8 * n - 1)), "big")


@contextmanager
def _octets(path: Path) -> Iterator[mmap.mmap | None]:
    if not path.exists() or path.stat().st_size == 0:
        yield None
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as octets:
        yield octets


def empty_log(connection: sqlite3.Connection) -> None:
    """Write the log into the file and cut it to nothing."""
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise sqlite3.OperationalError("deleted rows are still in the write-ahead log: somebody reads it; erase again")
