"""The spool seen by another process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.spool.orders import Act, Order
from gateway.spool.outside import Outside
from gateway.spool.protocol import EntryBroken, EntryGone, SpoolUnavailable, State, Update
from tests.spool.mail import ADDRESS, KEYS, message, opened, row


async def test_entries_of_all_shards_come_by_age(tmp_path: Path) -> None:
    async with opened(tmp_path) as one, opened(tmp_path, shard=4) as other:
        await one.put([message("young", received=200.0)], [])
        await other.put([message("old", [row(1), row(2)], received=100.0)], [])
        outside = Outside(tmp_path)
        assert [(p.shard, p.entry.message) for p in outside.entries()] == [(4, "old"), (4, "old"), (0, "young")]
        assert len(outside.entries(limit=2)) == 2
        assert len(outside.entries(limit=-1)) == 3


async def test_rows_unseal_with_the_key_and_only_with_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(1), row(2)])], [])
        outside = Outside(tmp_path)
        first, second = outside.entries()
        assert outside.unseal(0, second.entry, KEYS)["address"] == f"2.{ADDRESS}"
        with pytest.raises(EntryBroken):
            outside.unseal(0, first.entry, {1: b"x" * 32})
        await spool.update([Update(first.entry.row, State.DELIVERED)], [])
        with pytest.raises(EntryGone):
            outside.unseal(0, first.entry, KEYS)
        await spool.update([Update(second.entry.row, State.DELIVERED)], [])
        with pytest.raises(EntryGone):
            outside.unseal(0, second.entry, KEYS)


async def test_an_order_can_be_withdrawn_until_it_is_carried_out(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message()], [])
        outside = Outside(tmp_path)
        number = outside.place(0, Order(1.0, "A", "why", Act.DROP, "m1"))
        (order,) = await spool.take_orders()
        assert outside.waits(0, number)
        assert outside.withdraw(0, number)
        assert await spool.carry_out(order, 2.0) == 0
        assert not outside.waits(0, number)
        assert not outside.withdraw(0, number)
        assert [e.state for e in await spool.entries()] == [State.QUEUED]


async def test_another_user_is_refused_before_leaving_files_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path):
        pass
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SpoolUnavailable, match="run this command as that user"):
        Outside(tmp_path)
    assert sorted(tmp_path.iterdir()) == before
