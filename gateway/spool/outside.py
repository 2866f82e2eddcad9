"""The spool seen from another process than its owner: look, order, and unseal with the key at hand.

what:       entries of all shards without unsealing; orders written down; addresses of one message
takes→gives: folder → `Placed` entries; `Order` → its number; service keys → sealed row values
knows not:  who may do this, what the audit says of it (the owner records that)
fails by:   `SpoolUnavailable`; `EntryGone`, `EntryBroken` when unsealing
standard:   S-40; DESIGN §4 Spool
"""

from __future__ import annotations

import os
import pwd
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.spool import orders, reader, schema
from gateway.spool.disk import trouble
from gateway.spool.keyslots import KeySlots, SlotBroken
from gateway.spool.orders import Order
from gateway.spool.protocol import Entry, EntryBroken, SpoolUnavailable, State
from gateway.spool.rewrapping import uses
from gateway.spool.sealing import SealBroken, ServiceKeys
from gateway.spool.shards import Shard, present


@dataclass(frozen=True, slots=True)
class Placed:
    """One entry and the number of its shard; row numbers count per shard."""

    shard: int
    entry: Entry


class Outside:
    """All shards of one folder. Opens a database for each question only, so that it never stands in the owner's way.

    Raises `SpoolUnavailable` for a shard of another user: SQLite would leave files there that its owner cannot write.
    """

    def __init__(self, folder: Path) -> None:
        self._shards = {shard.number: shard for shard in present(folder)}
        for shard in self._shards.values():
            _check_owner(shard.database)

    def entries(
        self,
        *,
        state: State | None = None,
        message: str | None = None,
        organisation: str | None = None,
        limit: int = 1000,
    ) -> list[Placed]:
        """Rows of all shards, oldest message first, at most `limit` (all: -1)."""
        found = [
            Placed(shard.number, entry)
            for shard in self._shards.values()
            for entry in _read(shard, state, message, organisation, limit)
        ]
        found.sort(key=lambda placed: (placed.entry.received, placed.shard, placed.entry.row))
        return found if limit < 0 else found[:limit]

    def place(self, shard: int, order: Order) -> int:
        """Write an order down for the shard's owner; gives its number there."""
        with _database(self._shards[shard], write=True) as connection:
            return orders.write(connection, order)

    def waits(self, shard: int, order: int) -> bool:
        """Whether the owner has still to carry it out."""
        with _database(self._shards[shard]) as connection:
            return orders.waits(connection, order)

    def withdraw(self, shard: int, order: int) -> bool:
        """Strike an order out; False when the owner was quicker."""
        with _database(self._shards[shard], write=True) as connection:
            return orders.remove(connection, order)

    def key_uses(self) -> Counter[int]:
        """How many message keys each service key wraps, in all shards."""
        found: Counter[int] = Counter()
        for shard in self._shards.values():
            if shard.slots.exists():
                with closing(KeySlots(shard.slots, read_only=True)) as slots:
                    found += uses(slots)
        return found

    def unseal(self, shard: int, entry: Entry, keys: Mapping[int, bytes]) -> Mapping[str, object]:
        """Values of one row; have the reading audited first. Raises `EntryGone`, `EntryBroken`."""
        place = self._shards[shard]
        try:
            with _database(place) as connection, closing(KeySlots(place.slots, read_only=True)) as slots:
                sealed = reader.parts(connection, entry)
                return reader.open_row(reader.seal_of(slots, ServiceKeys(keys), sealed), sealed)
        except (SealBroken, SlotBroken) as error:
            raise EntryBroken(f"row {entry.row}: {error}") from error


def _read(shard: Shard, state: State | None, message: str | None, organisation: str | None, limit: int) -> list[Entry]:
    with _database(shard) as connection:
        return reader.entries(connection, state=state, message=message, organisation=organisation, limit=limit)


@contextmanager
def _database(shard: Shard, *, write: bool = False) -> Iterator[sqlite3.Connection]:
    try:
        connect = schema.ordering if write else schema.reading
        with closing(connect(shard.database)) as connection:
            yield connection
    except (sqlite3.Error, OSError) as error:
        raise trouble(error) from error


def _check_owner(path: Path) -> None:
    owner = path.stat().st_uid
    if owner != os.geteuid():
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = str(owner)
        raise SpoolUnavailable(f"{path} belongs to {name}: run this command as that user")
