"""The shard as its users see it: stored, claimed, opened, changed, destroyed, explained."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from gateway.spool import reader, schema
from gateway.spool.disk import ShardTaken
from gateway.spool.keyslots import SIZE, KeySlots
from gateway.spool.orders import Act, Order
from gateway.spool.outside import Outside
from gateway.spool.protocol import Depth, EntryBroken, EntryGone, SpoolFull, SpoolUnavailable, State, Update
from gateway.spool.sealing import SealBroken, ServiceKeys
from gateway.spool.sqlite import SQLiteSpool
from tests.spool.mail import ADDRESS, BODY, KEYS, SUBJECT, PlainAudit, audited, message, noted, opened, row


def delivered(*rows: int) -> list[Update]:
    return [Update(number, State.DELIVERED) for number in rows]


async def test_what_was_put_is_claimed_once_and_opens(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(1), row(2)])], [noted("accepted")])
        first, second = await spool.claim(10.0, 5)
        assert await spool.claim(10.0, 5) == []
        opening = await spool.open(second)
        assert (opening.body, opening.message["sender"]) == (BODY, f"bounce.{ADDRESS}")
        assert opening.row["address"] == f"2.{ADDRESS}"
        assert (first.facts, first.organisation, first.attempts) == ({"list": 3}, "kleine-parel", 0)
        assert audited(tmp_path) == [("accepted", "m1")]


async def test_due_rows_come_oldest_first_and_no_sooner(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(1, due=30.0), row(2, due=10.0), row(3, due=20.0), row(4, due=99.0)])], [])
        assert [e.due for e in await spool.claim(25.0, 10)] == [10.0, 20.0]
        assert await spool.next_due() == 30.0
        assert [e.due for e in await spool.claim(1000.0, 1)] == [30.0]


async def test_a_released_claim_is_given_out_again_unchanged(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message()], [])
        (entry,) = await spool.claim(10.0, 5)
        spool.release([entry.row])
        assert await spool.claim(10.0, 5) == [entry]


async def test_a_retry_keeps_its_new_values_over_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message()], [])
        (entry,) = await spool.claim(10.0, 5)
        change = Update(
            entry.row,
            State.QUEUED,
            due=50.0,
            attempts=1,
            reason="450 later",
            variant="nl/tracked",
            sealed={"address": "b"},
        )
        await spool.update([change], [noted("deferred")])
        assert await spool.claim(49.0, 5) == []
    async with opened(tmp_path) as spool:
        (entry,) = await spool.claim(50.0, 5)
        assert (entry.attempts, entry.reason, entry.variant, entry.provider) == (
            1,
            "450 later",
            "nl/tracked",
            "letters",
        )
        assert (await spool.open(entry)).row == {"address": "b"}


async def test_no_name_is_readable_in_any_file(tmp_path: Path) -> None:
    """S-01: canaries in address, subject and body; every file of the folder, raw, with and without a checkpoint."""
    spool = SQLiteSpool(tmp_path, 0, KEYS, PlainAudit())
    await spool.put([message(rows=[row(1), row(2)])], [noted("accepted")])
    (entry, _) = await spool.claim(10.0, 5)
    await spool.open(entry)
    await spool.update([Update(entry.row, State.QUEUED, sealed={"address": ADDRESS})], [])
    await spool.put([message("m2")], [])

    def readable() -> list[str]:
        raw = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        assert any(name.endswith(("-wal", ".sqlite")) for name in raw)
        canaries = (ADDRESS.encode(), b"canary", SUBJECT.encode(), b"example.org", KEYS[1])
        return [f"{c!r} in {name}" for name, data in raw.items() for c in canaries if c in data]

    assert readable() == []
    await spool.close()
    assert readable() == []


async def test_after_the_last_final_row_no_copy_of_the_database_opens(tmp_path: Path) -> None:
    """A backup taken in flight, the service key, and the slot file of afterwards: nothing opens. Before, it did."""
    live, backup = tmp_path / "live", tmp_path / "backup"
    async with opened(live) as spool:
        await spool.put([message(rows=[row(1), row(2)])], [])
        first, second = await spool.claim(10.0, 5)
        await spool.update(delivered(first.row), [])
        backup.mkdir()
        for suffix in ("", "-wal"):
            shutil.copy(live / f"shard-0.sqlite{suffix}", backup / f"shard-0.sqlite{suffix}")

        def try_to_open() -> str:
            connection = schema.reading(backup / "shard-0.sqlite")
            slots = KeySlots(live / "shard-0.slots", read_only=True)
            try:
                sealed = reader.parts(connection, second)
                return str(reader.content(connection, slots, ServiceKeys(KEYS), sealed).opened(sealed).row["address"])
            finally:
                connection.close()
                slots.close()

        assert try_to_open() == f"2.{ADDRESS}", "the same steps open it while the key is there"
        await spool.update(delivered(second.row), [noted("delivered")])
        with pytest.raises(SealBroken, match="slot is empty"):
            try_to_open()
        assert (live / "shard-0.slots").read_bytes()[SIZE:].strip(b"\0") == b"", "no slot holds a wrapped key"
        assert await spool.entries() == []


async def test_a_final_row_loses_its_address_while_its_siblings_go_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(1), row(2)])], [])
        first, second = await spool.claim(10.0, 5)
        await spool.update(delivered(first.row), [])
        with pytest.raises(EntryGone):
            await spool.open(first)
        assert (await spool.open(second)).body == BODY
        assert [e.state for e in await spool.entries(message="m1")] == [State.DELIVERED, State.QUEUED]


async def test_what_a_claim_read_along_goes_with_the_claim(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message("m1"), message("m2"), message("m3")], [])
        opened_one, released, ended = await spool.claim(10.0, 5)
        assert len(spool._at_hand) == 3
        await spool.open(opened_one)
        spool.release([released.row])
        await spool.update(delivered(ended.row), [])
        assert spool._at_hand == {}
        with pytest.raises(EntryGone):
            await spool.open(ended)
        (again,) = await spool.claim(10.0, 5)
        assert (await spool.open(again)).body == BODY
        assert (await spool.open(again)).body == BODY


async def test_many_rows_cost_one_body(tmp_path: Path) -> None:
    body = bytes(5 * 2**20)
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(n) for n in range(500)], body=body)], [])
    stored = (tmp_path / "shard-0.sqlite").stat().st_size
    assert stored < len(body) + 500 * 1024


async def test_files_shrink_again_when_mail_has_left(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        for n in range(8):
            await spool.put([message(f"m{n}", body=bytes(4 * 2**20))], [])
        entries = await spool.claim(10.0, 50)
        await spool.update(delivered(*(e.row for e in entries)), [])
    assert (tmp_path / "shard-0.sqlite").stat().st_size < 6 * 2**20
    async with opened(tmp_path):
        assert (tmp_path / "shard-0.slots").stat().st_size <= 2 * SIZE


async def test_a_large_body_comes_back_whole_for_every_row(tmp_path: Path) -> None:
    body = bytes(range(256)) * 80 * 1024
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(n) for n in range(4)], body=body)], [])
        entries = await spool.claim(10.0, 10)
        everything = await asyncio.gather(*(spool.open(e) for e in entries))
        assert all(one.body is everything[0].body for one in everything), "unsealed once, not once per row"
        assert everything[0].body == body


async def test_a_put_is_all_or_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        with pytest.raises(ValueError, match="cannot be written"):
            await spool.put([message("m1"), message("m2")], [noted("unwritable")])
        assert await spool.entries() == []
        assert await spool.depth(2000.0) == Depth({}, 0.0)
        assert list(spool._slots.used()) == []
        await spool.put([message("m1")], [])


async def test_a_job_that_fails_alone_does_not_spoil_those_beside_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        results = await asyncio.gather(
            *(spool.put([message(f"m{n}")], [noted("unwritable" if n % 5 == 0 else "accepted")]) for n in range(50)),
            return_exceptions=True,
        )
        assert [type(r) is ValueError for r in results] == [n % 5 == 0 for n in range(50)]
        assert spool._writer.commits < 50, "they shared commits, or this shows nothing"
        stored = await spool.entries()
        assert {e.message for e in stored} == {f"m{n}" for n in range(50) if n % 5}
        for entry in stored:
            assert (await spool.open(entry)).body == BODY


async def test_puts_that_wait_together_share_a_commit(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        before = spool._writer.commits
        await asyncio.gather(*(spool.put([message(f"m{n}")], []) for n in range(200)))
        assert spool._writer.commits - before < 100


async def test_a_cancelled_put_is_stored_whole_and_may_be_repeated(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        waiting = asyncio.ensure_future(spool.put([message(rows=[row(1), row(2)])], [noted("accepted")]))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await spool.put([message(rows=[row(1), row(2)])], [noted("accepted")])
        assert len(await spool.entries()) == 2
        assert audited(tmp_path) == [("accepted", "m1")]


async def test_putting_again_costs_no_slot(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message()], [])
        free = sorted(spool._slots._free)
        for _ in range(5):
            await spool.put([message()], [])
        assert sorted(spool._slots._free) == free


async def test_one_id_for_two_messages_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message()], [])
        with pytest.raises(ValueError, match="in use"):
            await spool.put([message(body=b"another")], [])
        assert (await spool.open((await spool.entries())[0])).body == BODY


async def test_only_audit_can_be_put(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([], [noted("refused")])
        assert audited(tmp_path) == [("refused", "m1")]


async def test_a_message_of_final_rows_only_is_not_kept(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(1, State.BLOCKED)])], [noted("blocked")])
        assert await spool.entries() == []
        assert audited(tmp_path) == [("blocked", "m1")]


async def test_an_update_for_a_row_that_is_done_changes_nothing_and_is_counted(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(1), row(2)])], [])
        first, _ = await spool.claim(10.0, 5)
        await spool.update([Update(first.row, State.DROPPED)], [])
        await spool.update([Update(first.row, State.QUEUED)], [noted("delivered")])
        assert spool.late == 1
        assert (await spool.entries(state=State.DROPPED))[0].row == first.row
        assert audited(tmp_path) == [("delivered", "m1")], "what was done is recorded all the same"


async def test_row_numbers_are_never_used_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message("m1")], [])
        (entry,) = await spool.claim(10.0, 5)
        await spool.update(delivered(entry.row), [])
    async with opened(tmp_path) as spool:
        await spool.put([message("m2")], [])
        assert (await spool.entries())[0].row > entry.row


async def test_replace_swaps_raw_for_compiled_in_one_commit(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(1, State.UNDECIDED)], body=b"raw")], [])
        old = {number for number, _ in spool._slots.used()}
        await spool.replace("m1", message(rows=[row(1), row(2)], body=b"compiled"), [noted("decided")])
        entries = await spool.claim(10.0, 5)
        assert [(await spool.open(e)).body for e in entries] == [b"compiled", b"compiled"]
        assert {number for number, _ in spool._slots.used()}.isdisjoint(old)
        assert await spool.entries(state=State.UNDECIDED) == []
        assert (await spool.depth(1001.0)).rows == {("kleine-parel", "newsletter", "queued"): 2}


async def test_replace_with_nothing_takes_the_message_away(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(1, State.QUARANTINED)])], [])
        await spool.replace("m1", message(rows=[], body=b""), [noted("refused")])
        assert await spool.entries() == []
        assert list(spool._slots.used()) == []
        with pytest.raises(EntryGone):
            await spool.replace("m1", message(rows=[]), [])


async def test_a_failed_replace_leaves_the_old_message(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(1, State.UNDECIDED)], body=b"raw")], [])
        with pytest.raises(ValueError):
            await spool.replace("m1", message(body=b"compiled"), [noted("unwritable")])
        (entry,) = await spool.entries(state=State.UNDECIDED)
        assert (await spool.open(entry)).body == b"raw"


async def test_entries_and_depth_tell_what_waits(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message("m1", [row(1), row(2, State.HELD, until=70.0)], received=100.0)], [])
        await spool.put([message("m2", [row(3)], received=200.0)], [])
        assert [e.message for e in await spool.entries(state=State.QUEUED)] == ["m1", "m2"]
        assert [e.message for e in await spool.entries(limit=1)] == ["m1"]
        assert await spool.entries(organisation="rezulto") == []
        assert [e.row for e in await spool.expired(70.0, 10)] == [(await spool.entries(state=State.HELD))[0].row]
        assert await spool.expired(69.0, 10) == []
        queued, held = ("kleine-parel", "newsletter", "queued"), ("kleine-parel", "newsletter", "held")
        assert await spool.depth(260.0) == Depth({queued: 2, held: 1}, 160.0)
        (first, _) = await spool.claim(10.0, 5)
        await spool.update(delivered(first.row), [])
        assert await spool.depth(260.0) == Depth({queued: 1, held: 1}, 60.0)
    async with opened(tmp_path) as spool:
        assert await spool.depth(260.0) == Depth({queued: 1, held: 1}, 60.0)


async def test_a_commit_that_leaves_a_due_row_stirs_whoever_waits(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message("m0", [row(1, State.HELD)])], [])
        assert not spool.stirred.is_set()
        await spool.put([message()], [])
        assert spool.stirred.is_set()


def _damage(folder: Path, sql: str, *values: object) -> None:
    connection = sqlite3.connect(folder / "shard-0.sqlite")
    connection.execute(sql, values)
    connection.commit()
    connection.close()


async def test_a_broken_row_is_set_aside_and_its_siblings_go_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(1), row(2)])], [])
        _damage(tmp_path, "UPDATE rows SET sealed = zeroblob(60) WHERE number = 0")
        first, second = await spool.claim(10.0, 5)
        with pytest.raises(EntryBroken):
            await spool.open(first)
        assert (await spool.open(second)).row["address"] == f"2.{ADDRESS}"
        (aside,) = await spool.entries(state=State.QUARANTINED)
        assert (aside.row, aside.reason, spool.broken) == (first.row, "row values: seal does not fit", 1)
        assert audited(tmp_path) == [("quarantined", "m1")]
        assert await spool.claim(10.0, 5) == []


async def test_a_swapped_body_is_noticed(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message("m1"), message("m2", body=b"other")], [])
        _damage(tmp_path, "UPDATE bodies SET sealed = (SELECT sealed FROM bodies ORDER BY message DESC LIMIT 1)")
        first, second = await spool.claim(10.0, 5)
        with pytest.raises(EntryBroken, match="body"):
            await spool.open(first)
        assert (await spool.open(second)).body == b"other"


async def test_damaged_clear_columns_are_set_aside_not_skipped(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message("m1"), message("m2")], [])
        _damage(tmp_path, "UPDATE messages SET facts = '{' WHERE id = 'm1'")
        assert [e.message for e in await spool.claim(10.0, 5)] == ["m2"]
        (aside,) = await spool.entries(state=State.QUARANTINED)
        assert (aside.message, aside.reason) == ("m1", reader.DAMAGED)
        assert audited(tmp_path) == [("quarantined", "m1")]


async def test_two_owners_of_one_shard_are_refused(tmp_path: Path) -> None:
    async with opened(tmp_path), opened(tmp_path, shard=1):
        with pytest.raises(ShardTaken, match="shard-0 is owned by process"):
            SQLiteSpool(tmp_path, 0, KEYS, PlainAudit())
    async with opened(tmp_path):
        pass


async def test_a_folder_that_cannot_keep_mail_is_named(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    with pytest.raises(SpoolUnavailable, match=r"spool: cannot keep mail here"):
        SQLiteSpool(tmp_path / "spool", 0, KEYS, PlainAudit())


async def test_a_full_database_is_full_and_small_mail_still_fits(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message("m0")], [])
        pages = spool._writer._connection.execute("PRAGMA page_count").fetchone()[0]
        spool._writer._connection.execute(f"PRAGMA max_page_count = {pages + 60}")
        results = await asyncio.gather(
            spool.put([message("m1")], []),
            spool.put([message("m2", body=bytes(2**20))], []),
            spool.put([message("m3")], []),
            return_exceptions=True,
        )
        assert [type(r) for r in results] == [type(None), SpoolFull, type(None)]
        assert {e.message for e in await spool.entries()} == {"m0", "m1", "m3"}
        assert len(list(spool._slots.used())) == 3


async def test_a_closed_spool_takes_nothing(tmp_path: Path) -> None:
    spool = SQLiteSpool(tmp_path, 0, KEYS, PlainAudit())
    last = asyncio.ensure_future(spool.put([message()], []))
    await asyncio.sleep(0)
    await spool.close()
    await last
    with pytest.raises(SpoolUnavailable):
        await spool.put([message("m2")], [])
    with pytest.raises(SpoolUnavailable):
        await spool.claim(10.0, 5)
    await spool.close()
    async with opened(tmp_path) as spool:
        assert [e.message for e in await spool.entries()] == ["m1"]


async def test_a_claim_of_the_real_spool_takes_rows_out_of_a_long_queue(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(n, due=float(n)) for n in range(5000)])], [])
        taken = [e.due for _ in range(5) for e in await spool.claim(1e9, 20)]
        assert taken == [float(n) for n in range(100)]


def ordered(act: Act, row_number: int | None = None, until: float = 0.0) -> Order:
    return Order(5.0, "A. Operator", "asked by phone", act, "m1", row_number, until)


async def carry_out(spool: SQLiteSpool, folder: Path, order: Order) -> int:
    Outside(folder).place(0, order)
    return sum([await spool.carry_out(one, 50.0) for one in await spool.take_orders()])


async def test_orders_of_another_process_are_carried_out_and_audited(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(1), row(2)])], [])
        assert await carry_out(spool, tmp_path, ordered(Act.HOLD, until=99.0)) == 2
        assert await spool.claim(10.0, 5) == []
        held = await spool.entries(state=State.HELD)
        assert [(e.until, e.reason) for e in held] == [(99.0, "operator: asked by phone")] * 2
        assert await carry_out(spool, tmp_path, ordered(Act.RELEASE, held[0].row)) == 1
        assert [e.row for e in await spool.claim(50.0, 5)] == [held[0].row]
        assert await carry_out(spool, tmp_path, ordered(Act.DROP, held[1].row)) == 1
        assert await spool.take_orders() == []
        assert [what for what, _ in audited(tmp_path)] == ["held", "held", "released", "dropped"]


async def test_an_order_for_a_row_being_sent_waits_for_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(1), row(2, due=20.0)])], [])
        (sending,) = await spool.claim(10.0, 5)
        assert await carry_out(spool, tmp_path, ordered(Act.DROP)) == 1, "the row that nobody is sending goes at once"
        (left,) = await spool.take_orders()
        assert left.row == sending.row
        assert await spool.carry_out(left, 50.0) == 0
        await spool.update([Update(sending.row, State.QUEUED, due=90.0, attempts=1)], [])
        assert await spool.carry_out(left, 50.0) == 1
        assert await spool.entries() == []
        assert await spool.take_orders() == []


async def test_nobody_claims_what_an_order_is_about_to_reach(tmp_path: Path) -> None:
    gate = threading.Event()
    async with opened(tmp_path) as spool:
        await spool.put([message()], [])
        Outside(tmp_path).place(0, ordered(Act.HOLD))
        (order,) = await spool.take_orders()
        busy = spool._writer.submit(lambda store: gate.wait(120))
        carrying = asyncio.ensure_future(spool.carry_out(order, 50.0))
        await asyncio.sleep(0)
        assert await spool.claim(10.0, 5) == []
        gate.set()
        await busy
        assert await carrying == 1
        assert [e.state for e in await spool.entries()] == [State.HELD]


async def test_a_retry_makes_mail_due_now(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(1, due=900.0), row(2, State.QUARANTINED, due=900.0)])], [])
        assert await carry_out(spool, tmp_path, ordered(Act.RETRY)) == 2
        assert [e.due for e in await spool.entries()] == [50.0, 50.0]
        assert [e.state for e in await spool.entries()] == [State.QUEUED, State.QUARANTINED]


async def test_an_unsealed_entry_never_prints_what_it_holds(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message()], [])
        (entry,) = await spool.claim(10.0, 5)
        text = repr((message(), await spool.open(entry), entry, Update(1, State.QUEUED, sealed={"address": ADDRESS})))
        assert "canary" not in text
