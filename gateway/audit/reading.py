"""Looking things up in the audit of all shards.

what:       `AuditReader` for `trace`, `audit show`, the breach watch
takes→gives: pseudonym, message id, time → `AuditRow` values, oldest first
knows not:  who asks and why (the caller records that), keys, addresses
fails by:   `AuditUnavailable`
standard:   I-11, L-07
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from gateway.audit.files import looking
from gateway.audit.protocol import AuditRow

_SINCE = "SELECT payload FROM audit WHERE at >= ? AND payload IS NOT NULL ORDER BY number"
_BETWEEN = "SELECT payload FROM audit WHERE number > ? AND number <= ? AND instr(payload, ?) ORDER BY number"


class AuditReader:
    """Reads the shards at `paths` as they are now; a shard that does not exist yet has no rows."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)

    def by_person(self, *pseudonyms: bytes) -> list[AuditRow]:
        """Rows about one person that were not erased, oldest first.

        Exact pseudonyms of 32 octets, in every layer (`Person.every_exact`): a row keeps the layer it was written in.
        """
        found = [row for pseudonym in pseudonyms for row in self._find("pseudonym = ?", pseudonym)]
        return sorted(found, key=lambda row: row.at)

    def by_message(self, message: str) -> list[AuditRow]:
        """Rows about one message that were not erased, oldest first."""
        return self._find("message = ?", message)

    def rows(self, since: float = 0.0, what: Collection[str] = ()) -> Iterator[AuditRow]:
        """Rows from `since` (Unix seconds) on that were not erased, shard by shard, as written; `what` () is all."""
        for path in self._paths:
            texts: Iterator[tuple[str]] = _rows(path, _SINCE, (since,))
            for (text,) in texts:
                row = row_of(text)
                if not what or row.what in what:
                    yield row

    def between(self, database: Path, after: int, until: int, what: str) -> list[AuditRow]:
        """Rows of one kind with numbers above `after` and up to `until` in one shard, that were not erased."""
        # Looked for as text first: rows of other kinds are not read apart. A row that only quotes it is left out after.
        found: Iterator[tuple[str]] = _rows(database, _BETWEEN, (after, until, f'"what":"{what}"'))
        return [row for (text,) in found if (row := row_of(text)).what == what]

    def _find(self, which: str, value: bytes | str) -> list[AuditRow]:
        query = f"SELECT payload FROM audit WHERE {which} AND payload IS NOT NULL ORDER BY number"
        found: list[AuditRow] = []
        for path in self._paths:
            texts: Iterator[tuple[str]] = _rows(path, query, (value,))
            found.extend(row_of(text) for (text,) in texts)
        return sorted(found, key=lambda row: row.at)


def row_of(text: str) -> AuditRow:
    """A row from its stored content."""
    content = json.loads(text)
    return AuditRow(
        at=content["at"],
        organisation=content["organisation"],
        message=content["message"],
        what=content["what"],
        pseudonym=bytes.fromhex(content["pseudonym"]),
        detail=content["detail"],
    )


def _rows(path: Path, query: str, values: Sequence[bytes | str | float]) -> Iterator[Any]:
    with looking(path) as connection:
        if connection is not None:
            yield from connection.execute(query, values)
