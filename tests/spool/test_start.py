"""Opening a shard that somebody else left behind."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from gateway.spool.keyslots import SIZE
from gateway.spool.protocol import EntryBroken, SpoolUnavailable, State, Update
from gateway.spool.sqlite import SQLiteSpool
from gateway.spool.start import NO_KEY
from tests.spool.mail import BODY, KEYS, PlainAudit, audited, message, opened, row


async def left_behind(folder: Path, *names: str) -> None:
    async with opened(folder) as spool:
        for name in names:
            await spool.put([message(name)], [])


def slot_of(folder: Path, name: str) -> int:
    connection = sqlite3.connect(folder / "shard-0.sqlite")
    try:
        return int(connection.execute("SELECT slot FROM messages WHERE id = ?", (name,)).fetchone()[0])
    finally:
        connection.close()


def overwrite(folder: Path, slot: int, octets: bytes) -> None:
    fd = os.open(folder / "shard-0.slots", os.O_RDWR)
    # One octet that is surely another one: a fixed value would be there already once in 256 times.
    flipped = bytes([os.pread(fd, 1, slot * SIZE)[0] ^ 0xFF])
    os.pwrite(fd, octets or flipped, slot * SIZE)
    os.close(fd)


async def test_rows_cut_off_while_being_sent_are_known_and_counted(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(1), row(2), row(3)])], [])
        first, second, third = await spool.claim(10.0, 5)
        spool.mark_sending([first.row, second.row, third.row])
        await spool.update([Update(third.row, State.QUEUED, attempts=1)], [])
    async with opened(tmp_path) as spool:
        assert spool.uncertain_at_open == 2
        assert list(spool.cut_off.values()) == [2], "by organisation"
        assert [e.attempts for e in await spool.claim(10.0, 5)] == [1, 1, 1]
        assert audited(tmp_path) == [("uncertain", "m1")] * 2
    async with opened(tmp_path) as spool:
        assert spool.uncertain_at_open == 0


async def test_a_key_without_a_message_is_zeroed(tmp_path: Path) -> None:
    await left_behind(tmp_path, "m1", "m2")
    connection = sqlite3.connect(tmp_path / "shard-0.sqlite")
    connection.execute("DELETE FROM messages WHERE id = 'm2'")  # as if the commit had never come
    connection.commit()
    connection.close()
    async with opened(tmp_path) as spool:
        assert len(list(spool._slots.used())) == 1
        assert (await spool.open((await spool.entries(message="m1"))[0])).body == BODY
        await spool.put([message("m3")], [])
        assert len(list(spool._slots.used())) == 2


@pytest.mark.parametrize("octets", [bytes(SIZE), b"\x55" * SIZE, b""])
async def test_a_message_whose_key_is_gone_is_set_aside_and_others_go_on(tmp_path: Path, octets: bytes) -> None:
    await left_behind(tmp_path, "m1", "m2")
    overwrite(tmp_path, slot_of(tmp_path, "m1"), octets)
    async with opened(tmp_path) as spool:
        assert spool.broken == 1
        (entry,) = await spool.claim(10.0, 5)
        assert (await spool.open(entry)).body == BODY
        (aside,) = await spool.entries(state=State.QUARANTINED)
        assert (aside.message, aside.reason) == ("m1", NO_KEY)
        with pytest.raises(EntryBroken):
            await spool.open(aside)
    assert audited(tmp_path)[0] == ("quarantined", "m1")


async def test_two_messages_that_swapped_keys_are_both_set_aside(tmp_path: Path) -> None:
    await left_behind(tmp_path, "m1", "m2")
    raw = (tmp_path / "shard-0.slots").read_bytes()
    one, two = slot_of(tmp_path, "m1"), slot_of(tmp_path, "m2")
    overwrite(tmp_path, one, raw[two * SIZE : (two + 1) * SIZE])
    overwrite(tmp_path, two, raw[one * SIZE : (one + 1) * SIZE])
    async with opened(tmp_path) as spool:
        assert await spool.claim(10.0, 5) == []
        assert spool.broken == 2


async def test_a_misplaced_database_costs_no_key(tmp_path: Path) -> None:
    """A new, empty database beside a full slot file must not zero it."""
    await left_behind(tmp_path, "m1")
    database = tmp_path / "shard-0.sqlite"
    database.rename(tmp_path / "elsewhere")
    with pytest.raises(SpoolUnavailable, match="do not belong together"):
        SQLiteSpool(tmp_path, 0, KEYS, PlainAudit())
    for left in tmp_path.glob("shard-0.sqlite*"):
        left.unlink()
    (tmp_path / "elsewhere").rename(database)
    async with opened(tmp_path) as spool:
        assert (await spool.open((await spool.entries())[0])).body == BODY


async def test_a_misplaced_slot_file_sets_nothing_aside(tmp_path: Path) -> None:
    await left_behind(tmp_path, "m1")
    slots = tmp_path / "shard-0.slots"
    slots.rename(tmp_path / "elsewhere")
    with pytest.raises(SpoolUnavailable, match="do not belong together"):
        SQLiteSpool(tmp_path, 0, KEYS, PlainAudit())
    (tmp_path / "elsewhere").rename(slots)
    async with opened(tmp_path) as spool:
        assert [e.state for e in await spool.entries()] == [State.QUEUED]


async def test_another_key_under_the_same_id_is_refused(tmp_path: Path) -> None:
    await left_behind(tmp_path, "m1")
    with pytest.raises(SpoolUnavailable, match="spool key 1 is not the key"):
        SQLiteSpool(tmp_path, 0, {1: b"x" * 32}, PlainAudit())
    async with opened(tmp_path) as spool:
        assert spool.broken == 0


async def test_keys_rotate_while_old_mail_waits(tmp_path: Path) -> None:
    await left_behind(tmp_path, "m1")
    newer = {**KEYS, 2: b"n" * 32}
    async with opened(tmp_path, keys=newer) as spool:
        await spool.put([message("m2")], [])
        assert [(await spool.open(e)).body for e in await spool.claim(10.0, 5)] == [BODY, BODY]
    with pytest.raises(SpoolUnavailable, match="needs spool key 1"):
        SQLiteSpool(tmp_path, 0, {2: b"n" * 32}, PlainAudit())


async def test_a_shard_that_failed_to_open_is_free_again(tmp_path: Path) -> None:
    await left_behind(tmp_path, "m1")
    for _ in range(3):
        with pytest.raises(SpoolUnavailable):
            SQLiteSpool(tmp_path, 0, {1: b"x" * 32}, PlainAudit())
    async with opened(tmp_path):
        pass


async def test_a_spool_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    await left_behind(tmp_path, "m1")
    connection = sqlite3.connect(tmp_path / "shard-0.sqlite")
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(SpoolUnavailable, match="schema 2"):
        SQLiteSpool(tmp_path, 0, KEYS, PlainAudit())


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "shard-0.sqlite").write_bytes(b"not a database" * 1000)
    with pytest.raises(SpoolUnavailable, match="shard 0 in"):
        SQLiteSpool(tmp_path, 0, KEYS, PlainAudit())
