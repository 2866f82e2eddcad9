"""Looking things up in the audit of all shards.

what:       `AuditReader` for `trace`, `audit show`, the breach watch
takes→gives: pseudonym, message id, time → `AuditRow` values, oldest first
knows not:  who asks and why (the caller records that), keys, addresses
fails by:   `AuditUnavailable`
standard:   I-11, L-07
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.audit.files import looking
from gateway.audit.protocol import AuditRow

_SINCE = "SELECT payload FROM audit WHERE at >= ? AND payload IS NOT NULL ORDER BY number"
_BEHIND = "SELECT number, payload FROM audit WHERE number > ? ORDER BY number LIMIT ?"


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

    def rows(self, since: float = 0.0, what: Collection[str] = ()) -> Iterator[AuditRow]:
        """Rows from `since` (Unix seconds) on that were not erased, shard by shard, as written; `what` () is all."""
        for path in self._paths:
            texts: Iterator[tuple[str]] = _rows(path, _SINCE, (since,))
            for (text,) in texts:
                row = row_of(text)
                if not what or row.what in what:
                    yield row

    def behind(self, positions: Mapping[str, int], limit: int) -> list[tuple[str, int, AuditRow | None]]:
        """At most `limit` rows per shard behind the position of each (shard name → row number), in their order.

        Gives (shard, number, row); the row is None where its content was erased.
        """
        found: list[tuple[str, int, AuditRow | None]] = []
        for path in self._paths:
            texts: Iterator[tuple[int, str | None]] = _rows(path, _BEHIND, (positions.get(path.stem, 0), limit))
            found.extend((path.stem, number, None if text is None else row_of(text)) for number, text in texts)
        return found

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
