"""What grows: cases, steps, papers, mail and breaches, written inside one transaction.

what:       inserts, and the step from one version of a case to the next
takes→gives: values of the protocol → rows, sealed
knows not:  when the transaction commits
fails by:   `sqlite3.Error`, `SealBroken`, `CaseChanged`, `NoSuchCase`
standard:   DESIGN §4 Outbox
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from gateway.cases import rows
from gateway.cases.protocol import (
    Case,
    CaseChanged,
    CaseKind,
    CaseState,
    Change,
    MailState,
    NewCase,
    NewOutgoing,
    NoSuchCase,
    Paper,
    Step,
)
from gateway.cases.sealing import CaseKeys, Seal


def anonymous(kind: CaseKind) -> bool:
    """Mail of an erasure must leave no dated row with the person's pseudonym (DESIGN §4 Audit)."""
    return kind is CaseKind.ERASURE


def enter(
    db: sqlite3.Connection, keys: CaseKeys, new: NewCase, step: Step, outgoing: Sequence[NewOutgoing]
) -> int:  # fmt: skip
    """A new case with its first step and mail. Gives its number."""
    number = int(_insert(db, "cases", rows.columns_of(new)))
    wrapped, seal = keys.new(rows.case_owner(number))
    sealed = rows.close_content(seal, new.content)
    db.execute(
        "UPDATE cases SET key_id = ?, wrapped = ?, sealed = ? WHERE number = ?",
        (wrapped.key_id, wrapped.sealed, sealed, number),
    )
    note(db, seal, number, step)
    post(db, keys, number, outgoing, step.at, anonymous=anonymous(new.kind))
    return number


def advance(db: sqlite3.Connection, keys: CaseKeys, case: Case, change: Change) -> Seal:
    """From the version that the caller read to the next. Gives the case's seal."""
    found = db.execute("SELECT * FROM cases WHERE number = ?", (case.number,)).fetchone()
    if found is None:
        raise NoSuchCase(f"no case {case.number} here")
    if found["version"] != case.version or found["state"] == CaseState.CLOSED.value:
        raise CaseChanged(f"case {case.number}: another step was taken meanwhile; look again and repeat")
    seal = rows.seal_of(keys, rows.case_owner(case.number), found)
    columns = rows.changed_columns(change) | {"version": case.version + 1}
    if change.content is not None:
        columns["sealed"] = rows.close_content(seal, change.content)
    names = ", ".join(f"{name} = ?" for name in columns)
    db.execute(f"UPDATE cases SET {names} WHERE number = ?", (*columns.values(), case.number))
    return seal


def note(db: sqlite3.Connection, seal: Seal | None, number: int, step: Step) -> None:
    sealed = seal.close("step", step.note.encode()) if seal is not None and step.note else None
    db.execute(
        "INSERT INTO steps (number, at, who, what, sealed) VALUES (?, ?, ?, ?, ?)",
        (number, step.at, step.who, step.what, sealed),
    )


def steps(db: sqlite3.Connection, seal: Seal | None, number: int) -> list[Step]:
    found = db.execute("SELECT * FROM steps WHERE number = ? ORDER BY n", (number,))
    return [
        Step(r["at"], r["who"], r["what"], seal.open("step", r["sealed"]).decode() if seal and r["sealed"] else "")
        for r in found
    ]


def post(
    db: sqlite3.Connection, keys: CaseKeys, number: int, outgoing: Sequence[NewOutgoing], at: float, *, anonymous: bool
) -> None:
    """Mail into the outbox, each under a key of its own: it may outlive a case that ends."""
    for mail in outgoing:
        wrapped, seal = keys.new(rows.mail_owner(mail.id))
        columns = {
            "id": mail.id,
            "number": number,
            "kind": mail.kind.value,
            "third_party": mail.third_party,
            "state": mail.state.value,
            "created": at,
            "moved": 0.0,
            "final": 0.0,
            "status": "",
            "anonymous": int(anonymous),
            "key_id": wrapped.key_id,
            "wrapped": wrapped.sealed,
            "sealed": rows.close_mail(seal, mail),
        }
        _insert(db, "outbox", columns)


def release(db: sqlite3.Connection, number: int) -> None:
    db.execute(
        "UPDATE outbox SET state = ? WHERE number = ? AND state = ?",
        (MailState.QUEUED.value, number, MailState.PREPARED.value),
    )


def file(db: sqlite3.Connection, seal: Seal, number: int, papers: Sequence[Paper]) -> None:
    """These papers instead of those that were there."""
    db.execute("DELETE FROM papers WHERE number = ?", (number,))
    for paper in papers:
        head = json.dumps({"name": paper.name, "media_type": paper.media_type}).encode()
        sealed = seal.close("paper", head + b"\n" + paper.content)
        db.execute("INSERT INTO papers (number, sealed) VALUES (?, ?)", (number, sealed))


def papers(db: sqlite3.Connection, seal: Seal, number: int) -> list[Paper]:
    found = []
    for row in db.execute("SELECT sealed FROM papers WHERE number = ? ORDER BY n", (number,)):
        head, _, content = seal.open("paper", row["sealed"]).partition(b"\n")
        found.append(Paper(**json.loads(head), content=content))
    return found


def breach(db: sqlite3.Connection, keys: CaseKeys, at: float, state: str, detail: Mapping[str, object]) -> int:
    """A new row of the breach register. Gives its number."""
    number = _insert(db, "breaches", {"at": at, "state": state, "key_id": 0, "wrapped": b"", "sealed": b""})
    _seal_breach(db, keys, number, state, detail)
    return number


def breach_again(
    db: sqlite3.Connection, keys: CaseKeys, number: int, state: str, detail: Mapping[str, object]
) -> None:  # fmt: skip
    if not _seal_breach(db, keys, number, state, detail):
        raise NoSuchCase(f"no breach {number} in the register")


def _seal_breach(
    db: sqlite3.Connection, keys: CaseKeys, number: int, state: str, detail: Mapping[str, object]
) -> bool:  # fmt: skip
    wrapped, seal = keys.new(rows.breach_owner(number))
    sealed = seal.close("breach", json.dumps(dict(detail)).encode())
    done = db.execute(
        "UPDATE breaches SET state = ?, key_id = ?, wrapped = ?, sealed = ? WHERE number = ?",
        (state, wrapped.key_id, wrapped.sealed, sealed, number),
    )
    return done.rowcount == 1


def _insert(db: sqlite3.Connection, table: str, columns: Mapping[str, object]) -> int:
    names, places = ", ".join(columns), ", ".join("?" * len(columns))
    cursor = db.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", tuple(columns.values()))
    return int(cursor.lastrowid or 0)
