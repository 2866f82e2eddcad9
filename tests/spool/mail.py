"""Building blocks of the spool's tests: messages with canaries, an audit that only remembers, shards on a real disk."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.audit.protocol import AuditRow
from gateway.spool.protocol import NewMessage, NewRow, State
from gateway.spool.sqlite import SQLiteSpool

KEY = b"k" * 32
KEYS = {1: KEY}
ADDRESS = "canary-person@example.org"
SUBJECT = "canary subject of a letter"
BODY = b"Subject: " + SUBJECT.encode() + b"\r\n\r\ncanary body text\r\n"


class PlainAudit:
    """Rows as they come; raises where a row says so, as a real one does when it cannot write."""

    def schema(self, connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE IF NOT EXISTS seen (what TEXT, message TEXT, detail TEXT)")

    def write(self, connection: sqlite3.Connection, rows: Sequence[AuditRow]) -> None:
        for row in rows:
            if row.what == "unwritable":
                raise ValueError("this row cannot be written")
            connection.execute("INSERT INTO seen VALUES (?, ?, ?)", (row.what, row.message, str(dict(row.detail))))


def row(number: int = 0, state: State = State.QUEUED, due: float = 0.0, until: float = 0.0) -> NewRow:
    return NewRow(
        person_exact=bytes([number % 256]) * 32,
        person_wide=bytes([number % 256]) * 32,
        state=state,
        provider="letters",
        variant="nl/untracked",
        sealed={"address": f"{number}.{ADDRESS}", "slots": {"opt-out": "x"}},
        due=due,
        until=until,
    )


def message(
    name: str = "m1", rows: Sequence[NewRow] | None = None, body: bytes = BODY, received: float = 1000.0
) -> NewMessage:
    return NewMessage(
        id=name,
        reference=7,
        organisation="kleine-parel",
        client="kleine-parel-crm",
        stream="newsletter",
        received=received,
        facts={"list": 3},
        sealed={"sender": f"bounce.{ADDRESS}"},
        body=body,
        rows=tuple(rows) if rows is not None else (row(),),
    )


def noted(what: str, name: str = "m1") -> AuditRow:
    return AuditRow(1.0, "kleine-parel", name, what, b"p" * 32, {})


@asynccontextmanager
async def opened(folder: Path, shard: int = 0, keys: dict[int, bytes] | None = None) -> AsyncIterator[SQLiteSpool]:
    spool = SQLiteSpool(folder, shard, keys or KEYS, PlainAudit())
    try:
        yield spool
    finally:
        await spool.close()


def audited(folder: Path, shard: int = 0) -> list[tuple[str, str]]:
    connection = sqlite3.connect(folder / f"shard-{shard}.sqlite")
    try:
        return connection.execute("SELECT what, message FROM seen ORDER BY rowid").fetchall()
    finally:
        connection.close()
