"""Shards of the audit for tests: rows written as the spool writes them, in one connection that the test may abuse."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gateway.audit.protocol import AuditRow
from gateway.audit.sqlite import AuditWriter, last

ANNA, BERT = b"a" * 32, b"b" * 32


def row(at: float, message: str = "m1", pseudonym: bytes = ANNA, what: str = "delivered", **detail: object) -> AuditRow:
    return AuditRow(at, str(detail.pop("organisation", "school")), message, what, pseudonym, detail)


class Shard:
    """`path` is the database; `write` commits."""

    def __init__(self, folder: Path, number: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"shard-{number}.sqlite"
        self.connection = sqlite3.connect(self.path, isolation_level=None)
        AuditWriter().schema(self.connection)

    def write(self, *rows: AuditRow) -> None:
        self.connection.execute("BEGIN")
        AuditWriter().write(self.connection, rows)
        self.connection.execute("COMMIT")

    @property
    def end(self) -> tuple[int, bytes]:
        return last(self.connection)

    def close(self) -> None:
        self.connection.close()
