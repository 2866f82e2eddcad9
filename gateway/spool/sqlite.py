"""One shard of the spool in SQLite, with its keys beside it.

what:       the `Spool` of `protocol.py`: put, claim, open, update, replace, list, count
takes→gives: as the protocol says; blocking work is in the writer's thread or the far reader's
knows not:  what bodies say, who sends them, what the audit writes
fails by:   `SpoolUnavailable`, `SpoolFull`, `ShardTaken`; `EntryBroken`, `EntryGone` for one row
standard:   DESIGN §4 Spool; I-3, I-4, I-7; R-013, R-018, S-01

Cancelling a waiter cancels the waiting only: `put`, `update` and `replace` are then done wholly, and nobody is told.
`put` of the same message again stores it once. Claims live in memory and are touched in the event loop only.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar, cast

from gateway.audit.protocol import AuditRow
from gateway.spool import orders, reader, schema, start
from gateway.spool.cache import ContentCache
from gateway.spool.disk import Lock, probe, sync_folder, trouble
from gateway.spool.keyslots import KeySlots, SlotBroken
from gateway.spool.orders import Order
from gateway.spool.protocol import (
    QUARANTINE,
    Depth,
    Entry,
    EntryBroken,
    NewMessage,
    Opened,
    SpoolUnavailable,
    State,
    Update,
)
from gateway.spool.reader import Content, Parts
from gateway.spool.rewrapping import check_keys, learn_keys, rewrap
from gateway.spool.rows import NEAR, Effects, Store
from gateway.spool.sealing import SealBroken, ServiceKeys
from gateway.spool.shards import Shard
from gateway.spool.writer import Writer

_ROW_WEIGHT = 1024
_T = TypeVar("_T")


class AuditWriter(Protocol):
    """Writes audit rows in the spool's transaction. Keeps nothing in memory: a transaction may be rolled back."""

    def schema(self, connection: sqlite3.Connection) -> None:
        """Make the audit's tables where they are missing, inside an open transaction."""
        ...

    def write(self, connection: sqlite3.Connection, rows: Sequence[AuditRow]) -> None: ...


