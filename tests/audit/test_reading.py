"""Verifying and reading shards that are empty, absent, or somebody else's file."""

from __future__ import annotations

import sqlite3

from gateway.audit.reading import AuditReader, verify


def test_a_shard_that_does_not_exist_has_no_rows_and_is_not_made(tmp_path):
    path = tmp_path / "absent.sqlite"
    assert AuditReader([path]).by_message("m") == []
    assert verify(path) == []
    assert not path.exists()


def test_a_file_without_the_table_has_no_rows(tmp_path):
    path = tmp_path / "other.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    assert AuditReader([path]).by_person(b"a" * 32) == []
