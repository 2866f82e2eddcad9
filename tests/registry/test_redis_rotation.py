"""Rows in Redis are lifted to a new pseudonym layer while mail flows; no block is forgotten on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from gateway.config.store import Store
from gateway.facts import BlockKind, Scope
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry import redis_rotation
from gateway.registry.opening import Owner
from gateway.registry.protocol import EventKind, RegistryMistrusted
from gateway.registry.record import Actor, Record
from gateway.registry.redis_registry import RedisRegistry
from gateway.registry.redis_writer import Writer
from tests.registry.conftest import CONFIRMED, KEYS, LIST, MARKETING, OTHER_LIST, event, person
from tests.registry.redis_nodes import ADOPT, Nodes
from tests.registry.redis_server import Server

pytestmark = pytest.mark.needs("redis-server")
ROTATED = Pseudonyms((*KEYS.keys, b"n" * 32), KEYS.wide_domains)
WIDE = "wide.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("redis")).start().ready()
    yield started
    started.stop()


@pytest.fixture
def nodes(server: Server, tmp_path: Path) -> Iterator[Nodes]:
    made = Nodes(tmp_path, Store(backend="redis", url=server.url, timeout="30s"))
    yield made
    made.close()


@pytest.fixture
async def old(nodes: Nodes) -> RedisRegistry:
    """A registry from before the rotation: blocks of an exact and of a wide address, facts, a contact."""
    registry = await nodes.made()
    await registry.record([event(EventKind.OPT_OUT, person(f"p{n}"), LIST) for n in range(500)])
    await registry.record(
        [
            event(EventKind.OPT_OUT, person("an.na+x", WIDE), MARKETING),
            event(EventKind.CONTACT, person("p1"), client="crm", contact="7"),
        ]
    )
    return registry


def new(local: str, domain: str = "example.nl") -> Person:
    return person(local, domain, ROTATED)


async def scopes(registry: RedisRegistry, who: Person) -> set[Scope]:
    return {b.scope for b in (await registry.facts([who]))[0].blocks}


async def test_every_block_holds_before_during_and_after_the_pass(old, monkeypatch):
    monkeypatch.setattr(redis_rotation, "BUCKETS", 100)
    old.use_keys(ROTATED)
    assert await scopes(old, new("p3")) == {LIST}
    after: int | None = -1
    await old.session.write(lambda writer: redis_rotation.begin(writer, begin=True))
    while after is not None:
        for who in (new("p3"), new("p499"), new("anna", WIDE)):
            assert await scopes(old, who)
        place = after
        after = await old.session.write(lambda writer, at=place: redis_rotation.lift_some(writer, at))
    status = await old.status()
    assert (status["layer"], status["waiting"], status["people"]) == (1, 0, 501)
    found = await old.facts([new(f"p{n}") for n in range(500)])
    assert all({b.scope for b in f.blocks} == {LIST} for f in found)
    assert await scopes(old, new("anna", WIDE)) == {MARKETING}
    assert await old.contact("crm", "7") == new("p1").exact
    assert {row.layer for row in await old.state_rows(b"", 1000)} == {1}
    assert len(await old.history(new("p1"))) == 2


async def test_what_is_written_during_the_pass_meets_the_row_that_was_there(old):
    old.use_keys(ROTATED)
    await old.session.write(lambda writer: redis_rotation.begin(writer, begin=True))
    await old.record([event(EventKind.OPT_OUT, new("p3"), OTHER_LIST)])
    assert await scopes(old, new("p3")) == {LIST, OTHER_LIST}
    await old.record([event(EventKind.LIFTED, new("p4"), LIST, CONFIRMED)])
    await old.erase(new("p5"), 1_800_000_000, CONFIRMED)
    await old.lift()
    assert await scopes(old, new("p3")) == {LIST, OTHER_LIST}
    assert await scopes(old, new("p4")) == set()
    assert [b.kind for b in (await old.facts([new("p5")]))[0].blocks] == [BlockKind.ERASURE]
    assert (await old.status())["people"] == 501


async def test_a_pass_that_was_cut_off_goes_on(old, monkeypatch):
    monkeypatch.setattr(redis_rotation, "BUCKETS", 50)
    old.use_keys(ROTATED)
    await old.session.write(lambda writer: redis_rotation.begin(writer, begin=True))
    await old.session.write(lambda writer: redis_rotation.lift_some(writer, -1))
    assert 0 < int((await old.status())["waiting"]) < 501
    assert await old.lift(begin=False) > 1
    assert (await old.status())["waiting"] == 0
    assert await old.lift() == 0


async def test_a_node_without_the_new_key_gives_no_facts_from_the_first_pass_on(nodes):
    one = await nodes.made("rotating")
    two = await nodes.joined("rotating")
    await one.record([event(EventKind.OPT_OUT, person(), LIST)])
    assert await scopes(two, person()) == {LIST}
    one.use_keys(ROTATED)
    await one.lift()
    for _ in range(2):
        with pytest.raises(RegistryMistrusted, match="newer pseudonym key"):
            await two.facts([person()])
    two.use_keys(ROTATED)
    assert await scopes(two, new("anna")) == {LIST}


async def test_a_block_written_while_another_node_begins_and_ends_the_pass_is_not_forgotten(nodes, monkeypatch):
    one = await nodes.made("overtaken", owner=Owner(7, KEYS))
    two = await nodes.joined("overtaken", owner=Owner(7, ROTATED))
    for registry in (one, two):
        registry.use_keys(ROTATED)
        await registry.facts([new("anna")])
    rows, overtaken = Writer.rows, []

    async def slow(writer: Writer, people: Iterable[Person]) -> object:
        found = await rows(writer, people)
        if not overtaken:
            overtaken.append(writer)
            await two.lift()
        return found

    monkeypatch.setattr(Writer, "rows", slow)
    await one.record([event(EventKind.OPT_OUT, new("anna"), LIST)])
    assert overtaken
    assert await scopes(two, new("anna")) == {LIST}


async def test_a_link_from_before_the_rotation_blocks_after_it(nodes, old):
    old.use_keys(ROTATED)
    await old.lift()
    journal = nodes.web(old)
    journal.append([Record(BlockKind.OPT_OUT, OTHER_LIST, 5.0, person("p9").exact, 0, Actor.WEB)])
    journal.close()
    assert await scopes(old, new("p9")) == {LIST, OTHER_LIST}
    assert await old.ingest() == 1
    assert await scopes(old, new("p9")) == {LIST, OTHER_LIST}


async def test_the_journal_of_before_is_understood_by_a_redis_made_anew(nodes, server):
    one = await nodes.made("again")
    await one.record([event(EventKind.OPT_OUT, person(), LIST)])
    one.close()
    for name in server.ask("KEYS", "{bg:again}*"):
        server.ask("DEL", name)
    back = nodes.open("again", owner=Owner(7, ROTATED))
    await back.adopt(ADOPT)
    assert await scopes(back, new("anna")) == {LIST}
