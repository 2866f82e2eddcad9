"""I-13: a registry that this node does not know gives no facts until its blocks are replayed or it is adopted."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.pseudonym import Pseudonyms
from gateway.registry import adopting, opening
from gateway.registry.journal import Journal
from gateway.registry.opening import Owner
from gateway.registry.places import places
from gateway.registry.protocol import EventKind, RegistryMistrusted, RegistryUnavailable
from gateway.registry.record import Record
from gateway.registry.sqlite import SQLiteRegistry
from gateway.registry.writer import Act
from gateway.token import OptOut
from tests.registry.conftest import KEYS, LIST, MARKETING, OTHER_KEYS, OTHER_LIST, event, person

ACT = Act(1, "jan", "new disk", "adopt")


def opt_out(scope=LIST, who=None):
    return event(EventKind.OPT_OUT, who, scope)


def backup(path: Path, to: Path) -> None:
    """As an operator makes one: with SQLite's own backup, from a live file."""
    source, target = sqlite3.connect(path), sqlite3.connect(to)
    source.backup(target)
    source.close()
    target.close()


def put_back(saved: Path, path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copy(saved, path.with_suffix(".new"))
    path.with_suffix(".new").rename(path)


def written(path: Path) -> list[Record]:
    journal = Journal.open(path, write=False)
    try:
        return journal.since(journal.head.start)
    finally:
        journal.close()


async def refuses(registry: SQLiteRegistry, why: str) -> None:
    with pytest.raises(RegistryMistrusted, match=why):
        await registry.facts([person()])
    with pytest.raises(RegistryUnavailable):
        await registry.record([opt_out()])
    assert why in registry.trouble()


async def blocks(registry: SQLiteRegistry) -> set:
    return {b.scope for b in (await registry.facts([person()]))[0].blocks}


async def test_opening_never_creates_anything(open_here, where, tmp_path):
    await refuses(open_here(), "registry init")
    assert list(tmp_path.iterdir()) == []


async def test_init_makes_one_that_opens_and_never_a_second(registry, where, owner):
    assert registry.trouble() == ""
    with pytest.raises(opening.RegistryExists):
        opening.init(where, owner)


async def test_an_emptied_file_gives_no_facts(registry, where, open_here):
    registry.close()
    where.registry.write_bytes(b"")
    await refuses(open_here(), "empty")


async def test_a_new_empty_database_gives_no_facts(registry, where, open_here):
    registry.close()
    where.registry.unlink()
    sqlite3.connect(where.registry).close()
    where.registry.write_bytes(b"")
    connection = sqlite3.connect(where.registry)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    await refuses(open_here(), "not a registry")


async def test_a_file_that_is_no_database_gives_no_facts(registry, where, open_here):
    registry.close()
    where.registry.write_bytes(b"no database" * 1000)
    await refuses(open_here(), "not a database")


async def test_another_key_gives_no_facts(registry, open_here):
    registry.close()
    await refuses(open_here(owner=Owner(7, OTHER_KEYS)), "other pseudonym keys")


async def test_the_registry_of_another_organisation_gives_no_facts(registry, where, open_here, tmp_path):
    registry.close()
    other = places(tmp_path, "publisher")
    opening.init(other, Owner(8, KEYS))
    backup(other.registry, tmp_path / "saved")
    put_back(tmp_path / "saved", where.registry)
    await refuses(open_here(), "another organisation")


async def test_a_fresh_registry_with_the_same_keys_gives_no_facts(registry, where, owner, open_here, tmp_path):
    registry.close()
    other = places(tmp_path / "elsewhere", "school")
    opening.init(other, owner)
    backup(other.registry, tmp_path / "saved")
    put_back(tmp_path / "saved", where.registry)
    await refuses(open_here(), "another registry")


async def test_the_journal_of_another_registry_gives_no_facts(registry, where, owner, open_here, tmp_path):
    registry.close()
    other = places(tmp_path / "elsewhere", "school")
    opening.init(other, owner)
    shutil.copy(other.journal, where.journal)
    await refuses(open_here(), "another block journal")


async def test_a_missing_journal_gives_no_facts(registry, where, open_here):
    registry.close()
    where.journal.unlink()
    await refuses(open_here(), "journal is missing")


async def test_a_journal_that_lost_its_end_gives_no_facts(registry, where, open_here, tmp_path):
    shutil.copy(where.journal, tmp_path / "old.journal")
    await registry.record([opt_out()])
    registry.close()
    shutil.copy(tmp_path / "old.journal", where.journal)
    await refuses(open_here(), "does not hold")


async def test_registry_and_journal_put_back_together_give_no_facts(registry, where, open_here, tmp_path):
    backup(where.registry, tmp_path / "saved")
    shutil.copy(where.journal, tmp_path / "old.journal")
    await registry.record([opt_out()])
    registry.close()
    put_back(tmp_path / "saved", where.registry)
    shutil.copy(tmp_path / "old.journal", where.journal)
    await refuses(open_here(), "does not hold")


async def test_a_record_changed_in_the_journal_gives_no_facts(registry, where, open_here):
    for scope in (LIST, MARKETING, OTHER_LIST):
        await registry.record([opt_out(scope)])
    registry.close()
    with where.journal.open("r+b") as file:
        file.seek(80)
        file.write(b"\xff")
    await refuses(open_here(), "changed")


async def test_an_older_backup_is_replayed_from_the_journal_and_then_trusted(registry, where, open_here, tmp_path):
    await registry.record([opt_out(LIST)])
    backup(where.registry, tmp_path / "saved")
    await registry.record([opt_out(OTHER_LIST)])
    registry.close()
    put_back(tmp_path / "saved", where.registry)
    again = open_here()
    assert again.trouble() == ""
    assert await blocks(again) == {LIST, OTHER_LIST}


async def test_a_backup_put_back_while_running_is_noticed_and_replayed(registry, where, tmp_path):
    backup(where.registry, tmp_path / "saved")
    await registry.record([opt_out(LIST)])
    put_back(tmp_path / "saved", where.registry)
    assert await blocks(registry) == {LIST}
    assert registry.trouble() == ""


async def test_an_older_content_in_the_same_file_is_noticed(registry, where):
    await registry.record([opt_out(LIST)])
    await registry.record([opt_out(OTHER_LIST)])
    assert await blocks(registry) == {LIST, OTHER_LIST}
    # What a restore into the live file does: same inode, older state and position.
    connection = sqlite3.connect(where.registry)
    connection.execute("DELETE FROM state")
    journal = Journal.open(where.journal, write=False)
    connection.execute("UPDATE identity SET position = 0, chain = ?", (journal.head.start.chain,))
    journal.close()
    connection.commit()
    connection.close()
    assert await blocks(registry) == {LIST, OTHER_LIST}


async def test_a_file_swapped_while_running_gives_no_facts(registry, where, owner, tmp_path):
    assert await blocks(registry) == set()
    other = places(tmp_path / "elsewhere", "school")
    opening.init(other, owner)
    backup(other.registry, tmp_path / "saved")
    put_back(tmp_path / "saved", where.registry)
    await refuses(registry, "another registry")


async def test_a_file_put_back_beside_an_older_log_gives_no_facts(registry, where, open_here, tmp_path):
    backup(where.registry, tmp_path / "saved")
    await registry.record([opt_out(LIST)])
    (tmp_path / "saved").rename(where.registry)  # another process has the old file and its log open
    assert where.registry.with_name("school.sqlite-wal").stat().st_size > 0
    await refuses(open_here(), "write-ahead log")


async def test_a_registry_whose_own_keys_differ_gives_no_facts(registry, where, open_here):
    registry.close()
    connection = sqlite3.connect(where.registry)
    connection.execute("UPDATE identity SET key_check = zeroblob(32)")
    connection.commit()
    connection.close()
    await refuses(open_here(), "registry was made with other")


async def test_nothing_is_written_into_a_file_that_was_replaced(registry, where, open_here, tmp_path):
    backup(where.registry, tmp_path / "saved")
    put_back(tmp_path / "saved", where.registry)
    await registry.record([event(EventKind.LANGUAGE, language="en")])
    assert (await open_here().facts([person()]))[0].language == "en"


async def test_a_web_journal_of_another_organisation_gives_no_facts(registry, where):
    Journal.ensure(where.web, organisation=8).close()
    await refuses(registry, "another organisation")


async def test_a_file_deleted_while_running_gives_no_facts(registry, where):
    where.registry.unlink()
    await refuses(registry, "missing")


async def test_trust_comes_back_by_itself_once_the_file_is_back(registry, where, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.registry.sqlite._RETRY", 0.0)
    await registry.record([opt_out(LIST)])
    where.registry.rename(tmp_path / "away")
    await refuses(registry, "missing")
    (tmp_path / "away").rename(where.registry)
    assert await blocks(registry) == {LIST}
    assert registry.trouble() == ""


async def test_adopting_a_lost_registry_brings_back_every_block_of_the_journal(registry, where, owner, open_here):
    await registry.record([opt_out(LIST), opt_out(OTHER_LIST)])
    registry.close()
    where.registry.unlink()
    done = adopting.adopt(where, owner, ACT)
    assert "made a new registry" in done
    assert await blocks(open_here()) == {LIST, OTHER_LIST}


async def test_adopting_a_registry_without_its_journal_writes_its_blocks_into_a_new_one(
    registry, where, owner, open_here
):
    await registry.record([opt_out(LIST)])
    registry.close()
    where.journal.unlink()
    adopting.adopt(where, owner, ACT)
    assert await blocks(open_here()) == {LIST}
    assert [r.scope for r in written(where.journal)] == [LIST]


async def test_adopting_another_registry_puts_the_blocks_of_the_journal_into_it(
    registry, where, owner, open_here, tmp_path
):
    await registry.record([opt_out(LIST)])
    registry.close()
    other = places(tmp_path / "elsewhere", "school")
    opening.init(other, owner)
    theirs = open_here(where=other)
    await theirs.record([opt_out(OTHER_LIST)])
    backup(other.registry, tmp_path / "saved")
    put_back(tmp_path / "saved", where.registry)
    await refuses(open_here(), "another registry")
    adopting.adopt(where, owner, ACT)
    assert await blocks(open_here()) == {LIST, OTHER_LIST}


async def test_adopting_on_a_new_node_keeps_what_was_lifted_lifted(registry, where, owner, open_here):
    await registry.record([opt_out(LIST)])
    lifted = event(EventKind.LIFTED, scope=LIST, evidence=replace(opt_out().evidence, channel="confirmed"))
    await registry.record([lifted])
    registry.close()
    where.node.unlink()
    await refuses(open_here(), "registry init")
    adopting.adopt(where, owner, ACT)
    assert await blocks(open_here()) == set()


@pytest.mark.parametrize("owner_of_other", [Owner(7, OTHER_KEYS), Owner(8, KEYS)])
async def test_other_keys_or_another_organisation_are_never_adopted(registry, where, owner_of_other):
    registry.close()
    with pytest.raises(RegistryMistrusted):
        adopting.adopt(where, owner_of_other, ACT)


async def test_adopting_is_noted_with_operator_and_reason(registry, where, owner):
    registry.close()
    adopting.adopt(where, owner, ACT)
    connection = sqlite3.connect(where.registry)
    assert connection.execute("SELECT operator, reason FROM acts").fetchall() == [("jan", "new disk")]
    connection.close()


async def test_a_web_journal_swapped_or_lost_gives_no_facts_until_adopted(registry, where, owner, open_here):
    web = Journal.ensure(where.web, organisation=7)
    web.append_opt_outs([OptOut(7, person().exact, 0, LIST, 1, 1)], 5)
    await registry.ingest()
    registry.close()
    web.close()
    where.web.unlink()
    await refuses(open_here(), "web journal is gone")
    Journal.ensure(where.web, organisation=7).close()
    await refuses(open_here(), "another one")
    adopting.adopt(where, owner, ACT)
    assert await blocks(open_here()) == {LIST}


async def test_new_keys_lift_every_row_and_old_keys_are_refused_afterwards(registry, where, open_here):
    await registry.record([opt_out(LIST), event(EventKind.LANGUAGE, language="en")])
    rotated = Pseudonyms((*KEYS.keys, b"n" * 32), KEYS.wide_domains)
    newer = open_here(owner=Owner(7, rotated))
    assert (await registry.facts([person()]))[0].language == "en", "a process with new keys disturbs no other"
    assert await newer.lift() > 0
    found = (await newer.facts([person(keys=rotated)]))[0]
    assert ({b.scope for b in found.blocks}, found.language) == ({LIST}, "en")
    await refuses(registry, "newer pseudonym key")


async def test_a_file_of_a_newer_schema_is_left_alone(registry, where, open_here):
    registry.close()
    connection = sqlite3.connect(where.registry)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RegistryUnavailable, match="schema 99"):
        await open_here().facts([person()])