class SQLiteSpool:
    """The spool of one shard. Opening it blocks: probes the folder, takes the lock, settles what the last owner left.

    `keys`: service keys by id, 32 octets each. `stirred` is set whenever a commit left a queued row, for whoever waits
    to claim; `cut_off` counts by organisation the rows cut off while being sent, `broken` rows set aside because their
    seal did not open, `late` updates that came for a row already final.
    """

    def __init__(self, folder: Path, shard: int, keys: Mapping[int, bytes], audit: AuditWriter) -> None:
        self.shard = Shard(folder, shard)
        self.stirred = asyncio.Event()
        self.broken = self.late = 0
        self._audit, self._keys = audit, ServiceKeys(keys)
        self._claims: set[int] = set()
        self._at_hand: dict[int, Parts] = {}  # of claimed rows: what the claim read along
        self._cache = ContentCache()
        self._closed = False
        with ExitStack() as undo:
            try:
                self._open_files(undo)
            except (sqlite3.Error, OSError) as error:
                raise type(trouble(error))(f"shard {shard} in {folder}: {trouble(error)}") from error
            self._files = undo.pop_all()
        self._writer.start()

    def _open_files(self, undo: ExitStack) -> None:
        shard = self.shard
        probe(shard.folder)
        undo.callback(Lock(shard.lock).free)
        self._slots = KeySlots(shard.slots)
        undo.callback(self._slots.close)
        connection = schema.writing(shard.database)
        undo.callback(connection.close)
        schema.create(connection, self._audit.schema)
        found = start.settle(connection, self._slots, self._keys, self._audit.write)
        self.cut_off, self.broken = found.cut_off, found.broken
        sync_folder(shard.folder)
        self._near, self._far = schema.reading(shard.database), schema.reading(shard.database)
        undo.callback(self._near.close)
        undo.callback(self._far.close)
        self._depth = Counter(reader.counts(self._near))
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="spool-reader")
        undo.callback(self._reading.shutdown)
        self._writer = Writer(connection, self._slots, self._keys, self._follow)

    @property
    def uncertain_at_open(self) -> int:
        """Rows that were being sent when the last owner ended: a second copy of each is possible."""
        return sum(self.cut_off.values())

    @property
    def trouble(self) -> str:
        """What the disk said last, or "" when the last group went well."""
        return self._writer.trouble

    async def put(self, messages: Sequence[NewMessage], audit: Sequence[AuditRow]) -> None:
        """As the protocol. The same message (id, reference, time, sizes) again is stored once, with its audit once.

        Raises `SpoolFull`, `SpoolUnavailable`; `ValueError` for an id that another message has.
        """

        def work(store: Store) -> None:
            stored = [store.put(message) for message in messages]
            if any(stored) or not messages:
                self._audit.write(store.connection, audit)

        await self._submit(work, weight=sum(map(_weight, messages)))

    async def update(self, updates: Sequence[Update], audit: Sequence[AuditRow]) -> None:
        """As the protocol. Ends the claims of these rows; when it fails they stay claimed, to be updated again.

        A row that is final or gone is left so and counted as `late`; the audit is written all the same.
        """

        def work(store: Store) -> None:
            store.change(updates)
            self._audit.write(store.connection, audit)

        await self._submit(work)

    async def replace(self, message: str, new: NewMessage, audit: Sequence[AuditRow]) -> None:
        """As the protocol. `new` without open rows takes the old message away. Raises `EntryGone`."""

        def work(store: Store) -> None:
            store.replace(message, new)
            self._audit.write(store.connection, audit)

        await self._submit(work, weight=_weight(new))

    def mark_sending(self, rows: Sequence[int]) -> None:
        """As the protocol. Survives the end of this process at once, a power cut from the next commit on."""
        wanted = tuple(rows)
        future = self._writer.submit(lambda store: store.mark_sending(wanted), durable=False)
        future.add_done_callback(_looked_at)

    def release(self, rows: Sequence[int]) -> None:
        for row in rows:
            self._unclaim(row)

    async def claim(self, now: float, limit: int) -> list[Entry]:
        """As the protocol. Rows whose clear columns are damaged are set aside, not given out."""
        with _disk_errors():
            waiting = reader.due(self._near, now, limit + len(self._claims))
            wanted = [row for row in waiting if row not in self._claims][:limit]
            found = reader.by_ids(self._near, wanted)
        self._claims.update(wanted)
        self._at_hand.update((entry.row, sealed) for entry, sealed in found)
        damaged = [entry for entry, _ in found if entry.state is not State.QUEUED]
        if damaged:
            await self._set_aside(damaged, reader.DAMAGED)
        return [entry for entry, _ in found if entry.state is State.QUEUED]

    async def next_due(self) -> float | None:
        with _disk_errors():
            first = reader.earliest(self._near, len(self._claims) + 1)
        return next((due for row, due in first if row not in self._claims), None)

    async def open(self, entry: Entry) -> Opened:
        """As the protocol."""
        try:
            with _disk_errors():
                sealed = self._at_hand.pop(entry.row, None) or reader.parts(self._near, entry)
                content = self._cache.get(entry.message) or await self._content(sealed)
                return content.opened(sealed)
        except (SealBroken, SlotBroken) as error:
            await self._set_aside([entry], str(error))
            raise EntryBroken(f"row {entry.row} of message {entry.message}: {error}") from error

    async def entries(
        self,
        *,
        state: State | None = None,
        message: str | None = None,
        organisation: str | None = None,
        limit: int = 1000,
    ) -> list[Entry]:
        read = partial(reader.entries, state=state, message=message, organisation=organisation, limit=limit)
        return await self._elsewhere(read)

    async def expired(self, now: float, limit: int) -> list[Entry]:
        """Held rows whose end has passed, oldest first."""
        return await self._elsewhere(partial(reader.entries, state=State.HELD, until=now, limit=limit))

    async def depth(self, now: float) -> Depth:
        """As the protocol; final rows are not counted. Counts are kept up to date at every commit."""
        rows = {key: number for key, number in self._depth.items() if number and not State(key[2]).final}
        oldest = await self._elsewhere(reader.oldest_received)
        return Depth(rows, max(0.0, now - oldest) if oldest is not None else 0.0)

    async def take_orders(self) -> list[Order]:
        """Operators' orders that wait; each goes to `carry_out`."""
        with _disk_errors():
            return orders.pending(self._near)

    async def carry_out(self, order: Order, now: float) -> int:
        """Do what an operator ordered, audit it and strike it out, in one commit; returns how many rows it reached.

        Rows that are being sent now keep an order of their own and wait for the end of that attempt.
        """
        with _disk_errors():
            rows = {entry.row for entry in self._ordered(self._near, order)}
        busy = rows & self._claims
        if busy and order.row is not None:
            return 0
        mine = rows - busy
        self._claims |= mine  # nobody starts sending what is being held or dropped
        freed: frozenset[int] = frozenset()
        try:
            reached, freed = await self._submit(partial(self._carry_out, order=order, busy=busy, now=now))
            return reached
        finally:
            # The commit freed the rows it changed, and delivery may have claimed them again since.
            self._claims -= mine - freed

    def refuses(self, keys: Mapping[int, bytes]) -> str:
        """Why these service keys cannot be used here, or ""."""
        fresh = ServiceKeys(keys)
        try:
            if fresh.checks != self._keys.checks:
                check_keys(self._near, self._slots, fresh)
        except (SpoolUnavailable, sqlite3.Error, OSError) as error:
            return str(trouble(error))
        return ""

    async def use_keys(self, keys: Mapping[int, bytes]) -> None:
        """Work with these service keys; new mail is sealed under the highest. Raises `SpoolUnavailable`."""
        fresh = ServiceKeys(keys)
        if fresh.checks == self._keys.checks:
            return
        if why := self.refuses(keys):
            raise SpoolUnavailable(why)
        await self._submit(lambda store: learn_keys(store.connection, fresh))
        self._keys = fresh
        self._writer.use_keys(fresh)

    async def rewrap(self) -> None:
        """Bring every message key under the newest service key, some at a time beside other work; may be cut off."""
        after: int | None = 0
        while after is not None:
            after = await self._submit(partial(rewrap, after=after))

    async def close(self) -> None:
        """Finish what was submitted, close the files, free the lock. May be called again."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._writer.stop)
        await asyncio.sleep(0)  # outcomes that the writer handed to this loop
        await asyncio.to_thread(self._reading.shutdown)
        self._files.close()

    @staticmethod
    def _ordered(connection: sqlite3.Connection, order: Order) -> list[Entry]:
        return reader.entries(connection, message=order.message, row=order.row, limit=-1)

    def _carry_out(self, store: Store, *, order: Order, busy: set[int], now: float) -> tuple[int, frozenset[int]]:
        if not orders.remove(store.connection, order.id):
            return 0, frozenset()
        found = self._ordered(store.connection, order)
        updates, audit = orders.meaning(order, [entry for entry in found if entry.row not in busy], now)
        for row in busy:
            orders.write(store.connection, dataclasses.replace(order, row=row))
        store.change(updates)
        self._audit.write(store.connection, audit)
        return len(audit), frozenset(update.row for update in updates)

    def _unclaim(self, row: int) -> None:
        self._claims.discard(row)
        self._at_hand.pop(row, None)

    async def _content(self, sealed: Parts) -> Content:
        if sealed.size <= NEAR or sealed.body is not None:
            return self._load(self._near, sealed)
        return await self._elsewhere(partial(self._load, sealed=sealed))

    def _load(self, connection: sqlite3.Connection, sealed: Parts) -> Content:
        # Asked again: several rows of one large message may have queued up for the far reader.
        content = self._cache.get(sealed.message)
        if content is None:
            content = reader.content(connection, self._slots, self._keys, sealed)
            self._cache.keep(sealed.message, content)
        return content

    async def _set_aside(self, entries: Sequence[Entry], reason: str) -> None:
        self.broken += len(entries)
        now = time.time()
        await self.update(
            [Update(entry.row, State.QUARANTINED, due=now + QUARANTINE, reason=reason) for entry in entries],
            [
                AuditRow(now, e.organisation, e.message, "quarantined", e.person_exact, {"reason": reason})
                for e in entries
            ],
        )

    async def _submit(self, work: Callable[[Store], _T], *, weight: int = 0) -> _T:
        return cast(_T, await self._writer.submit(work, weight=weight))

    async def _elsewhere(self, read: Callable[[sqlite3.Connection], _T]) -> _T:
        with _disk_errors():
            return await asyncio.get_running_loop().run_in_executor(self._reading, read, self._far)

    def _follow(self, effects: Effects) -> None:
        """What a commit means in the loop's memory. Runs before the future of its job is resolved."""
        for row in effects.free:
            self._unclaim(row)
        self._depth.update(effects.depth)
        self.late += effects.late
        for message in effects.gone:
            self._cache.drop(message)
        for message, (new, seal) in effects.near.items():
            self._cache.keep(message, reader.as_stored(new, seal))
        if effects.queued:
            self.stirred.set()


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise trouble(error) from error


def _weight(message: NewMessage) -> int:
    return len(message.body) + _ROW_WEIGHT * len(message.rows)


def _looked_at(future: asyncio.Future[object]) -> None:
    # Nobody waits for a mark; what went wrong is in `trouble`.
    if not future.cancelled():
        future.exception()
