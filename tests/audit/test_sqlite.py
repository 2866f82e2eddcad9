"""Audit rows: written with somebody else's transaction, chained, erasable, and without addresses."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gateway.address import Address
from gateway.audit.proof import Problem
from gateway.audit.proof import verify as prove
from gateway.audit.protocol import AuditRow
from gateway.audit.reading import AuditReader
from gateway.audit.sqlite import AuditWriter, erase_before, erase_person

ANNA, BERT = b"a" * 32, b"b" * 32


def row(at: float, message: str = "m1", pseudonym: bytes = ANNA, **detail: object) -> AuditRow:
    return AuditRow(at, "kleine-parel", message, "delivered", pseudonym, detail)


def verify(path: Path) -> list[Problem]:
    return prove(path).problems


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    return tmp_path / "shard.sqlite"


@pytest.fixture
def connection(shard: Path):
    opened = sqlite3.connect(shard, isolation_level=None)
    AuditWriter().schema(opened)
    yield opened
    opened.close()


def write(connection: sqlite3.Connection, *rows: AuditRow) -> None:
    connection.execute("BEGIN")
    AuditWriter().write(connection, rows)
    connection.execute("COMMIT")


def test_what_is_written_is_found_by_person_and_by_message(connection, shard):
    write(connection, row(1, rule="list-consent"), row(2, "m2", BERT), row(3, "m2"))
    reader = AuditReader([shard])
    assert reader.by_person(ANNA) == [row(1, rule="list-consent"), row(3, "m2")]
    assert reader.by_message("m2") == [row(2, "m2", BERT), row(3, "m2")]


def test_rows_of_several_shards_come_in_order_of_time(tmp_path):
    paths = [tmp_path / "0.sqlite", tmp_path / "1.sqlite", tmp_path / "absent.sqlite"]
    for path, at in zip(paths, (5, 2), strict=False):
        opened = sqlite3.connect(path, isolation_level=None)
        AuditWriter().schema(opened)
        write(opened, row(at))
        opened.close()
    assert [r.at for r in AuditReader(paths).by_person(ANNA)] == [2, 5]


def test_a_rolled_back_transaction_leaves_the_chain_whole(connection, shard):
    write(connection, row(1))
    connection.execute("BEGIN")
    AuditWriter().write(connection, [row(2)])
    connection.execute("ROLLBACK")
    write(connection, row(3))
    assert verify(shard) == []
    assert [r.at for r in AuditReader([shard]).by_person(ANNA)] == [1, 3]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET payload = replace(payload, 'delivered', 'refused') WHERE number = 2",
        "UPDATE audit SET at = 99 WHERE number = 2",
        "UPDATE audit SET pseudonym = x'00' WHERE number = 2",
        "UPDATE audit SET message = 'other' WHERE number = 2",
        "UPDATE audit SET chain = zeroblob(32) WHERE number = 2",
        "UPDATE audit SET salt = NULL WHERE number = 2",
        "UPDATE audit SET payload = NULL, salt = NULL WHERE number = 2",
        "DELETE FROM audit WHERE number = 2",
    ],
)
def test_a_changed_or_missing_row_shows(connection, shard, change):
    write(connection, row(1), row(2), row(3))
    assert verify(shard) == []
    connection.execute(change)
    assert [p for p in verify(shard) if p.row in (2, 3)]


def test_missing_rows_are_named(connection, shard):
    write(connection, row(1), row(2), row(3), row(4))
    connection.execute("DELETE FROM audit WHERE number IN (2, 3)")
    assert "rows 2 to 3 are missing" in [p.what for p in verify(shard)]


def test_erasing_a_person_leaves_a_chain_that_verifies_and_no_pseudonym(connection, shard):
    write(connection, row(1, rule="x"), row(2, pseudonym=BERT), row(3))
    assert erase_person(connection, ANNA) == 2
    assert verify(shard) == []
    assert AuditReader([shard]).by_person(ANNA) == []
    assert AuditReader([shard]).by_message("m1") == [row(2, pseudonym=BERT)]
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert ANNA not in shard.read_bytes()
    assert ANNA.hex().encode() not in shard.read_bytes()


def test_retention_erases_what_is_older_and_nothing_else(connection, shard):
    write(connection, row(1), row(2), row(3))
    assert erase_before(connection, 3) == 2
    assert verify(shard) == []
    assert [r.at for r in AuditReader([shard]).by_message("m1")] == [3]


def test_rows_can_be_written_behind_erased_ones(connection, shard):
    write(connection, row(1))
    erase_person(connection, ANNA)
    write(connection, row(2))
    assert verify(shard) == []


def test_equal_rows_get_different_commitments(connection):
    write(connection, row(1), row(1))
    commitments = connection.execute("SELECT commitment FROM audit").fetchall()
    assert commitments[0] != commitments[1]


def test_no_address_is_ever_stored(connection, shard):
    address = Address.parse("anna@example.nl")
    write(connection, row(1, said="550 no <anna@example.nl> here", to=address, list=["anna@example.nl"]))
    stored = shard.read_bytes() + b"".join(p.read_bytes() for p in shard.parent.glob("*-wal"))
    assert b"anna@" not in stored
    assert "<address>" in str(AuditReader([shard]).by_message("m1")[0].detail["said"])


def test_a_row_about_nobody_has_no_pseudonym(connection, shard):
    write(connection, row(1, pseudonym=b""))
    assert connection.execute("SELECT pseudonym FROM audit").fetchone() == (None,)
    assert AuditReader([shard]).by_message("m1")[0].pseudonym == b""
    assert verify(shard) == []
