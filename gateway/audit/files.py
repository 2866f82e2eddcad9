"""Opening the audit of one shard from outside its owner, in short transactions that never stand in its way for long.

what:       connections to look and to change; their errors as one of ours
takes→gives: path of a shard's database → a connection, or None where there is no audit yet
knows not:  what rows say
fails by:   `AuditUnavailable`
standard:   DESIGN §4 Audit. SQLite's own locks keep owner and visitor apart; who writes reads the end of the chain anew
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.audit.protocol import AuditRow, AuditUnavailable
from gateway.audit.sqlite import AuditWriter, last

_BUSY = 10.0  # seconds


@contextmanager
def looking(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection that cannot change anything. Raises `AuditUnavailable`, also for what goes wrong inside."""
    if not path.exists():
        yield None
        return
    with _errors(path), closing(_connect(path, "ro")) as connection:
        connection.execute("PRAGMA query_only = ON")
        yield connection if _has_audit(connection) else None


@contextmanager
def changing(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that writes durably; the file must be there."""
    with _errors(path), closing(_connect(path, "rw")) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        yield connection


def end_of(path: Path) -> tuple[int, bytes]:
    """Number and chain value of the last row that is committed; (0, …) where there is none."""
    with looking(path) as connection:
        return last(connection) if connection is not None else (0, b"")


def record(path: Path, rows: Sequence[AuditRow]) -> None:
    """Write rows into the shard as its owner would."""
    with changing(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            AuditWriter().write(connection, rows)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=_BUSY)


def _has_audit(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'audit'").fetchone() is not None


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise AuditUnavailable(f"{path}: {error}") from error
