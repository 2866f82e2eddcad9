"""Campaigns of one organisation in one SQLite file, shared by the workers of a node.

what:       the `CampaignStore` of `protocol.py`: reads where it is called, writes in one thread beside it
takes→gives: as the protocol says
knows not:  what an entry says
fails by:   `CampaignsUnavailable`
standard:   R-059; I-12

A read sees the log of the others without waiting for them: a write-ahead log has no lock that stops a reader.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from gateway.campaigns import schema
from gateway.campaigns.protocol import MOST_ENTRIES, SECRET, CampaignsUnavailable, Entry

_T = TypeVar("_T")
_WAIT_MS = 1000  # in the thread beside; nobody waits for it
_PAGE = 1000  # entries deleted at once when the file is full


class SQLiteCampaigns:
    """One process's view of the file. `read_only`: makes nothing and stores nothing (for explaining)."""

    def __init__(self, path: Path, *, read_only: bool = False, most_octets: int = schema.MOST_OCTETS) -> None:
        self._path = path
        self._read_only = read_only
        self._most_octets = most_octets
        self._hand = ThreadPoolExecutor(max_workers=1, thread_name_prefix="campaigns")
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None

    def keep_until(self, ends: Callable[[int], int]) -> None:
        """What is in the file goes by `purge`."""

    async def secret(self, epoch: int, *, make: bool) -> bytes:
        def made(db: sqlite3.Connection) -> bytes:
            values = (epoch, secrets.token_bytes(SECRET))
            db.execute("INSERT INTO epochs (epoch, secret) VALUES (?, ?) ON CONFLICT DO NOTHING", values)
            return _found(db, epoch)

        if make:
            self._writable()
            return await self._write(made)
        return self._look(lambda db: _found(db, epoch)) if self._path.exists() else b""

    async def read(self, epoch: int, family: bytes, after: str) -> tuple[list[bytes], str]:
        query = "SELECT n, data FROM entries WHERE epoch = ? AND family = ? AND n > ? ORDER BY n"
        rows = self._look(lambda db: db.execute(query, (epoch, family, int(after or 0))).fetchall())
        return [bytes(data) for _, data in rows], str(rows[-1][0]) if rows else after

    async def add(self, entries: Sequence[Entry]) -> None:
        self._writable()
        await self._write(lambda db: self._add(db, entries))

    async def purge(self, first: int, last: int) -> int:
        self._writable()
        return await self._write(lambda db: self._purge(db, (first, last)))

    async def close(self) -> None:
        await asyncio.to_thread(self._hand.shutdown)
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()
        self._reader = self._writer = None

    def _writable(self) -> None:
        if self._read_only:
            raise CampaignsUnavailable(f"{self._path}: opened for reading only")

    def _add(self, db: sqlite3.Connection, entries: Sequence[Entry]) -> None:
        try:
            self._insert(db, entries)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            oldest = "SELECT n FROM entries ORDER BY n LIMIT ?"
            with _transaction(db):
                db.execute(f"DELETE FROM entries WHERE n IN ({oldest})", (_PAGE,))
            self._insert(db, entries)

    def _insert(self, db: sqlite3.Connection, entries: Sequence[Entry]) -> None:
        rows = [(e.epoch, e.family, e.data) for e in entries]
        with _transaction(db):
            db.executemany("INSERT INTO entries (epoch, family, data) VALUES (?, ?, ?)", rows)
            for epoch, family in dict.fromkeys((e.epoch, e.family) for e in entries):
                newest = "SELECT n FROM entries WHERE epoch = ?1 AND family = ?2 ORDER BY n DESC LIMIT 1 OFFSET ?3"
                db.execute(
                    f"DELETE FROM entries WHERE epoch = ?1 AND family = ?2 AND n <= ({newest})",
                    (epoch, family, MOST_ENTRIES),
                )

    def _purge(self, db: sqlite3.Connection, kept: tuple[int, int]) -> int:
        with _transaction(db):
            db.execute("DELETE FROM epochs WHERE epoch NOT BETWEEN ? AND ?", kept)
            gone = db.execute("DELETE FROM entries WHERE epoch NOT BETWEEN ? AND ?", kept).rowcount
        if gone:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # what was deleted is in no log either
        return gone

    def _look(self, act: Callable[[sqlite3.Connection], _T]) -> _T:
        with self._errors():
            if self._reader is None:
                self._reader = schema.open_reader(Path(quote(str(self._path))))
            return act(self._reader)

    async def _write(self, act: Callable[[sqlite3.Connection], _T]) -> _T:
        def run() -> _T:
            with self._errors():
                if self._writer is None:
                    self._writer = schema.open_writer(self._path, wait_ms=_WAIT_MS, most_octets=self._most_octets)
                return act(self._writer)

        return await asyncio.get_running_loop().run_in_executor(self._hand, run)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise CampaignsUnavailable(f"{self._path}: {error}") from error


def _found(db: sqlite3.Connection, epoch: int) -> bytes:
    row = db.execute("SELECT secret FROM epochs WHERE epoch = ?", (epoch,)).fetchone()
    return bytes(row[0]) if row else b""


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    with ExitStack() as undo:
        undo.callback(_rolled_back, db)
        yield
        db.execute("COMMIT")
        undo.pop_all()


def _rolled_back(db: sqlite3.Connection) -> None:
    if db.in_transaction:  # a full disk ends it by itself
        db.execute("ROLLBACK")
