"""Reading costs what is asked for, not what is there; damage is shown, not hidden."""

from __future__ import annotations

from pathlib import Path

from gateway.spool import reader, schema
from gateway.spool.protocol import State
from tests.spool.mail import PlainAudit, message, opened, row


def test_claims_walk_an_index_however_long_the_queue(tmp_path: Path) -> None:
    connection = schema.writing(tmp_path / "shard-0.sqlite")
    schema.create(connection, PlainAudit().schema)
    connection.execute("INSERT INTO messages VALUES (1, 'm1', 1, 7, 'o', 'c', 's', 0.0, '{}', 100000, 0, x'')")
    connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
        " INSERT INTO rows SELECT i, 1, i, x'', x'', 'queued', 'p', 'v', 0, 100000 - i, 0, 0, '', x'' FROM n"
    )
    for sql, values in ((reader.DUE_SQL, (1e9, 20)), (reader.NEXT_SQL, (20,))):
        plan = " ".join(step[3] for step in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values))
        assert "SEARCH rows USING COVERING INDEX rows_due" in plan
        assert "TEMP B-TREE" not in plan, "sorting would read the whole queue"
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.set_progress_handler(count, 100)
    assert len(reader.due(connection, 1e9, 20)) == 20
    connection.set_progress_handler(None, 0)
    assert steps < 20, "twenty rows out of a hundred thousand take a few hundred steps of SQLite's machine"
    connection.close()


async def test_entries_can_be_asked_for_by_every_mark_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message("m1", [row(1), row(2, State.HELD, until=5.0)]), message("m2")], [])
        first = (await spool.entries())[0]
        found = reader.entries(
            spool._near, state=State.QUEUED, message="m1", organisation="kleine-parel", row=first.row, limit=-1
        )
        assert found == [first]
        assert [e.state for e in reader.entries(spool._near, until=5.0)] == [State.HELD]


async def test_a_listing_shows_a_damaged_row_as_quarantined(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message("m1"), message("m2")], [])
        await spool._writer.submit(lambda store: store.connection.execute("UPDATE rows SET state = 'x' WHERE id = 1"))
        first, second = await spool.entries()
        assert (first.state, first.reason) == (State.QUARANTINED, reader.DAMAGED)
        assert second.state is State.QUEUED


async def test_ids_beyond_one_statement_are_all_found(tmp_path: Path) -> None:
    async with opened(tmp_path) as spool:
        await spool.put([message(rows=[row(n) for n in range(1100)])], [])
        assert len(await spool.claim(10.0, 1100)) == 1100
