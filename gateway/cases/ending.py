"""What shrinks: a case that ends, a mail that is settled, keys that are renewed.

what:       deletions and overwriting inside one transaction
takes→gives: `Case`, `Registered` → what stays of it
knows not:  when the transaction commits, how the log is emptied (`schema.wipe_log`)
fails by:   `sqlite3.Error`, `SealBroken`, `CaseChanged`
standard:   S-31, S-33, S-35, D-06
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from typing import Any

from gateway.cases import intake, rows
from gateway.cases.protocol import Case, CaseChanged, CaseKind, CaseState, MailState, Registered, Step
from gateway.cases.sealing import CaseKeys, Wrapped

_ENDED = (
    "UPDATE cases SET version = version + 1, state = ?, key_id = NULL, wrapped = NULL, sealed = NULL,"
    " scope_kind = NULL, scope_id = NULL WHERE number = ? AND version = ?"
)
_KEYED: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("cases", "number", rows.case_owner),
    ("outbox", "id", rows.mail_owner),
    ("breaches", "number", rows.breach_owner),
)


def finish(db: sqlite3.Connection, case: Case, step: Step, row: Registered | None) -> None:
    """End a case: no content, no mail, no person; of an erasure nothing at all but the register row."""
    done = db.execute(_ENDED, (CaseState.CLOSED.value, case.number, case.version))
    if done.rowcount != 1:
        raise CaseChanged(f"case {case.number}: another step was taken meanwhile; look again and repeat")
    db.execute("DELETE FROM papers WHERE number = ?", (case.number,))
    db.execute("DELETE FROM outbox WHERE number = ?", (case.number,))
    db.execute("UPDATE steps SET sealed = NULL WHERE number = ?", (case.number,))
    if case.kind is CaseKind.ERASURE:
        db.execute("DELETE FROM steps WHERE number = ?", (case.number,))
        db.execute("DELETE FROM cases WHERE number = ?", (case.number,))
    else:
        intake.note(db, None, case.number, step)
    if row is not None:
        columns = (os.urandom(16), *rows.register_columns(row))
        db.execute(f"INSERT INTO register VALUES ({', '.join('?' * len(columns))})", columns)


def settle(db: sqlite3.Connection, id: str, state: MailState, status: str, at: float) -> None:
    """The final status of one mail; mail of no case goes at once."""
    open_states = [s.value for s in MailState if s.under_way or s is MailState.FAILED]
    places = ", ".join("?" * len(open_states))
    db.execute(
        f"UPDATE outbox SET state = ?, status = ?, final = ? WHERE id = ? AND state IN ({places})",
        (state.value, status, at, id, *open_states),
    )
    db.execute("DELETE FROM outbox WHERE id = ? AND number = 0", (id,))


def rewrap(db: sqlite3.Connection, keys: CaseKeys) -> int:
    """Every data key that is under an older key; its content stays as it is."""
    count = 0
    for table, column, owner in _KEYED:
        query = f"SELECT {column} AS own, key_id, wrapped FROM {table} WHERE key_id != ?"
        for found in db.execute(query, (keys.newest,)).fetchall():
            again = keys.again(owner(found["own"]), Wrapped(found["key_id"], found["wrapped"]))
            db.execute(
                f"UPDATE {table} SET key_id = ?, wrapped = ? WHERE {column} = ?",
                (again.key_id, again.sealed, found["own"]),
            )
            count += 1
    return count
