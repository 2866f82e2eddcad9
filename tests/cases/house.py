"""Cases to enter in tests: one organisation's store in a folder, and a request like any other."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from gateway.cases.protocol import CaseKind, CaseState, Channel, Content, MailKind, NewCase, NewOutgoing, Step
from gateway.cases.sqlite import SQLiteCases, open_cases
from gateway.pseudonym import Pseudonyms

NOW = 1_800_000_000.0
KEYS = {1: b"c" * 32}
PEOPLE = Pseudonyms((b"k" * 32,))
STEP = Step(NOW, "jan", "opened", "a note of zonderling")
CONTENT = Content(
    address="anna@people.example",
    name="Anna Zonderling",
    text="Gooi alles weg, groeten van Zonderling.",
    notes=("belde maandag",),
    kept=(("factuur 7", "belasting", "2033-01-01"),),
)


def store(folder: Path, **keys: Any) -> SQLiteCases:
    return open_cases(folder, "school", keys.get("keys", KEYS), keys.get("people", PEOPLE))


def new(kind: CaseKind = CaseKind.ACCESS, **changes: Any) -> NewCase:
    values: dict[str, Any] = {
        "kind": kind,
        "state": CaseState.OPEN,
        "channel": Channel.LETTER,
        "received": date(2027, 1, 10),
        "entered": NOW,
        "due": date(2027, 2, 10),
        "content": CONTENT,
    }
    return NewCase(**values | changes)


def outgoing(id: str = "a" * 20, kind: MailKind = MailKind.RECEIPT, **changes: Any) -> NewOutgoing:
    mail = b"To: anna@people.example\r\n\r\nBeste Zonderling\r\n"
    return NewOutgoing(**{"id": id, "kind": kind, "to": "anna@people.example", "mail": mail} | changes)
