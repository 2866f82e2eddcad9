"""The SQLite registry among other processes: web opt-outs, several workers, locks, kill -9."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.facts import BlockKind
from gateway.pseudonym import Pseudonyms
from gateway.registry import identity as identities
from gateway.registry import opening, schema
from gateway.registry.journal import Journal
from gateway.registry.opening import Owner
from gateway.registry.protocol import EventKind, RegistryMistrusted, RegistryUnavailable
from gateway.registry.record import Actor, Record
from gateway.registry.sqlite import SQLiteRegistry
from gateway.registry.tail import PENDING
from gateway.token import OptOut
from tests.registry.conftest import CONFIRMED, KEYS, LIST, MARKETING, OTHER_LIST, event, person


def link(scope=LIST, who=None, layer: int = 0) -> OptOut:
    return OptOut(7, (who or person()).exact, layer, scope, 1, 77)


@pytest.fixture
def web(where):
    journal = Journal.ensure(where.web, organisation=7)
    yield journal
    journal.close()


async def blocks(registry: SQLiteRegistry, who=None) -> set:
    return {b.scope for b in (await registry.facts([who or person()]))[0].blocks}


async def test_a_web_opt_out_counts_as_soon_as_it_is_on_disk_in_every_process(registry, open_here, web):
    workers = [registry, open_here()]
    for worker in workers:
        assert await blocks(worker) == set()
    web.append_opt_outs([link()], 5)
    for worker in workers:
        assert await blocks(worker) == {LIST}
    assert (await registry.facts([person()]))[0].blocks[0].event == PENDING


async def test_a_web_journal_that_appears_later_is_found(registry, where):
    assert await blocks(registry) == set()
    journal = Journal.ensure(where.web, organisation=7)
    journal.append_opt_outs([link()], 5)
    journal.close()
    assert await blocks(registry) == {LIST}


async def test_ingesting_moves_opt_outs_into_registry_and_journal_and_no_reader_misses_one(registry, open_here, web):
    other = open_here()
    web.append_opt_outs([link(), link(OTHER_LIST)], 5)
    assert await registry.ingest() == 2
    assert await registry.ingest() == 2
    for worker in (registry, other):
        found = (await worker.facts([person()]))[0].blocks
        assert {b.scope for b in found} == {LIST, OTHER_LIST}
        assert all(b.event < PENDING for b in found)
    assert (await registry.status())["journal"] == 2
    history = await registry.history(person())
    assert [(e.kind, e.evidence.actor, e.detail["message"]) for _, e in history] == [(EventKind.OPT_OUT, "web", 77)] * 2


async def test_a_web_opt_out_comes_before_a_consent_recorded_after_it(registry, web):
    web.append_opt_outs([link()], 5)
    await registry.record([event(EventKind.CONSENT, scope=LIST, evidence=CONFIRMED)])
    assert await blocks(registry) == set()
    assert (await registry.facts([person()]))[0].consents_to(LIST)


async def test_an_old_link_still_blocks_after_the_keys_rotated(where, open_here, web):
    opening.init(where, Owner(7, KEYS))
    open_here().close()
    rotated = Pseudonyms((*KEYS.keys, b"n" * 32))
    registry = open_here(owner=Owner(7, rotated))
    web.append_opt_outs([link()], 5)
    assert await blocks(registry, person(keys=rotated)) == {LIST}
    await registry.ingest()
    assert await blocks(registry, person(keys=rotated)) == {LIST}


async def test_a_web_record_that_no_key_reads_stops_everything_rather_than_be_skipped(registry, web):
    web.append_opt_outs([link(layer=3)], 5)
    with pytest.raises(RegistryMistrusted, match="keys"):
        await registry.facts([person()])


async def test_the_seconds_to_effect_of_a_web_opt_out_are_told_once(registry, open_here, web):
    told: list[float] = []
    worker = open_here(seen=told.append)
    web.append_opt_outs([link()], 0)
    await worker.facts([person()])
    await worker.facts([person()])
    assert len(told) == 1
    assert told[0] > 1e9


async def test_what_one_process_records_another_sees_at_once(registry, open_here):
    other = open_here()
    assert await blocks(other) == set()
    await registry.record([event(EventKind.OPT_OUT, scope=LIST)])
    assert await blocks(other) == {LIST}
    await other.record([event(EventKind.OPT_OUT, scope=OTHER_LIST)])
    assert await blocks(registry) == {LIST, OTHER_LIST}


async def test_a_block_holds_from_the_journal_on_when_the_database_cannot_commit(registry, open_here, where):
    other = open_here()
    assert await blocks(other) == set()
    locker = sqlite3.connect(where.registry, isolation_level=None)
    journal = Journal.open(where.journal)
    locker.execute("BEGIN IMMEDIATE")
    # As a worker that died between its journal and its commit.
    journal.append([Record(BlockKind.OBJECTION, MARKETING, 5.0, person().exact, 0, Actor.PERSON)])
    assert await blocks(other) == {MARKETING}
    locker.execute("ROLLBACK")
    locker.close()
    await registry.record([event(EventKind.OPT_OUT, scope=LIST)])
    assert await blocks(other) == {MARKETING, LIST}
    assert [e.kind for _, e in await registry.history(person())] == [EventKind.OBJECTION, EventKind.OPT_OUT]
    journal.close()


async def test_a_locked_database_is_unavailable_for_writing_and_still_read(registry, where, monkeypatch):
    await registry.record([event(EventKind.OPT_OUT, scope=LIST)])
    registry._writer.connection.execute("PRAGMA busy_timeout = 20")
    locker = sqlite3.connect(where.registry, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    with pytest.raises(RegistryUnavailable, match="locked"):
        await registry.record([event(EventKind.OPT_OUT, scope=OTHER_LIST)])
    assert await blocks(registry) == {LIST}
    locker.execute("ROLLBACK")
    locker.close()
    await registry.record([event(EventKind.OPT_OUT, scope=OTHER_LIST)])
    assert await blocks(registry) == {LIST, OTHER_LIST}


async def test_events_cannot_be_changed_or_deleted(registry, where):
    await registry.record([event(EventKind.CONSENT, scope=LIST)])
    connection = sqlite3.connect(where.registry)
    for statement in ("UPDATE events SET at = 1", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


async def test_no_address_and_no_key_is_in_any_file(registry, where, web):
    await registry.record([event(EventKind.CONSENT, scope=LIST), event(EventKind.OPT_OUT, scope=MARKETING)])
    web.append_opt_outs([link()], 5)
    for path in where.registry.parent.parent.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert b"anna" not in content
        assert b"example.nl" not in content
        assert KEYS.keys[0] not in content


async def test_a_person_takes_less_than_250_octets(registry):
    people = [person(f"p{n}") for n in range(5000)]
    await registry.record([event(EventKind.CONSENT, p, LIST) for p in people])
    assert (await registry.status())["octets"] / len(people) < 250


async def test_replaying_the_whole_journal_brings_back_what_was_lifted(registry):
    await registry.record([event(EventKind.OPT_OUT, scope=LIST)])
    await registry.record([event(EventKind.LIFTED, scope=LIST, evidence=CONFIRMED)])
    assert await blocks(registry) == set()
    assert await registry.replay() == 1
    assert await blocks(registry) == {LIST}


async def test_many_at_once_survive_the_file_being_swapped_under_them(registry, where, tmp_path):
    await registry.record([event(EventKind.OPT_OUT, scope=LIST)])
    copy = sqlite3.connect(tmp_path / "copy")
    source = sqlite3.connect(where.registry)
    source.backup(copy)
    source.close()
    copy.close()
    for suffix in ("-wal", "-shm"):
        where.registry.with_name(where.registry.name + suffix).unlink(missing_ok=True)
    (tmp_path / "copy").rename(where.registry)
    found = await asyncio.gather(*(registry.facts([person()]) for _ in range(50)))
    assert all(f[0].blocks for f in found)


RECORDER = """
import asyncio, sys
from pathlib import Path
from tests.registry.conftest import KEYS, LIST, event, person
from gateway.registry.opening import Owner
from gateway.registry.places import places
from gateway.registry.protocol import EventKind
from gateway.registry.record import Actor, Record
from gateway.registry.sqlite import SQLiteRegistry

