"""Copies of a registry at work and of its journals, and what one journal knows that another does not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gateway.registry import backing_up, schema
from gateway.registry.journal import Journal
from gateway.registry.opening import Owner, init
from gateway.registry.places import places
from gateway.registry.protocol import EventKind, RegistryMistrusted, RegistryUnavailable
from tests.registry.conftest import KEYS, LIST, MARKETING, OTHER_LIST, event, person


async def test_a_copy_made_at_work_is_whole_and_has_no_log_beside_it(registry, where, tmp_path: Path) -> None:
    await registry.record([event(EventKind.ENROLMENT, person(f"p{n}"), reference=str(n)) for n in range(50)])
    held = backing_up.copy_registry(where.registry, tmp_path / "copy.sqlite")
    await registry.record([event(EventKind.OPT_OUT, person("later"), LIST)])
    assert (held.people, held.events) == (50, 50)
    assert sorted(p.name for p in tmp_path.glob("copy.sqlite*")) == ["copy.sqlite"]
    assert (tmp_path / "copy.sqlite").stat().st_mode & 0o777 == 0o600
    assert backing_up.stage(tmp_path / "copy.sqlite", tmp_path / "staged.sqlite") == held


async def test_what_was_deleted_does_not_get_into_a_copy(registry, where, tmp_path: Path) -> None:
    await registry.record([event(EventKind.ENROLMENT, person(), reference="training-4711")])
    connection = sqlite3.connect(where.registry)
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("INSERT INTO opened VALUES (1)")
    connection.execute("DELETE FROM events")
    connection.execute("UPDATE state SET data = '{}'")
    connection.execute("DELETE FROM opened")
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    backing_up.copy_registry(where.registry, tmp_path / "copy.sqlite")
    assert b"training-4711" not in (tmp_path / "copy.sqlite").read_bytes()


async def test_a_registry_of_an_older_schema_is_brought_to_this_one(
    registry, where, tmp_path: Path, monkeypatch
) -> None:
    old = tmp_path / "old.sqlite"
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
    schema.create(old).close()
    monkeypatch.undo()
    connection = sqlite3.connect(old)
    connection.execute("INSERT INTO identity VALUES (1, x'01', 7, x'02', 0, x'03', 0, x'04', NULL, 0, NULL)")
    connection.commit()
    connection.close()
    assert backing_up.stage(old, tmp_path / "staged.sqlite").identity.organisation == 7
    assert sqlite3.connect(old).execute("PRAGMA user_version").fetchone() == (1,), "the backup itself stays as it is"


@pytest.mark.parametrize("octets", [b"", b"not a database at all" * 300])
def test_what_is_no_registry_is_refused(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "bad.sqlite").write_bytes(octets)
    with pytest.raises(RegistryUnavailable):
        backing_up.stage(tmp_path / "bad.sqlite", tmp_path / "staged.sqlite")


async def test_a_torn_end_of_a_journal_is_left_out(registry, where, tmp_path: Path) -> None:
    await registry.record([event(EventKind.OPT_OUT, person(), LIST)])
    with where.journal.open("ab") as stream:
        stream.write(b"half a record")
    end = backing_up.copy_journal(where.journal, tmp_path / "copy.journal")
    assert end.position == 1
    assert (tmp_path / "copy.journal").stat().st_size == end.offset
    assert backing_up.journal_end(tmp_path / "copy.journal") == end


async def test_a_changed_journal_is_not_copied(registry, where, tmp_path: Path) -> None:
    await registry.record([event(EventKind.OPT_OUT, person(f"p{n}"), LIST) for n in range(3)])
    octets = bytearray(where.journal.read_bytes())
    octets[100] ^= 1
    where.journal.write_bytes(octets)
    with pytest.raises(RegistryMistrusted):
        backing_up.copy_journal(where.journal, tmp_path / "copy.journal")


async def test_a_newer_journal_lacks_nothing_of_the_older_and_a_shorter_one_all_of_it(
    registry, where, tmp_path
) -> None:
    await registry.record([event(EventKind.OPT_OUT, person(), LIST)])
    backing_up.copy_journal(where.journal, tmp_path / "first.journal")
    await registry.record([event(EventKind.OPT_OUT, person(), OTHER_LIST)])
    backing_up.copy_journal(where.journal, tmp_path / "second.journal")
    assert backing_up.lacking(where.journal, tmp_path / "first.journal") == []
    assert backing_up.lacking(where.journal, tmp_path / "second.journal") == []
    lacking = backing_up.lacking(tmp_path / "first.journal", tmp_path / "second.journal")
    assert {r.scope for r in lacking} == {LIST, OTHER_LIST}


async def test_another_journal_lacks_all_of_this_one(registry, where, tmp_path: Path) -> None:
    await registry.record([event(EventKind.OPT_OUT, person(), LIST)])
    other = places(tmp_path / "other", "school")
    init(other, Owner(7, KEYS))
    assert [r.scope for r in backing_up.lacking(other.journal, where.journal)] == [LIST]


async def test_records_behind_what_a_registry_took_in(registry, where, tmp_path: Path) -> None:
    await registry.record([event(EventKind.OPT_OUT, person(), LIST)])
    held = backing_up.copy_registry(where.registry, tmp_path / "copy.sqlite")
    await registry.record([event(EventKind.OBJECTION, person(), MARKETING)])
    assert [r.scope for r in backing_up.records_of(where.journal, held.identity)] == [MARKETING]
    assert [r.scope for r in backing_up.records_of(where.journal)] == [LIST, MARKETING]
    other = places(tmp_path / "other", "school")
    init(other, Owner(7, KEYS))
    assert backing_up.records_of(other.journal, held.identity) == []


async def test_blocks_of_a_registry_can_be_put_behind_an_older_journal(registry, where, tmp_path: Path) -> None:
    backing_up.copy_journal(where.journal, tmp_path / "older.journal")
    await registry.record([event(EventKind.OBJECTION, person(), MARKETING)])
    known = backing_up.blocks_of(where.registry)
    backing_up.add_blocks(tmp_path / "older.journal", known)
    journal = Journal.open(tmp_path / "older.journal", write=False)
    assert [(r.scope, r.pseudonym) for r in journal.since(journal.head.start)] == [(MARKETING, person().exact)]
    journal.close()
    assert backing_up.blocks_of(tmp_path / "none.sqlite") == []
