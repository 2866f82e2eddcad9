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


def test_rows_of_one_kind_are_found_between_two_numbers(tmp_path: Path) -> None:
    shard = Shard(tmp_path)
    shard.write(*(row(at, what="shown" if at % 2 else "held", quoted='"what":"shown"') for at in range(1, 8)))
    erase_rows(shard.connection, [5])
    shard.close()
    reader = AuditReader([shard.path])
    assert [r.at for r in reader.between(shard.path, 1, 7, "shown")] == [3, 7]
    assert [r.at for r in reader.between(shard.path, 3, 6, "held")] == [4, 6]
    assert reader.between(tmp_path / "absent.sqlite", 0, 9, "held") == []
