"""The block journal: append-only, fsynced before anybody is told, readable by other processes at once.

what:       one file; the registry's own journal and the web process's journal have the same form
takes→gives: `Record` values → durable; a `Mark` → the records behind it
knows not:  SQL, keys, what a block means for mail
fails by:   `JournalDamaged`; `OSError` (disk full, no permission); `TimeoutError` (another process keeps the lock)
standard:   DESIGN §4 Block journal, I-2, I-10, I-13
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateway.facts import BlockKind
from gateway.registry import durable
from gateway.registry.record import (
    HEAD_SIZE,
    RECORD_SIZE,
    Actor,
    Head,
    JournalDamaged,
    Mark,
    Record,
    chain_of,
    pack,
    unpack,
)
from gateway.token import OptOut

_LOCK_WAIT = 10.0  # seconds for another process's append; an append takes milliseconds
_LOCK_PAUSE = 0.002
_CHUNK = 8192  # records per read


class Journal:
    """One open journal. Not for several threads at once; several processes may append and read.

    `torn` counts ends cut off since this object was made. `end` is the mark behind the last record read or written.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        opened = os.fstat(descriptor)
        self._file = opened.st_ino, opened.st_dev
        self.head = Head.unpack(os.pread(descriptor, HEAD_SIZE, 0))
        self.end = self.head.start
        self.torn = 0
        self._locked = False
        self._failed = False

    @classmethod
    def create(
        cls, path: Path, *, organisation: int, layer: int = 0, key_check: bytes = b"", mode: int = 0o640
    ) -> Journal:
        """Make an empty journal, durable with its folder entry. Raises `FileExistsError`."""
        durable.create(path, Head.new(organisation, layer, key_check).pack(), mode)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path, *, write: bool = True) -> Journal:
        """Open an existing journal. Raises `FileNotFoundError`, `JournalDamaged`."""
        flags = (os.O_RDWR if write else os.O_RDONLY) | os.O_CLOEXEC
        descriptor = os.open(path, flags)
        try:
            return cls(path, descriptor)
        except JournalDamaged:
            os.close(descriptor)
            raise

    @classmethod
    def ensure(cls, path: Path, *, organisation: int) -> Journal:
        """Open the web process's journal, making it at the very first start. Raises `JournalDamaged` on another's."""
        try:
            journal = cls.open(path)
        except FileNotFoundError:
            return cls.create(path, organisation=organisation)
        if journal.head.organisation != organisation:
            journal.close()
            raise JournalDamaged("the journal belongs to another organisation")
        return journal

    def append(self, records: Sequence[Record]) -> Mark:
        """Add `records` behind all others; returns when they are on stable storage. Gives the mark behind them."""
        with self.locked():
            self.since(self.end)
            octets, mark = pack(records, self.end)
            self._write(octets)
            self.end = mark
        return mark

    def append_opt_outs(self, opt_outs: list[OptOut], at: int) -> list[str]:
        """What the web process calls: one fsync for all, a receipt per opt-out. Raises only `OSError`."""
        records = [Record(BlockKind.OPT_OUT, o.scope, at, o.pseudonym, o.layer, Actor.WEB, o.message) for o in opt_outs]
        try:
            end = self.append(records)
        except JournalDamaged as error:
            raise OSError(str(error)) from error
        first = end.position - len(records) + 1
        return [f"{number}-{self.head.identity[:3].hex()}" for number in range(first, end.position + 1)]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other appenders out. Nested use is one lock. Raises `TimeoutError` after ten seconds."""
        if self._locked:
            yield
            return
        self._acquire()
        self._locked = True
        try:
            yield
        finally:
            self._locked = False
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def since(self, mark: Mark) -> list[Record]:
        """Every record behind `mark`; moves `end`. Under the lock a torn end is cut off and counted."""
        self.same_file()
        found = [record for batch in self.follow(mark) for record in batch]
        if self._locked and self._size() > self.end.offset:
            os.ftruncate(self._descriptor, self.end.offset)
            os.fsync(self._descriptor)
            self.torn += 1
        return found

    def follow(self, mark: Mark) -> Iterator[list[Record]]:
        """Records behind `mark`, in batches; moves `end`. Raises `JournalDamaged`."""
        self.check(mark)
        self.end = mark
        while octets := os.pread(self._descriptor, _CHUNK * RECORD_SIZE, self.end.offset):
            records, self.end = unpack(octets, self.end)
            if records:
                yield records
            if len(records) < _CHUNK:
                return

    def verify(self) -> Mark:
        """Read everything from the head on. Gives the mark behind the last record that holds."""
        for _ in self.follow(self.head.start):
            pass
        return self.end

    def check(self, mark: Mark) -> None:
        """Raise `JournalDamaged` unless this journal has had `mark` as a position."""
        if mark.position == 0:
            holds = mark == self.head.start
        else:
            last = os.pread(self._descriptor, RECORD_SIZE, mark.offset - RECORD_SIZE)
            holds = len(last) == RECORD_SIZE and chain_of(last) == mark.chain
        if not holds:
            raise JournalDamaged(f"the journal does not hold the {mark.position} records it had")

    def has_grown(self) -> bool:
        """Whether there may be records behind `end`: one stat, which also tells whether the file is still the same.

        Raises `JournalDamaged` when it is not, or shrank.
        """
        size = self._same_file().st_size
        if size < self.end.offset:
            raise JournalDamaged("the journal is shorter than it was")
        return size >= self.end.offset + RECORD_SIZE

    def same_file(self) -> None:
        """Raise `JournalDamaged` when the name leads to another file by now (swapped or deleted while open)."""
        self._same_file()

    def _same_file(self) -> os.stat_result:
        try:
            found = os.stat(self.path)  # noqa: PTH116 - half the time of Path.stat, and this runs before every decision
        except FileNotFoundError:
            found = None
        if found is None or (found.st_ino, found.st_dev) != self._file:
            raise JournalDamaged("the journal is gone or was replaced by another file")
        return found

    def close(self) -> None:
        os.close(self._descriptor)

    def _size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def _write(self, octets: bytes) -> None:
        if self._failed:
            raise OSError("an earlier write to the journal failed; restart after mending the disk")
        if not octets:
            return
        os.lseek(self._descriptor, self.end.offset, os.SEEK_SET)
        durable.write_all(self._descriptor, octets)  # when this fails, the next append cuts off what it left
        # After a failed fsync the kernel may have dropped the pages and still answer "written" the next time.
        self._failed = True
        os.fsync(self._descriptor)
        self._failed = False

    def _acquire(self) -> None:
        limit = time.monotonic() + _LOCK_WAIT
        while True:
            try:
                # flock, not lockf: a POSIX record lock falls when any descriptor of the file is closed in this process.
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > limit:
                    raise TimeoutError("another process keeps the journal locked") from None
                time.sleep(_LOCK_PAUSE)
