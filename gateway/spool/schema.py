"""Tables of one shard, and how to connect to them.

what:       schema version 1; connections for the writer, for readers, for a look from outside
takes→gives: path → `sqlite3.Connection`
knows not:  what rows mean, sealing
fails by:   `sqlite3.Error`, `SpoolUnavailable` for a newer schema
standard:   SQLite WAL, synchronous=FULL; L-03: no clear column holds an address
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from gateway.spool.protocol import SpoolUnavailable, State

VERSION = 1
_BUSY_MS = 10_000
CHECKPOINT_PAGES = 4000  # of the log, each of 4096 octets; then they are moved into the database
_WAL_KEPT = 64 * 2**20

FINAL = tuple(state.value for state in State if state.final)

# Bodies have a table of their own: updating a row of `messages` would rewrite a body that sat in it.
# AUTOINCREMENT: a late update must never meet a new row under an old number.
_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE messages (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    slot INTEGER NOT NULL,
    reference INTEGER NOT NULL,
    organisation TEXT NOT NULL,
    client TEXT NOT NULL,
    stream TEXT NOT NULL,
    received REAL NOT NULL,
    facts TEXT NOT NULL,
    open INTEGER NOT NULL,  -- rows that are not final
    size INTEGER NOT NULL,  -- octets of the plain body
    sealed BLOB NOT NULL
);
CREATE TABLE bodies (message INTEGER PRIMARY KEY, sealed BLOB NOT NULL);
CREATE TABLE rows (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL,
    number INTEGER NOT NULL,  -- within the message, from 0; bound into the seal
    person_exact BLOB NOT NULL,
    person_wide BLOB NOT NULL,
    state TEXT NOT NULL,
    provider TEXT NOT NULL,
    variant TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL,
    until REAL NOT NULL,
    sending INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL,
    sealed BLOB  -- NULL once the row is final
);
CREATE INDEX rows_due ON rows (state, due);
CREATE INDEX rows_message ON rows (message);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    operator TEXT NOT NULL,
    reason TEXT NOT NULL,
    act TEXT NOT NULL,
    message TEXT NOT NULL,
    row INTEGER,
    until REAL NOT NULL
);
"""

# In memory and of the writer's connection alone. A message ends with one statement, not with three: each lends the
# interpreter to the event loop, and the writer has to get it back.
_ENDING = """
CREATE TEMP TRIGGER IF NOT EXISTS ending AFTER DELETE ON main.messages BEGIN
    DELETE FROM rows WHERE message = OLD.n;
    DELETE FROM bodies WHERE message = OLD.n;
END
"""


def writing(path: Path) -> sqlite3.Connection:
    """The owner's writing connection; the file exists with the right mode afterwards."""
    path.touch(mode=0o600)
    connection = _connect(path, "rwc")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # has effect before the first table only
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = FAST")
    connection.execute("PRAGMA temp_store = MEMORY")  # else what a savepoint may undo is written to a file in /var/tmp
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT}")
    return connection


def reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot change anything."""
    connection = _connect(path, "ro")
    connection.execute("PRAGMA query_only = ON")
    return connection


def ordering(path: Path) -> sqlite3.Connection:
    """A connection of another process, for one short transaction in `orders`."""
    connection = _connect(path, "rw")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def create(connection: sqlite3.Connection, also: Callable[[sqlite3.Connection], None]) -> None:
    """Make the tables where they are missing; `also` adds those of the audit. One transaction.

    From then on rows and body of a message go when the message is deleted over this connection.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise SpoolUnavailable(f"spool has schema {version}; this program knows {VERSION}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        if version == 0:
            for statement in _TABLES.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        also(connection)
        connection.execute("COMMIT")
        connection.execute(_ENDING)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
        timeout=_BUSY_MS / 1000,
    )
