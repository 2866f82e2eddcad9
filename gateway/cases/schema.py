"""The tables of a cases file, and opening a connection to it.

what:       SQL of the file; secure deletion, so that what is deleted is overwritten
takes→gives: path → connection of this version
knows not:  what a case is about
fails by:   `sqlite3.Error`, `OSError`; `SchemaTooNew`
standard:   DESIGN §4 Outbox; S-31, S-35
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gateway import private_file

_BUSY_MS = 10_000

# `register` has no rowid and a random key: neither order nor a number says which erasure a row was (S-35).
_FIRST = """
CREATE TABLE cases (
  number INTEGER PRIMARY KEY AUTOINCREMENT, version INTEGER NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
  channel TEXT NOT NULL, received TEXT NOT NULL, entered REAL NOT NULL, due TEXT NOT NULL, extended INTEGER NOT NULL,
  ceiling TEXT, outcome TEXT, scope_kind INTEGER, scope_id INTEGER,
  effective REAL NOT NULL, completed REAL NOT NULL, answered REAL NOT NULL, ended REAL NOT NULL,
  key_id INTEGER, wrapped BLOB, sealed BLOB);
CREATE TABLE steps (
  n INTEGER PRIMARY KEY, number INTEGER NOT NULL, at REAL NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
  sealed BLOB);
CREATE INDEX steps_of_case ON steps (number);
CREATE TABLE papers (n INTEGER PRIMARY KEY, number INTEGER NOT NULL, sealed BLOB NOT NULL);
CREATE INDEX papers_of_case ON papers (number);
CREATE TABLE outbox (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, number INTEGER NOT NULL, kind TEXT NOT NULL,
  third_party TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL, moved REAL NOT NULL, final REAL NOT NULL,
  status TEXT NOT NULL, anonymous INTEGER NOT NULL, key_id INTEGER NOT NULL, wrapped BLOB NOT NULL,
  sealed BLOB NOT NULL);
CREATE INDEX outbox_of_case ON outbox (number);
CREATE TABLE register (
  id BLOB PRIMARY KEY, kind TEXT NOT NULL, quarter TEXT NOT NULL, outcome TEXT NOT NULL, days INTEGER NOT NULL,
  late INTEGER NOT NULL, number INTEGER, received TEXT, closed TEXT, channel TEXT) WITHOUT ROWID;
CREATE TABLE breaches (
  number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, state TEXT NOT NULL, key_id INTEGER NOT NULL,
  wrapped BLOB NOT NULL, sealed BLOB NOT NULL);
"""
MIGRATIONS: tuple[str, ...] = (_FIRST,)
VERSION = len(MIGRATIONS)


class SchemaTooNew(Exception):
    """The file was made by a newer version of this program."""


def open_file(path: Path) -> sqlite3.Connection:
    """A connection that reads and writes; makes the file (0600) and its tables where they are missing."""
    private_file.make(path)
    with ExitStack() as undo:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        undo.callback(connection.close)
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if _version(connection) < VERSION:
            with transaction(connection):  # another process may be making the tables now
                _migrate(connection)
        undo.pop_all()
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it, or nothing; one writer at a time."""
    connection.execute("BEGIN IMMEDIATE")
    with ExitStack() as undo:
        undo.callback(connection.execute, "ROLLBACK")
        yield
        connection.execute("COMMIT")
        undo.pop_all()


def _migrate(connection: sqlite3.Connection) -> None:
    for number, script in enumerate(MIGRATIONS[_version(connection) :], _version(connection) + 1):
        for statement in filter(str.strip, script.split(";")):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")


def _version(connection: sqlite3.Connection) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise SchemaTooNew(f"schema {version}; this program knows up to {VERSION}")
    return version


def wipe_log(connection: sqlite3.Connection) -> bool:
    """Move the log into the file and cut it to nothing. False while another process keeps it from that."""
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy
