"""I-4: what was said to be stored is there after `kill -9`, whole, whenever it comes."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.spool.keyslots import mark_of
from tests.spool.mail import opened

_ROUNDS = 30
_ROOT = Path(__file__).parents[2]


@pytest.fixture
def victims() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.spool.victims"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
    )
    yield process
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.read()
    process.stdout.close()
    assert process.wait(120) == 0


def one_round(victims: subprocess.Popen[str], folder: Path, lines: int) -> list[tuple[str, str]]:
    """Kill a process after it printed so many lines; everything it printed, as (what, message id)."""
    assert victims.stdin is not None
    assert victims.stdout is not None
    victims.stdin.write(f"{folder}\n")
    victims.stdin.flush()
    said: list[tuple[str, str]] = []
    victim = 0
    for line in victims.stdout:
        what, _, value = line.strip().partition(" ")
        if what == "ended":
            break
        if what == "pid":
            victim = int(value)
        else:
            said.append((what, value))
        if victim and len(said) >= lines:
            os.kill(victim, signal.SIGKILL)
            lines = 10**9
    return said


def test_nothing_that_was_said_to_be_stored_is_lost(victims: subprocess.Popen[str], tmp_path: Path) -> None:
    dice = random.Random(20261122)
    put: set[str] = set()
    done: Counter[str] = Counter()
    uncertain = 0
    for _ in range(_ROUNDS):
        said = one_round(victims, tmp_path, dice.randrange(1, 120))
        put |= {name for what, name in said if what == "put"}
        done.update(name for what, name in said if what == "done")
        uncertain += asyncio.run(check(tmp_path, put, done))
    assert len(put) > 10 * _ROUNDS
    assert sum(done.values()) > _ROUNDS
    assert uncertain > _ROUNDS / 2, "rows that were being sent when the end came are counted"


def recorded(folder: Path) -> Counter[str]:
    """Deliveries per message, from the audit."""
    with closing(sqlite3.connect(f"file:{folder / 'shard-0.sqlite'}?mode=ro", uri=True)) as connection:
        return Counter(
            message for (message,) in connection.execute("SELECT message FROM seen WHERE what = 'delivered'")
        )


async def check(folder: Path, put: set[str], done: Counter[str]) -> int:
    """What was put and not delivered is there and opens; nothing is there in part; every key has its mail."""
    async with opened(folder) as spool:
        entries = await spool.entries(limit=-1)
        rows = Counter(e.message for e in entries)
        assert set(rows.values()) <= {2}, "both rows or none"
        delivered = recorded(folder)
        for name in put:
            # Recorded in the same commit as the delivery, which may be committed and not yet said, round after round.
            assert rows[name] == (0 if delivered[name] == 2 else 2), f"{name} is lost or came back"
            assert done[name] <= delivered[name], f"{name} was said to be delivered, and is not"
        for entry in entries:
            if not entry.state.final:
                assert (await spool.open(entry)).body == f"body of {entry.message} ".encode() * 200
        assert spool.broken == 0
        marks = {slot.mark for _, slot in spool._slots.used() if slot is not None}
        assert marks == {mark_of(name) for name in rows}, "no key without its mail, no mail without its key"
        return spool.uncertain_at_open
