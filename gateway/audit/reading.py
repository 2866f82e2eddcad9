"""Looking things up in the audit of all shards, and proving that nothing in it was changed.

what:       `AuditReader` for `trace`; `verify` for one shard
takes→gives: pseudonym or message id → `AuditRow` values, oldest first; a file → the problems in it
knows not:  who asks and why (the caller records that), keys, addresses
fails by:   `sqlite3.Error`
standard:   I-11, L-07
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.audit.protocol import AuditRow
from gateway.audit.sqlite import START, commitment, link

_Stored = tuple[int, float, str, bytes | None, bytes | None, str | None, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Problem:
    """`row` is the number in its shard; `what` says what does not fit."""

    row: int
    what: str


class AuditReader:
    """Reads the shards at `paths` as they are now; a shard that does not exist yet has no rows."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)

    def by_person(self, pseudonym: bytes) -> list[AuditRow]:
        """Rows about one person (exact pseudonym, 32 octets) that were not erased, oldest first."""
        return self._find("pseudonym = ?", pseudonym)

    def by_message(self, message: str) -> list[AuditRow]:
        """Rows about one message that were not erased, oldest first."""
        return self._find("message = ?", message)

    def _find(self, which: str, value: bytes | str) -> list[AuditRow]:
        query = f"SELECT payload FROM audit WHERE {which} AND payload IS NOT NULL ORDER BY number"
        found: list[AuditRow] = []
        for path in self._paths:
            texts: Iterator[tuple[str]] = _rows(path, query, (value,))
            found.extend(_row(text) for (text,) in texts)
        return sorted(found, key=lambda row: row.at)


def verify(path: Path) -> list[Problem]:
    """Walk the chain of one shard; empty when everything fits. Rows cut off at the very end cannot show here."""
    problems: list[Problem] = []
    chain, expected = START, 1
    query = "SELECT number, at, message, pseudonym, salt, payload, commitment, chain FROM audit ORDER BY number"
    found: Iterator[_Stored] = _rows(path, query, ())
    for stored in found:
        problems.extend(Problem(stored[0], what) for what in _faults(stored, chain, expected))
        chain, expected = stored[7], stored[0] + 1
    return problems


def _faults(stored: _Stored, before: bytes, expected: int) -> Iterator[str]:
    number, at, message, pseudonym, salt, text, committed, chain = stored
    if number != expected:
        yield f"rows {expected} to {number - 1} are missing"
    if chain != link(before, committed):
        yield "the chain does not fit the row before"
    if salt is None and text is None:
        if pseudonym is not None:
            yield "erased, but still names a person"
        return
    if salt is None or text is None or commitment(salt, text) != committed:
        yield "the content is not what was committed to"
        return
    row = _row(text)
    if (row.at, row.message, row.pseudonym) != (at, message, pseudonym or b""):
        yield "the columns differ from the content"


def _row(text: str) -> AuditRow:
    content = json.loads(text)
    return AuditRow(
        at=content["at"],
        organisation=content["organisation"],
        message=content["message"],
        what=content["what"],
        pseudonym=bytes.fromhex(content["pseudonym"]),
        detail=content["detail"],
    )


def _rows(path: Path, query: str, values: Sequence[bytes | str]) -> Iterator[Any]:
    if not path.exists():
        return
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'audit'").fetchone() is None:
            return
        yield from connection.execute(query, values)
