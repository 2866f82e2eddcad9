"""The file itself: its settings, its readers, its columns."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gateway.spool import schema
from tests.spool.mail import PlainAudit, message, opened


def made(folder: Path) -> sqlite3.Connection:
    connection = schema.writing(folder / "shard-0.sqlite")
    schema.create(connection, PlainAudit().schema)
    return connection


def test_commits_are_made_to_last(tmp_path: Path) -> None:
    connection = made(tmp_path)
    settings = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
    assert settings == {"journal_mode": "wal", "synchronous": 2}
    assert connection.execute("PRAGMA auto_vacuum").fetchone()[0] == 2, "incremental"
    assert (tmp_path / "shard-0.sqlite").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "shard-0.sqlite-wal").stat().st_mode & 0o777 == 0o600
    connection.close()


def test_making_tables_twice_is_making_them_once(tmp_path: Path) -> None:
    made(tmp_path).close()
    made(tmp_path).close()


def test_tables_of_the_audit_fail_or_come_with_ours(tmp_path: Path) -> None:
    def refuse(connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("no audit")

    connection = schema.writing(tmp_path / "shard-0.sqlite")
    with pytest.raises(sqlite3.OperationalError):
        schema.create(connection, refuse)
    assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
    connection.close()


async def test_s01_rows_and_body_go_with_their_message_and_with_no_other(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message("a" * 20), message("b" * 20)], [])
    connection = made(tmp_path)
    connection.execute("DELETE FROM messages WHERE id = ?", ("a" * 20,))
    left = "SELECT (SELECT count(*) FROM rows), (SELECT count(*) FROM bodies), (SELECT group_concat(id) FROM messages)"
    assert connection.execute(left).fetchone() == (1, 1, "b" * 20)
    connection.close()


async def test_a_reader_cannot_change_anything(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message()], [])
        connection = schema.reading(tmp_path / "shard-0.sqlite")
        with pytest.raises(sqlite3.OperationalError):
            connection.execute("DELETE FROM rows")
        connection.close()


def test_clear_columns_are_those_that_name_nobody(tmp_path: Path) -> None:
    """L-03: a column added here is a column that somebody has to think about."""
    connection = made(tmp_path)
    columns = {
        table: {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
        for table in ("messages", "bodies", "rows", "orders", "meta")
    }
    connection.close()
    assert columns == {
        "messages": {
            *("n", "id", "slot", "reference", "organisation", "client", "stream", "received", "facts", "open", "size"),
            "sealed",
        },
        "bodies": {"message", "sealed"},
        "rows": {
            *("id", "message", "number", "person_exact", "person_wide", "state", "provider", "variant", "attempts"),
            *("due", "until", "sending", "reason", "sealed"),
        },
        "orders": {"id", "at", "operator", "reason", "act", "message", "row", "until"},
        "meta": {"name", "value"},
    }
