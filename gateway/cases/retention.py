"""Register rows and closed breaches past their term.

what:       counting and deleting them, and the oldest of each
takes→gives: connection, day or moment → numbers
knows not:  how long they are kept
fails by:   `sqlite3.Error`
standard:   L-05, S-56. A row of an erasure has no day: it is as old as the end of its quarter
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime

from gateway.cases import rows
from gateway.cases.protocol import Registered
from gateway.cases.sealing import CaseKeys

CLOSED = "closed"


def closed_on(row: Registered) -> date:
    """The day a request was closed; the last of its quarter for an erasure, which keeps no day (S-35)."""
    if row.closed is not None:
        return row.closed
    year, quarter = int(row.quarter[:4]), int(row.quarter[-1])
    following = date(year + quarter // 4, quarter % 4 * 3 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


def purge_register(db: sqlite3.Connection, before: date) -> int:
    """Delete rows closed before that day. Gives their number."""
    found = db.execute("SELECT * FROM register").fetchall()
    old = [row["id"] for row in found if closed_on(rows.registered_of(row)) < before]
    db.executemany("DELETE FROM register WHERE id = ?", [(id,) for id in old])
    return len(old)


def purge_breaches(db: sqlite3.Connection, keys: CaseKeys, before: float) -> int:
    """Delete breaches closed before that moment (Unix seconds); an open one has no term. Gives their number."""
    old = [number for number, at in _closed(db, keys) if at < before]
    db.executemany("DELETE FROM breaches WHERE number = ?", [(number,) for number in old])
    return len(old)


def closed_at(detail: object) -> float:
    """When a breach was closed, out of its sealed detail (`closed_at`, ISO 8601); 0.0 where it says nothing."""
    text = detail.get("closed_at") if isinstance(detail, dict) else None
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC).timestamp()
    except ValueError:
        return 0.0


def _closed(db: sqlite3.Connection, keys: CaseKeys) -> list[tuple[int, float]]:
    found = db.execute("SELECT * FROM breaches WHERE state = ?", (CLOSED,)).fetchall()
    breaches = [rows.breach_of(r, rows.seal_of(keys, rows.breach_owner(r["number"]), r)) for r in found]
    return [(b.number, at) for b in breaches if (at := closed_at(b.detail))]
