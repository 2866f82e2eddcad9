"""Which audit rows are kept for how long: their classes, the oldest of each, and forgetting what is past its term.

what:       `class_of`, `sweep`: one walk over the rows of a shard that still have content
takes→gives: shard, term per organisation and class → how many rows were forgotten, the oldest that stay
knows not:  settings, the clock, which process owns the shard
fails by:   `AuditUnavailable`; `sqlite3.Error` on a connection of the caller's
standard:   L-05, S-56. A row is forgotten by taking away content, salt and pseudonym; the chain stays whole
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.audit.files import changing, looking

SENDS, BOUNCES, ACTS = "audit", "bounces", "acts"
AUDIT_CLASSES = (SENDS, BOUNCES, ACTS)
_CLASS = {
    **dict.fromkeys(("failed", "deferred", "uncertain", "bounced"), BOUNCES),
    **dict.fromkeys(("released", "dropped", "retried", "read", "purged", "incident"), ACTS),
}
_PAGE = 2000  # rows looked at, and at most forgotten, at once: no writer waits longer for us than one short transaction
_QUERY = (
    "SELECT number, at, json_extract(payload, '$.organisation'), json_extract(payload, '$.what') FROM audit"
    " WHERE number > ? AND payload IS NOT NULL ORDER BY number LIMIT ?"
)

Key = tuple[str, str]
"""Organisation and class."""


def class_of(what: str) -> str:
    """The class of data a kind of row belongs to: most tell what became of a mail."""
    return _CLASS.get(what, SENDS)


@dataclass(slots=True)
class Swept:
    """By organisation and class: how many rows were (or would be) forgotten, and the time of the oldest that stays."""

    forgotten: Counter[Key] = field(default_factory=Counter)
    oldest: dict[Key, float] = field(default_factory=dict)

    def add(self, other: Swept) -> None:
        self.forgotten.update(other.forgotten)
        for key, at in other.oldest.items():
            self.oldest[key] = min(at, self.oldest.get(key, at))


def purge(path: Path, before: Callable[[Key], float], *, dry: bool = False) -> Swept:
    """`sweep` over one shard's file while its owner works; `dry` forgets nothing."""
    with looking(path) as reading:
        if reading is None:
            return Swept()
        if dry:
            return sweep(reading, before, forget=lambda _numbers: None)
        with changing(path) as writing:
            swept = sweep(reading, before, forget=lambda numbers: erase_rows(writing, numbers))
            if swept.forgotten:
                writing.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log holds pages as they were
            return swept


def sweep(
    connection: sqlite3.Connection, before: Callable[[Key], float], *, forget: Callable[[Sequence[int]], None]
) -> Swept:
    """Look at every row with content; `before` gives the end of the term (Unix seconds), rows older are handed over.

    `forget` gets their numbers, a page at a time; one that does nothing makes it a dry run.
    """
    swept = Swept()
    for page in _pages(connection):
        old: list[int] = []
        for number, at, organisation, what in page:
            key = (str(organisation), class_of(str(what)))
            if at < before(key):
                old.append(number)
                swept.forgotten[key] += 1
            else:
                swept.oldest[key] = min(at, swept.oldest.get(key, at))
        if old:
            forget(old)
    return swept


def erase_rows(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Forget these rows in one transaction of this connection, which has none open and deletes securely."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany(
            "UPDATE audit SET pseudonym = NULL, salt = NULL, payload = NULL WHERE number = ?", [(n,) for n in numbers]
        )
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _pages(connection: sqlite3.Connection) -> Iterator[list[tuple[int, float, str, str]]]:
    after = -(2**63)
    while page := connection.execute(_QUERY, (after, _PAGE)).fetchall():
        yield page
        after = page[-1][0]
