"""S-31, S-35: nothing of one person is left in a shard's files, while its owner works on and others stay whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.audit.proof import verify
from gateway.audit.protocol import AuditRow
from gateway.audit.reading import AuditReader
from gateway.audit.sqlite import AuditWriter, erase_person
from gateway.spool import forgetting
from gateway.spool.forgetting import Forgotten, forget, found_in
from gateway.spool.protocol import SpoolUnavailable, State, Update
from gateway.spool.shards import Shard
from gateway.spool.sqlite import SQLiteSpool
from tests.spool.mail import KEYS, message, row

GONE, STAYS = bytes([7]) * 32, bytes([8]) * 32


def noted(number: int, pseudonym: bytes) -> AuditRow:
    detail = {"rule": "list-consent", "fact": f"list {number}", "tried": [["erasure", False, "none in force"]] * 4}
    return AuditRow(float(number), "kleine-parel", f"m{number}", "delivered", pseudonym, detail)


async def filled(folder: Path, count: int = 400) -> SQLiteSpool:
    """A shard with rows of many people in between those of two."""
    spool = SQLiteSpool(folder, 0, KEYS, AuditWriter())
    for number in range(count):
        others = [noted(number, number.to_bytes(32, "big")) for _ in range(3)]
        await spool.put([], [noted(number, GONE), *others, noted(number, STAYS)])
    return spool


def content(shard: Shard) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(shard.folder.iterdir()))


async def test_no_octet_of_the_pseudonym_is_left_while_the_owner_goes_on(tmp_path: Path) -> None:
    spool, shard = await filled(tmp_path), Shard(tmp_path, 0)
    assert GONE in content(shard)
    done = forget(shard, [GONE], erase_person)
    assert done == Forgotten(audit=400)
    for form in (GONE, GONE.hex().encode(), GONE.hex().upper().encode()):
        assert form not in content(shard)
    assert STAYS in content(shard)
    await spool.put([], [noted(9999, STAYS)])
    await spool.close()
    assert GONE not in content(shard)
    assert len(AuditReader([shard.database]).by_person(STAYS)) == 401
    assert verify(shard.database).problems == []


async def test_a_finished_row_beside_an_open_one_loses_its_person(tmp_path: Path) -> None:
    spool, shard = SQLiteSpool(tmp_path, 0, KEYS, AuditWriter()), Shard(tmp_path, 0)
    await spool.put([message(rows=[row(7), row(8)])], [])
    first, _ = await spool.entries()
    await spool.update([Update(first.row, State.DELIVERED)], [])
    assert forget(shard, [GONE], erase_person) == Forgotten(rows=1)
    assert GONE not in content(shard)
    done, left = await spool.entries()
    assert (done.person_exact, left.person_exact, left.state) == (b"", STAYS, State.QUEUED)
    await spool.close()


async def test_a_row_that_waits_is_left_to_its_owner_and_said(tmp_path: Path) -> None:
    spool, shard = SQLiteSpool(tmp_path, 0, KEYS, AuditWriter()), Shard(tmp_path, 0)
    await spool.put([message(rows=[row(7)])], [noted(1, GONE)])
    assert forget(shard, [GONE], erase_person) == Forgotten(audit=1, waiting=1)
    (entry,) = await spool.entries()
    await spool.update([Update(entry.row, State.DROPPED)], [])
    assert forget(shard, [GONE], erase_person) == Forgotten()
    assert GONE not in content(shard)
    await spool.close()


async def test_what_lies_between_cells_makes_it_write_the_file_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, shard = await filled(tmp_path, 20), Shard(tmp_path, 0)
    asked: list[bool] = []
    monkeypatch.setattr(forgetting, "found_in", lambda files, wanted: not asked.append(True))
    forget(shard, [GONE], erase_person)
    assert asked
    assert GONE not in content(shard)
    await spool.close()
    assert verify(shard.database).problems == []


async def test_a_log_that_somebody_reads_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.spool.schema._BUSY_MS", 50)
    spool, shard = await filled(tmp_path, 5), Shard(tmp_path, 0)
    with closing(sqlite3.connect(shard.database)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM audit").fetchone()
        with pytest.raises(SpoolUnavailable, match="try again"):
            forget(shard, [GONE], erase_person)
    assert forget(shard, [GONE], erase_person) == Forgotten()
    assert GONE not in content(shard)
    await spool.close()


@pytest.mark.parametrize("form", [GONE, GONE.hex().encode()])
def test_a_trace_is_found_as_octets_and_as_digits(tmp_path: Path, form: bytes) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "full").write_bytes(b"x" * 5000 + form + b"x" * 5000)
    assert not found_in([tmp_path / "empty"], [GONE])
    assert found_in([tmp_path / "empty", tmp_path / "full"], [STAYS, GONE])
    assert not found_in([tmp_path / "full"], [STAYS])
