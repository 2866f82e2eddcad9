"""Looking into a shard and writing to it while somebody else owns it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.audit.files import changing, end_of, looking, record
from gateway.audit.proof import verify
from gateway.audit.protocol import AuditUnavailable
from gateway.audit.reading import AuditReader
from tests.audit.shards import Shard, row


def test_what_is_written_beside_the_owner_goes_into_the_same_chain(tmp_path: Path) -> None:
    shard = Shard(tmp_path)
    shard.write(row(1))
    record(shard.path, [row(2, what="purged")])
    shard.write(row(3))
    assert verify(shard.path).whole
    assert [r.at for r in AuditReader([shard.path]).rows()] == [1, 2, 3]
    assert end_of(shard.path) == shard.end
    shard.close()


def test_nobody_changes_anything_by_looking(tmp_path: Path) -> None:
    shard = Shard(tmp_path)
    shard.write(row(1))
    with pytest.raises(AuditUnavailable):
        delete_all(shard.path)
    assert shard.end[0] == 1
    shard.close()


def delete_all(path: Path) -> None:
    with looking(path) as connection:
        assert connection is not None
        connection.execute("DELETE FROM audit")


def test_what_is_not_there_is_looked_at_and_never_made(tmp_path: Path) -> None:
    path = tmp_path / "absent.sqlite"
    with looking(path) as connection:
        assert connection is None
    assert end_of(path) == (0, b"")
    with pytest.raises(AuditUnavailable), changing(path):
        pass
    assert not path.exists()


def test_a_file_that_is_no_database_is_said_to_be_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "shard-0.sqlite"
    path.write_bytes(b"nothing of the kind " * 100)
    with pytest.raises(AuditUnavailable, match="shard-0"):
        end_of(path)
    with pytest.raises(AuditUnavailable):
        AuditReader([path]).by_message("m")


def test_a_row_that_cannot_be_written_leaves_no_transaction_open(tmp_path: Path) -> None:
    shard = Shard(tmp_path)
    with pytest.raises(AttributeError):
        record(shard.path, [row(1), row(2, pseudonym=None)])  # type: ignore[arg-type]
    shard.write(row(3))
    assert [r.at for r in AuditReader([shard.path]).rows()] == [3]
    shard.close()
