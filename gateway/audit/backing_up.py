"""The audit of one shard in a file of its own, for a backup: mail in flight stays out of it.

what:       the audit's rows as they are, in tables that a spool can take over as its own
takes→gives: path of a shard's database → a new file, its number of rows
knows not:  where backups are kept, the spool's tables
fails by:   `AuditUnavailable`
standard:   L-06, L-07; docs/backup.md
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from gateway.audit.protocol import AuditUnavailable
from gateway.audit.sqlite import AuditWriter


def copy(source: Path, target: Path) -> int:
    """Copy every row in one snapshot. `target` must not be there. Gives how many rows."""
    try:
        rows = _fill(source, target)
        target.chmod(0o600)
        _sync(target)
    except (sqlite3.Error, OSError) as error:
        raise AuditUnavailable(f"{source}: {error}") from error
    return rows


def _fill(source: Path, target: Path) -> int:
    with closing(sqlite3.connect(target, isolation_level=None, uri=True)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # as a shard has it; only before the first table
        connection.execute("BEGIN")
        AuditWriter().schema(connection)
        connection.execute("COMMIT")
        connection.execute("ATTACH ? AS live", (f"{source.absolute().as_uri()}?mode=ro",))
        connection.execute("BEGIN")
        rows = sum(_copy(connection, table) for table in _tables(connection))
        connection.execute("COMMIT")
    return rows


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def sound(path: Path) -> bool:
    """Whether the file is there and whole, with an audit in it."""
    if not path.exists() or path.stat().st_size == 0:
        return False
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("SELECT COUNT(*) FROM audit").fetchone()
            return bool(connection.execute("PRAGMA quick_check").fetchone() == ("ok",))
    except sqlite3.Error:
        return False


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    return [str(name) for (name,) in rows if not name.startswith("sqlite_")]


def _copy(connection: sqlite3.Connection, table: str) -> int:
    columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA live.table_info({table})"))
    if not columns:
        return 0
    return connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM live.{table}").rowcount
