"""One shard of the spool in SQLite, with its keys beside it.

what:       the `Spool` of `protocol.py`: put, claim, open, update, replace, list, count
takes→gives: as the protocol says; blocking work is in the writer's thread or the far reader's
knows not:  what bodies say, who sends them, what the audit writes
fails by:   `SpoolUnavailable`, `SpoolFull`, `ShardTaken`; `EntryBroken`, `EntryGone` for one row
standard:   DESIGN §4 Spool; I-3, I-4, I-7; R-013, R-018, S-01

Cancelling a waiter cancels the waiting only: `put`, `update` and `replace` are then done wholly, and nobody is told. `put` of
the same message again stores it once. Claims live in memory and are touched in the event loop only.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from gateway.audit.protocol import AuditRow
from gateway.spool import orders, reader, schema, start
from gateway.spool.cache import ContentCache
from gateway.spool.disk import Lock, probe, trouble
from gateway.spool.keyslots import KeySlots, SlotBroken
from gateway.spool.orders import Order
from gateway.spool.protocol import Depth, Entry, EntryBroken, NewMessage, Opened, State, Update
from gateway.spool.reader import Content
from gateway.spool.rows import Effects, Store
from gateway.spool.sealing import SealBroken, ServiceKeys
from gateway.spool.shards import Shard
from gateway.spool.writer import Work, Writer

_NEAR = 256 * 1024  # octets of body read in the event loop; larger ones in the far thread
_ROW_WEIGHT = 1024
_T = TypeVar("_T")


class AuditWriter(Protocol):
    """Writes audit rows in the spool's transaction. Keeps nothing in memory: a transaction may be rolled back."""

    def schema(self, connection: sqlite3.Connection) -> None:
        """Make the audit's tables where they are missing, inside an open transaction."""
        ...

    def write(self, connection: sqlite3.Connection, rows: Sequence[AuditRow]) -> None: ...
