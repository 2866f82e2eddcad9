"""Bringing all rows to the newest pseudonym layer, in one pass that can be cut off and started again.

what:       lifts state rows in batches, each its own commit; the last one moves the registry's own layer
takes→gives: a connection and `Identity` of an older layer → `Identity` of the newest
knows not:  why keys rotate; events (they know people by number, so they stay as they are)
fails by:   `sqlite3.Error`
standard:   DESIGN §4 Pseudonyms
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from gateway.pseudonym import Pseudonyms
from gateway.registry import identity as identities
from gateway.registry.identity import Identity

BATCH = 5000


def lift(connection: sqlite3.Connection, identity: Identity, pseudonyms: Pseudonyms) -> Identity:
    """Lift every row; the caller keeps other writers out. Rows lifted by an earlier, cut-off pass are left alone."""
    after: bytes | None = b""
    while after is not None:
        after = lift_batch(connection, after, pseudonyms)
    lifted = replace(identity, layer=pseudonyms.version, key_check=pseudonyms.check_value())
    connection.execute("BEGIN IMMEDIATE")
    identities.write(connection, lifted)
    connection.execute("COMMIT")
    return lifted


def lift_batch(connection: sqlite3.Connection, after: bytes, pseudonyms: Pseudonyms) -> bytes | None:
    """Lift up to `BATCH` rows behind pseudonym `after`, in one commit. Gives the last one, or None at the end."""
    newest = pseudonyms.version
    connection.execute("BEGIN IMMEDIATE")
    rows = connection.execute(
        "SELECT pseudonym, person, layer, data FROM state WHERE pseudonym > ? AND layer < ? ORDER BY pseudonym LIMIT ?",
        (after, newest, BATCH),
    ).fetchall()
    connection.executemany("DELETE FROM state WHERE pseudonym = ?", [(row[0],) for row in rows])
    connection.executemany(
        "INSERT INTO state (pseudonym, person, layer, data) VALUES (?, ?, ?, ?)",
        [(pseudonyms.lift(p, layer), person, newest, data) for p, person, layer, data in rows],
    )
    connection.execute("COMMIT")
    return bytes(rows[-1][0]) if rows else None
