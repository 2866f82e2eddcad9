"""Values of the protocol ↔ columns and sealed octets.

what:       one function each way per kind of row
takes→gives: `sqlite3.Row`, `Seal` → `Case`, `Outgoing`, …; and back
knows not:  transactions
fails by:   `SealBroken`; `ValueError` for a row of a newer version
standard:   I-7
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from gateway.cases.protocol import (
    Breach,
    Case,
    CaseKind,
    CaseState,
    Change,
    Channel,
    Content,
    MailKind,
    MailState,
    NewCase,
    NewOutgoing,
    Outcome,
    Outgoing,
    Registered,
)
from gateway.cases.sealing import CaseKeys, Seal, Wrapped
from gateway.facts import Scope, ScopeKind
from gateway.pseudonym import Person


def case_owner(number: int) -> str:
    return f"case {number}"


def mail_owner(id: str) -> str:
    return f"mail {id}"


def breach_owner(number: int) -> str:
    return f"breach {number}"


def seal_of(keys: CaseKeys, owner: str, row: sqlite3.Row) -> Seal:
    return keys.seal(owner, Wrapped(row["key_id"], row["wrapped"]))


def close_content(seal: Seal, content: Content) -> bytes:
    return seal.close("content", json.dumps(asdict(content)).encode())


def open_content(seal: Seal, sealed: bytes) -> Content:
    values: dict[str, Any] = json.loads(seal.open("content", sealed))
    for name in ("notes", "report", "outside"):
        values[name] = tuple(values[name])
    values["kept"] = tuple((what, why, until) for what, why, until in values["kept"])
    return Content(**values)


def columns_of(new: NewCase) -> dict[str, object]:
    """Clear columns of a case that is entered."""
    scope = new.scope
    return {
        "version": 1,
        "kind": new.kind.value,
        "state": new.state.value,
        "channel": new.channel.value,
        "received": new.received.isoformat(),
        "entered": new.entered,
        "due": new.due.isoformat(),
        "extended": 0,
        "ceiling": new.ceiling.isoformat() if new.ceiling else None,
        "scope_kind": scope.kind.value if scope else None,
        "scope_id": scope.id if scope else None,
        "effective": new.effective,
        "completed": 0.0,
        "answered": 0.0,
        "ended": 0.0,
    }


def changed_columns(change: Change) -> dict[str, object]:
    """Clear columns that a step changes."""
    found: dict[str, object] = {
        "state": change.state.value if change.state else None,
        "due": change.due.isoformat() if change.due else None,
        "extended": int(change.extended) if change.extended is not None else None,
        "outcome": change.outcome.value if change.outcome else None,
        "effective": change.effective,
        "completed": change.completed,
        "answered": change.answered,
        "ended": change.ended,
    }
    return {name: value for name, value in found.items() if value is not None}


def case_of(row: sqlite3.Row, content: Content, person: Person | None) -> Case:
    scope = Scope(ScopeKind(row["scope_kind"]), row["scope_id"]) if row["scope_kind"] is not None else None
    return Case(
        number=row["number"],
        version=row["version"],
        kind=CaseKind(row["kind"]),
        state=CaseState(row["state"]),
        channel=Channel(row["channel"]),
        received=date.fromisoformat(row["received"]),
        entered=row["entered"],
        due=date.fromisoformat(row["due"]),
        extended=bool(row["extended"]),
        ceiling=date.fromisoformat(row["ceiling"]) if row["ceiling"] else None,
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        scope=scope,
        person=person,
        effective=row["effective"],
        completed=row["completed"],
        answered=row["answered"],
        ended=row["ended"],
        content=content,
    )


def close_mail(seal: Seal, mail: NewOutgoing) -> bytes:
    return seal.close("mail", json.dumps({"to": mail.to, "mail": mail.mail.decode("latin-1")}).encode())


def open_mail(seal: Seal, row: sqlite3.Row) -> NewOutgoing:
    values = json.loads(seal.open("mail", row["sealed"]))
    return NewOutgoing(
        id=row["id"],
        kind=MailKind(row["kind"]),
        to=values["to"],
        mail=values["mail"].encode("latin-1"),
        third_party=row["third_party"],
        state=MailState(row["state"]),
    )


def outgoing_of(row: sqlite3.Row) -> Outgoing:
    return Outgoing(
        id=row["id"],
        case=row["number"],
        kind=MailKind(row["kind"]),
        third_party=row["third_party"],
        state=MailState(row["state"]),
        created=row["created"],
        moved=row["moved"],
        final=row["final"],
        status=row["status"],
        anonymous=bool(row["anonymous"]),
    )


def register_columns(row: Registered) -> tuple[object, ...]:
    return (
        row.kind.value,
        row.quarter,
        row.outcome.value,
        row.days,
        int(row.late),
        row.number,
        row.received.isoformat() if row.received else None,
        row.closed.isoformat() if row.closed else None,
        row.channel.value if row.channel else None,
    )


def registered_of(row: sqlite3.Row) -> Registered:
    return Registered(
        kind=CaseKind(row["kind"]),
        quarter=row["quarter"],
        outcome=Outcome(row["outcome"]),
        days=row["days"],
        late=bool(row["late"]),
        number=row["number"],
        received=date.fromisoformat(row["received"]) if row["received"] else None,
        closed=date.fromisoformat(row["closed"]) if row["closed"] else None,
        channel=Channel(row["channel"]) if row["channel"] else None,
    )


def breach_of(row: sqlite3.Row, seal: Seal) -> Breach:
    detail: Mapping[str, object] = json.loads(seal.open("breach", row["sealed"]))
    return Breach(row["number"], row["at"], row["state"], detail)
