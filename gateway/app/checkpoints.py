"""Signing how far the audit has come: every so many rows, every hour, at start and at stop.

what:       checkpoints of the shards this worker owns
takes→gives: databases, key, clock → lines beside each shard, and one in the log, which usually goes elsewhere
knows not:  what audit rows say
fails by:   nothing: what could not be signed is said in the log and signed the next time
standard:   L-07, DESIGN §4 Audit
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.audit.checkpoints import AuditKeys, Checkpoint, Checkpoints
from gateway.audit.files import end_of
from gateway.audit.protocol import AuditUnavailable
from gateway.observe import maillog

ROWS = 5000
EVERY = 3600.0  # seconds
_LOOK = 30.0


def sign(databases: Sequence[Path], keys: AuditKeys, now: float, *, at_once: bool = False) -> list[Checkpoint]:
    """Sign the end of each shard where that is due, or with `at_once` where anything was added. Gives what was made.

    Raises `AuditUnavailable`, `OSError`.
    """
    made = []
    for database in databases:
        file, (number, chain) = Checkpoints.beside(database), end_of(database)
        last = file.newest()
        if number and (at_once or _due(last, number, now)):
            checkpoint = file.append(keys, number, chain, now)
            made += [checkpoint] if checkpoint is not None else []
    return made


def sign_and_say(databases: Sequence[Path], keys: AuditKeys, now: float, *, at_once: bool = False) -> None:
    """`sign`, with a line in the log for each checkpoint, and for trouble."""
    try:
        for checkpoint in sign(databases, keys, now, at_once=at_once):
            maillog.audit_signed(checkpoint.shard, checkpoint.number, checkpoint.chain.hex(), checkpoint.key)
    except (AuditUnavailable, OSError) as error:
        maillog.trouble("audit checkpoint", type(error).__name__)


async def run(databases: Sequence[Path], keys: AuditKeys, clock: Callable[[], float]) -> None:
    """Until cancelled. What an earlier process left unsigned is signed first."""
    at_once = True
    while True:
        await asyncio.to_thread(sign_and_say, databases, keys, clock(), at_once=at_once)
        at_once = False
        await asyncio.sleep(_LOOK)


def _due(last: Checkpoint | None, number: int, now: float) -> bool:
    if last is None:
        return True
    # A clock that was put back must not put off signing.
    return number - last.number >= ROWS or (number > last.number and not 0 <= now - last.at < EVERY)