async def main():
    registry = SQLiteRegistry(places(Path(sys.argv[1]), "school"), Owner(7, KEYS))
    first, last = int(sys.argv[2]), int(sys.argv[3])
    for number in range(first, last):
        await registry.record([event(EventKind.OPT_OUT, person(f"p{number}"), LIST)])
        print(number, flush=True)
    registry.close()

asyncio.run(main())
"""


def recorder(state: Path, first: int, last: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RECORDER, str(state), str(first), str(last)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


async def test_kill_9_at_any_moment_loses_no_acknowledged_block(where, owner, open_here, tmp_path):
    opening.init(where, owner)
    rng = random.Random(7)
    acknowledged: list[int] = []
    for round_ in range(20):
        process = recorder(tmp_path, round_ * 1000, round_ * 1000 + 1000)
        assert process.stdout is not None
        for _ in range(rng.randrange(1, 12)):
            acknowledged.append(int(process.stdout.readline()))
        process.send_signal(signal.SIGKILL)
        acknowledged.extend(int(line) for line in process.stdout.read().split("\n")[:-1])
        process.wait()
        process.stdout.close()
    registry = open_here()
    assert registry.trouble() == ""
    found = await registry.facts([person(f"p{n}") for n in acknowledged])
    assert len(acknowledged) >= 20
    assert all(f.blocks for f in found)


async def test_two_processes_record_at_once_and_both_keep_everything(where, owner, open_here, tmp_path):
    opening.init(where, owner)
    processes = [recorder(tmp_path, 0, 40), recorder(tmp_path, 40, 80)]
    for process in processes:
        _, _ = process.communicate(timeout=180)
        assert process.returncode == 0
    registry = open_here()
    assert all(f.blocks for f in await registry.facts([person(f"p{n}") for n in range(80)]))
    status = await registry.status()
    assert (status["journal"], status["applied"], status["events"], status["torn"]) == (80, 80, 80, 0)


async def test_a_file_of_an_older_version_gets_its_indexes_and_its_numbering(where, owner, open_here, monkeypatch):
    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:2])
        older.setattr(schema, "VERSION", 2)
        connection = schema.create(where.registry)
    connection.execute("INSERT INTO state VALUES (?, 4, 0, ?)", (person().exact, '{"u":["p1","p2"],"l":"nl"}'))
    connection.execute("INSERT INTO events VALUES (4, 4, 1, 'fact-language', NULL, NULL, 'import:x', '', '', '', NULL)")
    keys = owner.pseudonyms
    journal = opening.new_journal(where, owner)
    connection.execute(
        "INSERT INTO identity (one, registry, organisation, key_check, layer, journal, position, chain)"
        " VALUES (1, ?, 7, ?, 0, ?, 0, ?)",
        (b"r" * 16, keys.check_value(), journal.head.identity, journal.head.start.chain),
    )
    connection.close()
    journal.close()
    reader = schema.writing(where.registry)
    assert schema.migrate(reader) == schema.VERSION - 2
    opening.remember(where, identities.read(reader))
    reader.close()
    registry = open_here()
    assert registry.trouble() == ""
    assert await registry.published(["p1", "p2", "p3"]) == {"p1", "p2"}
    assert await registry.record([event(EventKind.CONTACT, client="crm", contact="1")]) == [5]
    assert await registry.contact("crm", "1") == person().exact
    assert (await registry.facts([person()]))[0].language == "nl"


async def test_a_state_that_is_not_understood_stops_everything(registry, where):
    await registry.record([event(EventKind.LANGUAGE, language="nl")])
    connection = sqlite3.connect(where.registry)
    connection.execute("UPDATE state SET data = ?", ('{"l":"nl","zz":[1]}',))
    connection.commit()
    connection.close()
    with pytest.raises(RegistryMistrusted, match="cannot be read"):
        await registry.facts([person()])


async def test_contact_and_publication_are_asked_of_a_trusted_registry_only(registry, where):
    where.registry.rename(where.registry.with_suffix(".gone"))
    for asked in (registry.contact("crm", "1"), registry.published(["p1"])):
        with pytest.raises(RegistryMistrusted):
            await asked


async def test_rows_read_together_are_of_one_moment_also_when_some_were_read_before(registry, open_here):
    other = open_here()
    people = [person(f"p{n}") for n in range(20)]
    for batch, scope in ((people[:7], LIST), (people[5:], MARKETING), (people, OTHER_LIST)):
        await other.facts(batch)
        await registry.record([event(EventKind.OPT_OUT, p, scope) for p in people])
        assert {scope in {b.scope for b in f.blocks} for f in await other.facts(people)} == {True}
