"""A new pseudonym layer under load: no block is forgotten at any moment, and a pass that was cut off goes on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable

import pytest

from gateway.facts import Facts
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry import rotation, schema
from gateway.registry.journal import Journal
from gateway.registry.opening import Owner, open_writer
from gateway.registry.places import Places
from gateway.registry.protocol import EventKind, RegistryMistrusted, RegistryUnavailable
from gateway.registry.sqlite import SQLiteRegistry
from gateway.token import OptOut
from tests.registry.conftest import CONFIRMED, KEYS, LIST, MARKETING, OTHER_LIST, event, person

ROTATED = Pseudonyms((*KEYS.keys, b"n" * 32, b"m" * 32), KEYS.wide_domains)
NUMBERS = range(60)
Open = Callable[..., SQLiteRegistry]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 7)


def new(local: str = "anna") -> Person:
    return person(local, keys=ROTATED)


async def fill(registry: SQLiteRegistry) -> None:
    await registry.record([event(EventKind.ENROLMENT, person(f"p{n}"), reference=str(n)) for n in NUMBERS])
    await registry.record([event(EventKind.OPT_OUT, person(f"p{n}"), LIST) for n in NUMBERS])


def whole(found: list[Facts]) -> bool:
    return [f.enrolments for f in found] == [{str(n)} for n in NUMBERS] and all(f.blocks for f in found)


def half_lifted(where: Places, batches: int = 2) -> None:
    """As a process leaves it that is killed between two batches."""
    writer = open_writer(where, Owner(7, ROTATED))
    assert writer.begin_lift()
    after: bytes | None = b""
    for _ in range(batches):
        assert after is not None
        after = writer.lift_batch(after)
    writer.close()


def layers(where: Places) -> list[int]:
    connection = sqlite3.connect(where.registry)
    found = [row[0] for row in connection.execute("SELECT DISTINCT layer FROM state ORDER BY layer")]
    connection.close()
    return found


async def test_every_row_is_found_before_during_and_after(registry, where, open_here: Open, small_batches):
    await fill(registry)
    newer = open_here(owner=Owner(7, ROTATED))
    everybody = [new(f"p{n}") for n in NUMBERS]
    assert whole(await newer.facts(everybody))
    half_lifted(where)
    assert layers(where) == [0, 2]
    assert whole(await newer.facts(everybody)), "some rows are lifted, some are not"
    await newer.lift()
    assert layers(where) == [2]
    assert whole(await newer.facts(everybody))
    assert (await newer.status())["waiting"] == 0


async def test_look_ups_beside_a_running_pass_never_miss_a_block(registry, open_here: Open, small_batches):
    await fill(registry)
    one, other = (open_here(owner=Owner(7, ROTATED)) for _ in range(2))
    everybody = [new(f"p{n}") for n in NUMBERS]
    lifting = asyncio.create_task(one.lift())
    looks = 0
    while not lifting.done():
        assert whole(await other.facts(everybody))
        looks += 1
        await asyncio.sleep(0)
    assert lifting.result() > len(NUMBERS) // 7
    assert looks > 3


async def test_a_pass_that_was_cut_off_goes_on_where_rows_are_still_old(
    registry, where, open_here: Open, small_batches
):
    await fill(registry)
    registry.close()
    half_lifted(where)
    again = open_here(owner=Owner(7, ROTATED))
    assert (await again.status())["waiting"] == len(NUMBERS) - 14
    await again.lift()
    assert layers(where) == [2]
    assert whole(await again.facts([new(f"p{n}") for n in NUMBERS]))
    assert await again.lift() == 0, "there is nothing left to do"


async def test_a_process_without_the_new_key_stops_giving_facts_with_its_very_next_read(registry, where, small_batches):
    await fill(registry)
    assert (await registry.facts([person("p1")]))[0].blocks
    half_lifted(where, 0)
    with pytest.raises(RegistryMistrusted, match="newer pseudonym key"):
        await registry.facts([person("p1")])
    with pytest.raises(RegistryMistrusted, match="newer pseudonym key"):
        await registry.record([event(EventKind.OPT_OUT, person("p1"), OTHER_LIST)])
    registry.use_keys(ROTATED)
    await registry.settled()
    assert registry.trouble() == ""
    assert (await registry.facts([new("p1")]))[0].blocks


async def test_somebody_looked_up_with_pseudonyms_from_before_the_key_is_found(registry, where, small_batches):
    """A mail that is under way while the process takes the keys."""
    await fill(registry)
    registry.use_keys(ROTATED)
    await registry.settled()
    await registry.lift()
    assert (await registry.facts([person("p1")]))[0].blocks
    with pytest.raises(ValueError, match="layer"):
        person("p1").at(2)


async def test_somebody_whose_older_pseudonyms_are_not_at_hand_is_not_taken_for_unknown(
    registry, where, open_here: Open, small_batches
):
    await fill(registry)
    half_lifted(where, 0)
    newer = open_here(owner=Owner(7, ROTATED))
    bare = Person(new("p1").exact, new("p1").wide)
    with pytest.raises(RegistryUnavailable, match="lifted"):
        await newer.facts([bare])
    await newer.lift()
    assert (await newer.facts([bare]))[0].blocks


async def test_what_is_written_during_a_pass_meets_the_row_that_is_there(
    registry, where, open_here: Open, small_batches
):
    await fill(registry)
    half_lifted(where, 1)
    newer = open_here(owner=Owner(7, ROTATED))
    await newer.record([event(EventKind.CONSENT, new(f"p{n}"), LIST, CONFIRMED) for n in NUMBERS])
    await newer.record([event(EventKind.OBJECTION, new(f"p{n}"), MARKETING) for n in NUMBERS])
    assert layers(where) == [2], "everybody was met"
    found = await newer.facts([new(f"p{n}") for n in NUMBERS])
    assert [f.enrolments for f in found] == [{str(n)} for n in NUMBERS]
    assert all([b.scope for b in f.blocks] == [MARKETING] for f in found)


async def test_records_of_the_journal_can_be_lifted_to_every_row_there_is(
    registry, where, open_here: Open, small_batches
):
    await fill(registry)
    half_lifted(where, 1)
    newer = open_here(owner=Owner(7, ROTATED))
    await newer.record([event(EventKind.OBJECTION, new("p1"), MARKETING)])
    journal = Journal.open(where.journal, write=False)
    assert {r.layer for r in journal.since(journal.head.start)} == {0}
    journal.close()
    await newer.lift()
    await newer.record([event(EventKind.OBJECTION, new("p2"), MARKETING)])
    journal = Journal.open(where.journal, write=False)
    assert {r.layer for r in journal.since(journal.head.start)} == {0, 2}
    journal.close()


async def test_a_click_on_a_newer_link_blocks_at_once_and_finds_its_row_when_all_are_lifted(
    registry, where, open_here: Open, small_batches
):
    await fill(registry)
    half_lifted(where, 0)
    newer = open_here(owner=Owner(7, ROTATED))
    page = Journal.ensure(where.web, organisation=7)
    page.append_opt_outs([OptOut(7, new("p3").exact, 2, MARKETING, 20_000, 1)], 1_000)
    page.close()
    assert await newer.ingest() == 0, "its row is of an older layer, which no newer pseudonym leads to"
    assert MARKETING in {b.scope for b in (await newer.facts([new("p3")]))[0].blocks}
    await newer.lift()
    assert await newer.ingest() == 1
    found = (await newer.facts([new("p3")]))[0]
    assert MARKETING in {b.scope for b in found.blocks}
    assert found.enrolments == {"3"}, "one row, not two"


async def test_a_registry_put_back_from_before_the_rotation_takes_newer_records(
    registry, where, open_here: Open, small_batches
):
    await fill(registry)
    registry.close()
    old = where.registry.read_bytes()
    newer = open_here(owner=Owner(7, ROTATED))
    await newer.lift()
    await newer.record([event(EventKind.OBJECTION, new("p4"), MARKETING)])
    newer.close()
    for suffix in ("-wal", "-shm"):
        where.registry.with_name(where.registry.name + suffix).unlink(missing_ok=True)
    where.registry.write_bytes(old)
    again = open_here(owner=Owner(7, ROTATED))
    found = (await again.facts([new("p4")]))[0]
    assert {b.scope for b in found.blocks} == {LIST, MARKETING}
    assert found.enrolments == {"4"}
    assert whole(await again.facts([new(f"p{n}") for n in NUMBERS]))


async def test_history_and_acts_find_people_while_rows_are_old(registry, where, open_here: Open, small_batches):
    await fill(registry)
    half_lifted(where, 0)
    newer = open_here(owner=Owner(7, ROTATED))
    history = await newer.history(new("p3"))
    assert [e.kind for _, e in history] == [EventKind.ENROLMENT, EventKind.OPT_OUT]


async def test_events_stay_as_they_were_and_are_still_found(registry, where, open_here: Open, small_batches):
    await fill(registry)
    connection = schema.reading(where.registry)
    before = connection.execute("SELECT * FROM events").fetchall()
    newer = open_here(owner=Owner(7, ROTATED))
    await newer.lift()
    assert connection.execute("SELECT * FROM events").fetchall() == before
    connection.close()
    assert [e.kind for _, e in await newer.history(new("p3"))] == [EventKind.ENROLMENT, EventKind.OPT_OUT]


async def test_a_second_key_may_come_before_the_first_pass_is_done(registry, where, open_here: Open, small_batches):
    await fill(registry)
    half_lifted(where, 1)
    third = Pseudonyms((*ROTATED.keys, b"o" * 32), KEYS.wide_domains)
    newest = open_here(owner=Owner(7, third))
    await newest.lift()
    assert layers(where) == [3]
    assert whole(await newest.facts([person(f"p{n}", keys=third) for n in NUMBERS]))


async def test_a_clients_own_id_leads_to_the_newest_pseudonym(registry, where, open_here: Open, small_batches):
    """What a caller keeps of the answer must still lead to the person when the row is lifted a moment later."""
    await registry.record([event(EventKind.CONTACT, person("anna"), client="crm", contact="c-7")])
    await registry.record([event(EventKind.OPT_OUT, person("anna"), LIST)])
    await registry.record([event(EventKind.CONSENT, person("anna"), LIST)])
    newer = open_here(owner=Owner(7, ROTATED))
    for _ in range(2):
        assert await newer.contact("crm", "c-7") == new("anna").exact
        assert {fed.person for fed in await newer.feed(0, 9)} == {new("anna").exact}
        assert {pending.person for pending in await newer.returns(9)} == {new("anna").exact}
        await newer.lift()
