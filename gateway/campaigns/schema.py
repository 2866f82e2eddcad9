"""The tables of a campaigns file, and opening a connection to it.

what:       SQL of the file; secure deletion, so that what is deleted is overwritten; a bound on its size
takes→gives: path → connection that waits for nobody longer than it is told
knows not:  what an entry says
fails by:   `sqlite3.Error`, `OSError`
standard:   R-059

Nothing in it must survive: it is synced only when the log is moved into the file, and never older than a few days.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack
from pathlib import Path

from gateway import private_file

MOST_OCTETS = 64 * 1024 * 1024
PAGE = 4096
_TABLES = """
CREATE TABLE IF NOT EXISTS epochs (epoch INTEGER PRIMARY KEY, secret BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS entries (
  n INTEGER PRIMARY KEY AUTOINCREMENT, epoch INTEGER NOT NULL, family BLOB NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS entries_of_family ON entries (epoch, family, n);
"""


def open_writer(path: Path, *, wait_ms: int, most_octets: int = MOST_OCTETS) -> sqlite3.Connection:
    """A connection that reads and writes; makes the file (0600) and its tables where they are missing."""
    private_file.make(path)
    with ExitStack() as undo:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        undo.callback(connection.close)
        connection.execute(f"PRAGMA busy_timeout = {wait_ms}")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA max_page_count = {most_octets // PAGE}")
        for statement in filter(str.strip, _TABLES.split(";")):
            connection.execute(statement)
        undo.pop_all()
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that reads and never waits. Raises where there is no file."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA busy_timeout = 0")
    return connection
