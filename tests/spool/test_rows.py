"""What one job does, and what it says has to follow."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.spool.keyslots import SIZE
from gateway.spool.protocol import State, Update
from gateway.spool.rows import Effects, Store
from tests.spool.mail import ADDRESS, message, opened, row

QUEUED = ("kleine-parel", "newsletter", "queued")


async def test_a_message_put_and_ended_in_one_commit_leaves_nothing(tmp_path: Path) -> None:
    effects: list[Effects] = []

    def work(store: Store) -> None:
        store.put(message())
        store.change([Update(1, State.DROPPED)])
        effects.append(store.effects)

    async with opened(tmp_path) as spool:
        await spool._writer.submit(work)
        assert (effects[0].slots, len(effects[0].spent), effects[0].gone) == ({}, 1, ["m1"])
        assert effects[0].depth[QUEUED] == 0
        assert await spool.entries() == []
        assert list(spool._slots.used()) == []


async def test_counts_follow_every_change(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(1), row(2), row(3)])], [])
        one, two, three = await spool.claim(10.0, 5)
        assert (await spool.depth(0.0)).rows == {QUEUED: 3}
        await spool.update([Update(one.row, State.HELD), Update(two.row, State.FAILED)], [])
        held = ("kleine-parel", "newsletter", "held")
        assert (await spool.depth(0.0)).rows == {QUEUED: 1, held: 1}
        await spool.update([Update(one.row, State.QUEUED)], [])
        await spool.update([Update(one.row, State.FAILED), Update(three.row, State.DELIVERED)], [])
        assert (await spool.depth(0.0)).rows == {}


async def test_values_that_cannot_be_sealed_again_set_the_row_aside(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(1), row(2)])], [])
        one, _ = await spool.claim(10.0, 5)
        ((slot, _),) = spool._slots.used()
        fd = os.open(tmp_path / "shard-0.slots", os.O_RDWR)
        os.pwrite(fd, bytes(SIZE), slot * SIZE)
        os.close(fd)
        await spool.update([Update(one.row, State.QUEUED, sealed={"address": ADDRESS})], [])
        (aside,) = await spool.entries(state=State.QUARANTINED)
        assert (aside.row, aside.reason) == (one.row, "message key: slot is empty")
