"""What is left of one person in a shard, taken out of its file while its owner works.

what:       pseudonyms out of finished rows and audit, free pages and log given back, the files looked through
takes→gives: a shard, every pseudonym of a person → what was taken out, and what still waits
knows not:  who asked, what the audit's rows say (`also` erases those)
fails by:   `SpoolUnavailable`; may be done again, and then finds less
standard:   S-31, S-35; GDPR 17; I-7
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gateway.spool import scan, schema
from gateway.spool.disk import trouble
from gateway.spool.protocol import SpoolUnavailable
from gateway.spool.schema import FINAL
from gateway.spool.shards import Shard

_STEP = 256  # pages given back in one short transaction, so that the owner hardly waits
_MARKS = ",".join("?" * len(FINAL))
_WAITING = f"SELECT count(*) FROM rows WHERE person_exact = ? AND state NOT IN ({_MARKS})"
_BLANK = (
    f"UPDATE rows SET person_exact = x'', person_wide = x'', reason = '' WHERE person_exact = ? AND state IN ({_MARKS})"
)
Also = Callable[[sqlite3.Connection, bytes], int]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """`audit` rows emptied, finished `rows` without a person now, rows `waiting` that only the owner can end."""

    audit: int = 0
    rows: int = 0
    waiting: int = 0

    def __add__(self, other: Forgotten) -> Forgotten:
        return Forgotten(self.audit + other.audit, self.rows + other.rows, self.waiting + other.waiting)


def forget(shard: Shard, pseudonyms: Sequence[bytes], also: Also) -> Forgotten:
    """Take these pseudonyms out of the shard; afterwards no octet of its files holds one, unless rows wait.

    `also(connection, pseudonym)` does the same for the audit, in the same transaction. The owner may be at work.
    """
    try:
        with closing(schema.ordering(shard.database)) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            done = _take_out(connection, pseudonyms, also)
            _give_back(connection)
            if done.waiting == 0 and found_in(_files(shard), pseudonyms):
                connection.execute("VACUUM")  # pages that SQLite rearranged keep old octets between their cells
                _empty_log(connection)
            return done
    except (sqlite3.Error, OSError) as error:
        raise trouble(error) from error


def found_in(files: Iterable[Path], pseudonyms: Sequence[bytes]) -> bool:
    """Whether one of these pseudonyms stands in a file, as octets or in hexadecimal digits."""
    return scan.found_in(files, [form for p in pseudonyms for form in (p, p.hex().encode())])


def _take_out(connection: sqlite3.Connection, pseudonyms: Sequence[bytes], also: Also) -> Forgotten:
    done = Forgotten()
    connection.execute("BEGIN IMMEDIATE")
    try:
        for pseudonym in pseudonyms:
            (waiting,) = connection.execute(_WAITING, (pseudonym, *FINAL)).fetchone()
            rows = connection.execute(_BLANK, (pseudonym, *FINAL)).rowcount
            done += Forgotten(also(connection, pseudonym), rows, waiting)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return done


def _give_back(connection: sqlite3.Connection) -> None:
    while connection.execute("PRAGMA freelist_count").fetchone()[0]:
        before = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA incremental_vacuum({_STEP})").fetchall()
        if before == connection.execute("PRAGMA page_count").fetchone():
            break  # nothing was given back: a file without auto_vacuum
    _empty_log(connection)


def _empty_log(connection: sqlite3.Connection) -> None:
    """The log holds pages as they were; afterwards it is empty."""
    busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise SpoolUnavailable("the shard's log is being read and could not be emptied; try again")


def _files(shard: Shard) -> list[Path]:
    names = (shard.database, shard.database.with_name(shard.database.name + "-wal"))
    return [path for path in names if path.exists()]
