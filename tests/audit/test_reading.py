"""Reading shards that are empty, absent, or somebody else's file; by time and by position."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gateway.audit.reading import AuditReader
from gateway.audit.retention import erase_rows
from tests.audit.shards import Shard, row


def test_a_shard_that_does_not_exist_has_no_rows_and_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "absent.sqlite"
    assert AuditReader([path]).by_message("m") == []
    assert list(AuditReader([path]).rows()) == []
    assert not path.exists()


def test_a_file_without_the_table_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    assert AuditReader([path]).by_person(b"a" * 32) == []


def test_rows_are_found_by_time_and_kind(tmp_path: Path) -> None:
    shard = Shard(tmp_path)
    shard.write(row(1), row(2, what="held"), row(3), row(4, what="held"))
    erase_rows(shard.connection, [4])
    shard.close()
    reader = AuditReader([shard.path])
    assert [r.at for r in reader.rows(2.0)] == [2, 3]
    assert [r.at for r in reader.rows(what={"held"})] == [2]


def test_what_comes_behind_a_position_is_given_a_piece_at_a_time(tmp_path: Path) -> None:
    shards = [Shard(tmp_path, 0), Shard(tmp_path, 1)]
    shards[0].write(row(1), row(2), row(3))
    shards[1].write(row(4))
    erase_rows(shards[0].connection, [3])
    reader = AuditReader([s.path for s in shards])
    assert [(s, n, r and r.at) for s, n, r in reader.behind({"shard-0": 1}, 1)] == [
        ("shard-0", 2, 2),
        ("shard-1", 1, 4),
    ]
    assert reader.behind({"shard-0": 2, "shard-1": 1}, 5) == [("shard-0", 3, None)]
    for shard in shards:
        shard.close()
