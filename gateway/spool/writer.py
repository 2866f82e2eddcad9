"""One writing thread per shard, with group commit.

what:       jobs that wait together share one slot sync and one commit
takes→gives: `submit(work)` → future, resolved after the commit is on stable storage
knows not:  what a job does
fails by:   the job's own error, or `SpoolUnavailable`/`SpoolFull`, through the future
standard:   DESIGN §4 Spool; I-4; R-013

Order of one group: SQL of every job · slots written · fdatasync · COMMIT (fsync of the WAL) · spent slots zeroed ·
futures resolved · after a group with large mail, its pages moved from the log into the database, which SQLite does
within the commit of other groups. When a job or the commit fails, everything is rolled back and each job gets a
transaction of its own: one mail too big for the disk, or one fault of ours, does not turn the others away. A savepoint
per job would do the same and cost every job. A waiter that is cancelled leaves its job in place: it is done wholly, and
nobody is told. Zeros reach the disk with the next group's sync, or in the next lull; after a power cut in between,
opening the shard zeroes what no message owns.

When the sync of its log fails, SQLite reports the commit as failed, and may yet find it in the log at the next start.
The key of such mail is zeroed with the failure: it can come back as set aside, never as a second copy of what a client
kept.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.spool.disk import trouble
from gateway.spool.keyslots import KeySlots, SlotBroken
from gateway.spool.protocol import SpoolUnavailable
from gateway.spool.rows import Effects, Store
from gateway.spool.schema import CHECKPOINT_PAGES
from gateway.spool.sealing import SealBroken, ServiceKeys

Work: TypeAlias = Callable[[Store], object]
After: TypeAlias = Callable[[Effects], None]

_GROUP_JOBS = 256
_GROUP_OCTETS = 32 * 2**20
_LARGE = 2**20  # octets of a group
_MOVED_AT = CHECKPOINT_PAGES * 4096  # octets of large groups in the log
_FREE_PAGES_KEPT = 1024
_VACUUM_STEP = 256
_LULL = 0.05  # seconds without a job after which zeros are synced without waiting for a group to do it
_IDLE = 1.0  # and after which pages are given back

# Trouble of the disk can fail the group; an own fault fails its job alone. Anything else ends the thread, and with it
# the shard, rather than going on with a state nobody understands.
_DISK_TROUBLE = (sqlite3.Error, OSError, MemoryError)
_OWN_FAULT = (ValueError, TypeError, LookupError, AttributeError, SealBroken, SlotBroken)


@dataclass(slots=True, eq=False)
class _Job:
    work: Work
    weight: int
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[object]
    durable: bool
    effects: Effects = field(default_factory=Effects)
    result: object = None
    error: BaseException | None = None
    told: bool = False


class Writer:
    """Owns the writing connection. `after` runs in the submitter's loop, once per committed job, before its future."""

    def __init__(self, connection: sqlite3.Connection, slots: KeySlots, keys: ServiceKeys, after: After) -> None:
        self._connection, self._slots, self._keys, self._after = connection, slots, keys, after
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._open = True
        self._group: list[_Job] = []
        self._durable: bool | None = None
        self._moving = True
        self._unmoved = 0
        self._thread = threading.Thread(target=self._run, name="spool-writer", daemon=True)
        self.trouble = ""
        self.commits = 0

    def start(self) -> None:
        self._thread.start()

    def submit(self, work: Work, *, weight: int = 0, durable: bool = True) -> asyncio.Future[object]:
        """Queue one job from a running loop. `weight` in octets bounds a group; without `durable` it waits for no disk
        unless a job beside it does. Raises `SpoolUnavailable` when the writer has ended."""
        loop = asyncio.get_running_loop()
        job = _Job(work, weight, loop, loop.create_future(), durable)
        with self._gate:
            if not self._open:
                raise SpoolUnavailable("spool is closed")
            self._jobs.put(job)
        return job.future

    def use_keys(self, keys: ServiceKeys) -> None:
        """From the next job on."""
        self._keys = keys

    def stop(self) -> None:
        """Finish what was submitted, then end the thread. Blocks."""
        with self._gate:
            self._open = False
            self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        ended = False
        try:
            while not ended:
                self._group, ended = self._next_group()
                self._commit(self._group)
                self._move()
            self._tidy()
        finally:
            self._turn_away()

    def _next_group(self) -> tuple[list[_Job], bool]:
        group: list[_Job] = []
        weight = 0
        job = self._first_job()
        while job is not None:
            group.append(job)
            weight += job.weight
            if len(group) >= _GROUP_JOBS or weight >= _GROUP_OCTETS:
                return group, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _first_job(self) -> _Job | None:
        """The next job; what can wait until nobody does is done on the way."""
        try:
            return self._jobs.get(timeout=_LULL)
        except queue.Empty:
            self._sync_zeros()
        try:
            return self._jobs.get(timeout=_IDLE)
        except queue.Empty:
            self._tidy()
        return self._jobs.get()

    def _commit(self, group: list[_Job]) -> None:
        if not group:
            return
        try:
            self._transaction(group)
        except (*_DISK_TROUBLE, *_OWN_FAULT) as error:
            self._undo(group)
            if len(group) > 1:
                for job in group:
                    self._commit([job])
                return
            group[0].error = error
            if isinstance(error, _DISK_TROUBLE):
                group[0].error = trouble(error)
                self.trouble = str(group[0].error)
        self._tell(group)

    def _transaction(self, group: list[_Job]) -> None:
        weight = sum(job.weight for job in group)
        self._set_durable(any(job.durable for job in group))
        self._set_moving(weight < _LARGE)
        self._connection.execute("BEGIN IMMEDIATE")
        for job in group:
            self._attempt(job)
        fresh = {number: slot for job in group for number, slot in job.effects.slots.items()}
        if fresh:
            self._slots.write(fresh)
            self._slots.sync()
        self._connection.execute("COMMIT")
        self.commits += 1
        self._unmoved += 0 if self._moving else weight
        self.trouble = ""
        self._erase([number for job in group for number in job.effects.spent])

    def _attempt(self, job: _Job) -> None:
        job.effects, job.error = Effects(), None
        job.result = job.work(Store(self._connection, self._slots, self._keys, job.effects))

    def _undo(self, group: list[_Job]) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            self.trouble = str(trouble(error))
        self._erase([number for job in group for number in job.effects.slots])

    def _erase(self, numbers: list[int]) -> None:
        # The commit stands whatever the disk says now; the slots stay remembered and are zeroed at the next sync.
        if not numbers:
            return
        try:
            self._slots.erase(numbers)
        except OSError as error:
            self.trouble = str(trouble(error))

    def _move(self) -> None:
        """What SQLite would do within a commit that has to wait for it; readers in the way keep what they read."""
        if self._unmoved < _MOVED_AT:
            return
        self._unmoved = 0
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as error:
            self.trouble = str(trouble(error))

    def _set_moving(self, moving: bool) -> None:
        """Whether a commit moves pages out of a log that has become long."""
        if moving is not self._moving:
            self._moving = moving
            self._connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES if moving else 0}").fetchall()

    def _sync_zeros(self) -> None:
        try:
            if self._slots.unsynced:
                self._slots.sync()
        except OSError as error:
            self.trouble = str(trouble(error))

    def _tidy(self) -> None:
        self._sync_zeros()
        try:
            self._vacuum()
        except sqlite3.Error as error:
            self.trouble = str(trouble(error))

    def _vacuum(self) -> None:
        """Give pages of finished mail back to the disk, in steps, while nobody waits."""
        (spare,) = self._connection.execute("PRAGMA freelist_count").fetchone()
        while spare > _FREE_PAGES_KEPT and self._jobs.empty():
            self._set_durable(False)
            self._connection.execute(f"PRAGMA incremental_vacuum({_VACUUM_STEP})").fetchall()
            (spare,) = self._connection.execute("PRAGMA freelist_count").fetchone()

    def _set_durable(self, durable: bool) -> None:
        if durable is self._durable:
            return
        self._durable = durable
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")

    def _tell(self, group: list[_Job]) -> None:
        for job in group:
            job.told = True
        for loop in {job.loop for job in group}:
            mine = [job for job in group if job.loop is loop]
            try:
                loop.call_soon_threadsafe(self._resolve, mine)
            except RuntimeError:  # that loop has ended, and everybody who could wait with it
                continue

    def _resolve(self, jobs: list[_Job]) -> None:
        for job in jobs:
            if job.error is None:
                self._after(job.effects)
            if job.future.done():
                continue
            if job.error is None:
                job.future.set_result(job.result)
            else:
                job.future.set_exception(job.error)

    def _turn_away(self) -> None:
        with self._gate:
            self._open = False
            left = [job for job in self._group if not job.told]  # some, only when a fault of ours ended the thread
            while not self._jobs.empty():
                if (job := self._jobs.get()) is not None:
                    left.append(job)
        for job in left:
            job.error = SpoolUnavailable("spool is closed")
        if left:
            self.trouble = "the writing thread has ended"
        self._tell(left)
