"""The registry's tables, and the steps from one version to the next.

what:       SQL of the file; opening a connection; migrating
takes→gives: path → connection; a connection of any older version → one of this version
knows not:  what events mean
fails by:   `sqlite3.Error`; `SchemaTooNew`
standard:   DESIGN §4 People: SQLite, WAL, synchronous=FULL; I-10 (events are append-only)
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

_BUSY_MS = 5000
_CACHE_KIB = 16 * 1024  # pages a look-up finds without asking the system

# `state` is keyed by pseudonym and holds the number of the person's first event as `person`; `events` know people by
# that number only. So a new pseudonym layer rewrites `state` and never touches an event.
_FIRST = """
CREATE TABLE identity (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  registry BLOB NOT NULL, organisation INTEGER NOT NULL, key_check BLOB NOT NULL, layer INTEGER NOT NULL,
  journal BLOB NOT NULL, position INTEGER NOT NULL, chain BLOB NOT NULL,
  web BLOB, web_position INTEGER NOT NULL DEFAULT 0, web_chain BLOB);
CREATE TABLE events (
  number INTEGER PRIMARY KEY, person INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL,
  scope_kind INTEGER, scope_id INTEGER,
  actor TEXT NOT NULL, channel TEXT NOT NULL, wording TEXT NOT NULL, proof TEXT NOT NULL, detail TEXT);
CREATE INDEX events_of_person ON events (person);
CREATE TABLE state (
  pseudonym BLOB PRIMARY KEY, person INTEGER NOT NULL, layer INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE acts (
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, operator TEXT NOT NULL, reason TEXT NOT NULL, what TEXT NOT NULL,
  person INTEGER);
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER acts_stay BEFORE UPDATE ON acts BEGIN SELECT RAISE(ABORT, 'acts are append-only'); END;
CREATE TRIGGER acts_remain BEFORE DELETE ON acts BEGIN SELECT RAISE(ABORT, 'acts are append-only'); END;
"""
# The lowest layer a state row may still be of, while rows are lifted; NULL: all are of `layer`.
_FLOOR = "ALTER TABLE identity ADD COLUMN floor INTEGER;"
# `numbering`: the highest event number there ever was, so that none comes twice after events went. `postings`: indexes
# that follow from the states (`postings.py`). `opened`: events and acts may only be touched while it has its row, which
# an erasure, a purge or a rectification puts in and takes out within its own commit. `scrub`: a row for each commit
# whose deleted content may still lie in free space of the file; it goes when that was looked for. `loading`: rows of
# another registry are coming in.
_PEOPLE = """
CREATE TABLE numbering (one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL);
INSERT INTO numbering SELECT 1, COALESCE(MAX(number), 0) FROM events;
CREATE TABLE postings (
  name INTEGER NOT NULL, key TEXT NOT NULL, event INTEGER NOT NULL, person INTEGER NOT NULL,
  PRIMARY KEY (name, key, event, person)) WITHOUT ROWID;
INSERT INTO postings SELECT 2, held.value, 0, person FROM state, json_each(data, '$.u') AS held;
CREATE INDEX state_of_person ON state (person);
CREATE INDEX facts_by_age ON events (kind, at) WHERE kind GLOB 'fact-*';
ALTER TABLE identity ADD COLUMN loading INTEGER NOT NULL DEFAULT 0;
CREATE TABLE opened (one INTEGER PRIMARY KEY CHECK (one = 1));
CREATE TABLE scrub (number INTEGER PRIMARY KEY);
DROP TRIGGER events_stay;
DROP TRIGGER events_remain;
DROP TRIGGER acts_stay;
CREATE TRIGGER events_stay
  BEFORE UPDATE OF number, at, kind, scope_kind, scope_id, actor, channel, wording, proof, detail
  ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_of_whom BEFORE UPDATE OF person ON events WHEN NOT EXISTS (SELECT 1 FROM opened)
  BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events WHEN NOT EXISTS (SELECT 1 FROM opened)
  BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER acts_stay BEFORE UPDATE OF number, at, operator, reason, what
  ON acts BEGIN SELECT RAISE(ABORT, 'acts are append-only'); END;
CREATE TRIGGER acts_of_whom BEFORE UPDATE OF person ON acts WHEN NOT EXISTS (SELECT 1 FROM opened)
  BEGIN SELECT RAISE(ABORT, 'acts are append-only'); END;
"""
MIGRATIONS: tuple[str, ...] = (_FIRST, _FLOOR, _PEOPLE)
VERSION = len(MIGRATIONS)


class SchemaTooNew(Exception):
    """The file was made by a newer version of this program."""


def create(path: Path) -> sqlite3.Connection:
    """Make the file with all tables. The caller has checked that there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = _connect(path, "rwc")
    migrate(connection)
    return connection


def writing(path: Path) -> sqlite3.Connection:
    """A connection for the writer. Never creates the file."""
    return _connect(path, "rw")


def reading(path: Path) -> sqlite3.Connection:
    """A connection for look-ups. Refuses to write; never creates the file."""
    connection = _connect(path, "ro")
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    return connection


def migrate(connection: sqlite3.Connection) -> int:
    """Bring the file to `VERSION`, each step in its own commit. Gives the number of steps done."""
    version = version_of(connection)
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")
    return VERSION - version


def version_of(connection: sqlite3.Connection) -> int:
    """0 for a file without tables. Raises `SchemaTooNew`."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise SchemaTooNew(f"schema {version}; this program knows up to {VERSION}")
    return version


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # One thread at a time uses a connection, but not always the one that made it.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    if mode != "ro":
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten, whatever this SQLite's default
    return connection
