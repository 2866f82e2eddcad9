"""Audit rows in the transaction of the store they speak of, chained so that a change shows.

what:       `AuditWriter`, run inside the spool's commit; `erase` for retention and erasure
takes→gives: `AuditRow` values → rows with salted commitments, each chained to the one before
knows not:  the spool's own tables, when the transaction commits, who reads
fails by:   `sqlite3.Error` (then the whole transaction fails: nothing is done unexplained)
standard:   I-7, I-11, L-07; DESIGN §4 Audit
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Sequence

from gateway.audit.protocol import AuditRow

SALT = 16
START = hashlib.sha256(b"briefgeheim audit 1").digest()
_TABLES = (
    "CREATE TABLE IF NOT EXISTS audit (number INTEGER PRIMARY KEY, at REAL NOT NULL, message TEXT NOT NULL, "
    "pseudonym BLOB, salt BLOB, payload TEXT, commitment BLOB NOT NULL, chain BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS audit_of_person ON audit (pseudonym) WHERE pseudonym IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS audit_of_message ON audit (message)",
)
_INSERT = (
    "INSERT INTO audit (number, at, message, pseudonym, salt, payload, commitment, chain) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
# default=str: an `Address` prints as its mark, so even a slip puts no address here.
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=str)
_ADDRESS_LIKE = re.compile(r"[^\s<>@,;:\\\"'()\[\]]+@[^\s<>@,;:\\\"'()\[\]]+")


class AuditWriter:
    """Writes inside a transaction that its caller begins and commits. Holds nothing: one may serve several shards."""

    def schema(self, connection: sqlite3.Connection) -> None:
        """Make the tables where they are missing."""
        for table in _TABLES:
            connection.execute(table)

    def write(self, connection: sqlite3.Connection, rows: Sequence[AuditRow]) -> None:
        """Add rows behind the last one. Text that looks like an address becomes `<address>` (I-7)."""
        if not rows:
            return
        # Read, not remembered: the caller may have rolled back what was written last time.
        number, chain = last(connection)
        salts = os.urandom(SALT * len(rows))
        stored = []
        for index, row in enumerate(rows):
            number += 1
            salt = salts[index * SALT : (index + 1) * SALT]
            text = payload(row)
            committed = commitment(salt, text)
            chain = link(chain, committed)
            stored.append((number, row.at, row.message, row.pseudonym or None, salt, text, committed, chain))
        connection.executemany(_INSERT, stored)


def erase_person(connection: sqlite3.Connection, pseudonym: bytes) -> int:
    """Forget content and pseudonym of every row about one person; the chain stays whole. Gives the number of rows."""
    return _erase(connection, "pseudonym = ?", pseudonym)


def erase_before(connection: sqlite3.Connection, at: float) -> int:
    """Forget content and pseudonym of rows older than `at` (Unix seconds)."""
    return _erase(connection, "at < ? AND payload IS NOT NULL", at)


def _erase(connection: sqlite3.Connection, which: str, value: bytes | float) -> int:
    connection.execute("PRAGMA secure_delete = ON")
    done = connection.execute(f"UPDATE audit SET pseudonym = NULL, salt = NULL, payload = NULL WHERE {which}", (value,))
    return done.rowcount


def last(connection: sqlite3.Connection) -> tuple[int, bytes]:
    """Number and chain value of the last row, or of the start."""
    row = connection.execute("SELECT number, chain FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    return (0, START) if row is None else (int(row[0]), bytes(row[1]))


def payload(row: AuditRow) -> str:
    """Everything of a row as one line of JSON: what the commitment is over."""
    content = {
        "at": row.at,
        "organisation": row.organisation,
        "message": row.message,
        "what": row.what,
        "pseudonym": row.pseudonym.hex(),
        "detail": dict(row.detail),
    }
    text = _ENCODER.encode(content)
    return _ADDRESS_LIKE.sub("<address>", text) if "@" in text else text


def commitment(salt: bytes, text: str) -> bytes:
    """The salt keeps an erased row from being guessed back."""
    return hashlib.sha256(salt + text.encode()).digest()


def link(chain: bytes, committed: bytes) -> bytes:
    return hashlib.sha256(chain + committed).digest()
