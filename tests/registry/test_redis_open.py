"""When a registry in Redis is trusted: servers that were wiped, replaced, restarted, demoted, evicted, cut off."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.config.store import Store
from gateway.facts import BlockKind, Scope
from gateway.pseudonym import Person
from gateway.registry.events import InvalidEvent
from gateway.registry.journal import Journal
from gateway.registry.opening import Owner, RegistryExists
from gateway.registry.protocol import Act, EventKind, RegistryMistrusted, RegistryUnavailable
from gateway.registry.record import Actor, Record
from gateway.registry.redis_registry import RedisRegistry
from tests.registry.conftest import CONFIRMED, KEYS, LIST, MARKETING, OTHER_KEYS, OTHER_LIST, event, person
from tests.registry.redis_nodes import ADOPT, Nodes
from tests.registry.redis_server import SAFE, Server, until

pytestmark = pytest.mark.needs("redis-server")
ANNA, BERT = person("anna"), person("bert")
RETIRE = Act(9, "jan", "the machine burned", "retire")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("redis")).start().ready()
    yield started
    started.stop()


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    """The server as every test finds it: up, safe, a primary, and empty."""
    yield running
    running.stop()
    shutil.rmtree(running.folder)
    running.start().ready()


@pytest.fixture
def nodes(server: Server, tmp_path: Path) -> Iterator[Nodes]:
    made = Nodes(tmp_path, Store(backend="redis", url=server.url, timeout="30s"))
    yield made
    made.close()


async def blocks(registry: RedisRegistry, who: Person = ANNA) -> set[Scope]:
    return {b.scope for b in (await registry.facts([who]))[0].blocks}


async def again(registry: RedisRegistry) -> None:
    """Look once more now, without the second that it leaves between two tries."""
    assert registry.session._line is not None
    registry.session._line.fault = None
    await registry.settled()


async def notice(registry: RedisRegistry) -> None:
    """Meet the restarted server: the first question may fail on a connection to the old one."""
    with suppress(RegistryUnavailable):
        await registry.facts([ANNA])


def restart(server: Server) -> None:
    server.kill()
    server.start().ready()


# The right one


async def test_a_node_without_a_registry_is_told_to_make_one(nodes):
    with pytest.raises(RegistryMistrusted, match="registry init"):
        await nodes.open("school").facts([ANNA])


async def test_init_never_takes_over_what_is_there(nodes):
    await nodes.made("school")
    with pytest.raises(RegistryExists, match="exists"):
        await nodes.open("school").init()
    with pytest.raises(RegistryExists, match="adopt"):
        await nodes.open("school", "two").init()


async def test_i13_a_wiped_redis_is_no_registry_of_nobody(nodes, server):
    registry = await nodes.made("school")
    await registry.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    server.ask("FLUSHALL")
    with pytest.raises(RegistryMistrusted, match="wiped"):
        await registry.facts([BERT])
    with pytest.raises(RegistryMistrusted):
        await registry.record([event(EventKind.CONSENT, ANNA, LIST, CONFIRMED)])
    assert "wiped" in registry.trouble() or await settled_trouble(registry)


async def settled_trouble(registry: RedisRegistry) -> str:
    registry.trouble()
    await registry.settled()
    return registry.trouble()


async def test_i13_an_empty_redis_in_the_place_of_the_old_one_is_not_trusted(nodes, server, tmp_path):
    registry = await nodes.made("school")
    await registry.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    server.kill()
    shutil.rmtree(server.folder)
    server.start().ready()
    await notice(registry)
    with pytest.raises(RegistryMistrusted, match="no registry"):
        await registry.facts([ANNA])


async def test_another_registry_of_the_same_organisation_is_not_trusted(nodes, server):
    registry = await nodes.made("school")
    server.ask("FLUSHALL")
    await nodes.made("school", node="stranger")
    with pytest.raises(RegistryMistrusted, match=r"another registry|identity"):
        await registry.facts([ANNA])


async def test_i12_the_rows_of_another_organisation_are_not_trusted(nodes):
    await nodes.made("school")
    shutil.copytree(nodes.where("school").node.parents[1], nodes.where("school", "copy").node.parents[1])
    with pytest.raises(RegistryMistrusted, match="another organisation"):
        await nodes.open("school", "copy", owner=Owner(8, KEYS)).facts([ANNA])


async def test_i13_other_pseudonym_keys_are_not_trusted(nodes):
    await nodes.made("school")
    with pytest.raises(RegistryMistrusted, match="other pseudonym keys"):
        await nodes.open("school", owner=Owner(7, OTHER_KEYS)).facts([ANNA])


async def test_i12_two_organisations_on_one_redis_do_not_meet(nodes, server):
    school, press = await nodes.made("school"), await nodes.made("press")
    await school.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    assert await blocks(press) == set()
    names = server.ask("KEYS", "*")
    assert all(name.startswith((b"{bg:school}:", b"{bg:press}:")) for name in names)


# Rows that go


@pytest.mark.parametrize("what", ["bucket", "map", "id"])
async def test_i13_an_evicted_key_is_noticed_and_never_read_as_nobody(nodes, server, what):
    registry = await nodes.made("school")
    await registry.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    keys = registry.session.keys
    assert server.ask("DEL", {"bucket": keys.bucket(ANNA.exact), "map": keys.map, "id": keys.identity}[what]) == 1
    for _ in range(2):
        with pytest.raises(RegistryMistrusted):
            await registry.facts([ANNA])


async def test_a_node_that_redis_forgot_takes_its_whole_journal_in_again(nodes, server):
    registry = await nodes.made("school")
    await registry.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    assert server.ask("DEL", registry.session.keys.nodes) == 1
    assert await blocks(registry) == {LIST}
    assert len(await registry.nodes()) == 1


async def test_a_setting_that_lets_redis_evict_is_refused_at_the_start_and_noticed_later(nodes, server):
    registry = await nodes.made("school")
    assert await settled_trouble(registry) == ""
    server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    assert "noeviction" in await settled_trouble(registry)
    with pytest.raises(RegistryMistrusted, match="noeviction"):
        await nodes.open("school").facts([ANNA])
    server.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    await again(registry)
    assert await blocks(registry) == set()


async def test_keys_that_were_evicted_are_not_forgiven_by_mending_the_setting(nodes, server):
    await nodes.made("school")
    server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
    for number in range(200):
        server.ask("SET", f"filler:{number}", "x" * 10000)
    used = int(str(server.info("memory")["used_memory"]))
    server.ask("CONFIG", "SET", "maxmemory", used - 500_000)
    until(lambda: int(str(server.info("stats")["evicted_keys"])) > 0)
    server.ask("CONFIG", "SET", "maxmemory", 0)
    server.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    with pytest.raises(RegistryMistrusted, match="evicted"):
        await nodes.open("school").facts([ANNA])


async def test_a_full_redis_takes_no_writes_and_still_answers(nodes, server):
    registry = await nodes.made("school")
    await registry.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    server.ask("CONFIG", "SET", "maxmemory", "1mb")
    with pytest.raises(RegistryUnavailable, match="memory"):
        await registry.record([event(EventKind.OPT_OUT, ANNA, OTHER_LIST)])
    # The block that could not be stored is in the journal, and counts on this node.
    assert await blocks(registry) == {LIST, OTHER_LIST}


# Restarts


async def test_i13_after_a_restart_every_node_checks_its_journal_before_anybody_answers(nodes, server):
    one = await nodes.made("school")
    two = await nodes.joined("school")
    await one.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    two.close()  # a node that is away
    restart(server)
    await notice(one)
    with pytest.raises(RegistryMistrusted, match=r"1 node.* have not checked their journals"):
        await one.facts([ANNA])
    assert "not checked" in await settled_trouble(one)
    back = nodes.open("school", "two")
    assert await blocks(back) == {LIST}
    assert await blocks(one) == {LIST}


async def test_writing_goes_on_while_another_node_has_not_checked_yet(nodes, server):
    one = await nodes.made("school")
    (await nodes.joined("school")).close()
    restart(server)
    await notice(one)
    await one.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    assert await blocks(nodes.open("school", "two")) == {LIST}


async def test_a_node_that_will_not_come_back_is_retired_by_name_and_with_a_reason(nodes, server):
    one = await nodes.made("school")
    two = await nodes.joined("school")
    await two.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    gone = str((await two.status())["node"])
    two.close()
    restart(server)
    await notice(one)
    states = {row.journal: row.state for row in await one.nodes()}
    assert states == {gone: "waiting", str((await one.status())["node"]): "checked"}
    with pytest.raises(InvalidEvent, match="exactly one"):
        await one.retire("zzzzzz", RETIRE)
    with pytest.raises(InvalidEvent, match="you are on"):
        await one.retire(str((await one.status())["node"]), RETIRE)
    assert await one.retire(gone[:8], RETIRE) == gone
    assert await blocks(one) == {LIST}
    assert {row.state for row in await one.nodes()} == {"checked", "retired 9 jan: the machine burned"}
    assert await blocks(nodes.open("school", "two")) == {LIST}
    assert {row.state for row in await one.nodes()} == {"checked"}  # it came back after all


async def test_i13_an_older_copy_put_back_forgets_no_block_of_any_node(nodes, server, tmp_path):
    one = await nodes.made("school")
    two = await nodes.joined("school")
    await one.record([event(EventKind.CONSENT, ANNA, LIST)])
    server.kill()
    shutil.copytree(server.folder, tmp_path / "backup", ignore=shutil.ignore_patterns("*.sock"))
    server.start().ready()
    for registry in (one, two):
        await notice(registry)
        await settled_trouble(registry)
    await one.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    await two.record([event(EventKind.OPT_OUT, BERT, LIST)])
    server.kill()
    shutil.rmtree(server.folder)
    shutil.copytree(tmp_path / "backup", server.folder)
    server.start().ready()
    await notice(one)
    with pytest.raises(RegistryMistrusted, match="have not checked"):
        await one.facts([ANNA])
    assert await blocks(nodes.open("school", "two"), BERT) == {LIST}
    assert (await blocks(one), await blocks(one, BERT)) == ({LIST}, {LIST})
    assert (await one.facts([ANNA]))[0].consents == ()


async def test_i13_kill_9_of_the_server_while_recording_loses_no_acknowledged_block(nodes, server):
    registry = await nodes.made("school")
    kept: list[int] = []

    async def recording() -> None:
        for number in range(10_000):
            await registry.record([event(EventKind.OPT_OUT, person(f"p{number}"), LIST)])
            kept.append(number)

    for _ in range(3):
        before = len(kept)
        task = asyncio.ensure_future(recording())
        while len(kept) < before + 20 and not task.done():
            await asyncio.sleep(0)
        assert not task.done(), task.exception()
        server.kill()
        with pytest.raises(RegistryUnavailable):
            await task
        server.start().ready()
        await again(registry)
    found = await registry.facts([person(f"p{n}") for n in kept])
    assert all(f.blocks for f in found)


async def test_a_change_whose_answer_was_lost_is_made_once(nodes, server, monkeypatch):
    registry = await nodes.made("school")
    await registry.record([event(EventKind.CONSENT, ANNA, LIST)])
    assert registry.session._line is not None
    primary = registry.session._line.primary
    whole = primary.change

    async def cut_off(*what: object) -> object:
        monkeypatch.setattr(primary, "change", whole)
        await whole(*what)
        raise ConnectionResetError(104, "cut off behind the server's back")

    monkeypatch.setattr(primary, "change", cut_off)
    numbers = await registry.record([event(EventKind.LANGUAGE, ANNA, language="nl")])
    assert [n for n, _ in await registry.history(ANNA)] == [1, *numbers]


async def test_a_change_that_never_arrived_is_sent_again(nodes, monkeypatch):
    registry = await nodes.made("school")
    assert await registry.facts([ANNA])
    assert registry.session._line is not None
    primary = registry.session._line.primary
    whole = primary.change

    async def lost(*_: object) -> object:
        monkeypatch.setattr(primary, "change", whole)
        raise ConnectionResetError(104, "cut off before it went")

    monkeypatch.setattr(primary, "change", lost)
    numbers = await registry.record([event(EventKind.LANGUAGE, ANNA, language="nl")])
    assert [n for n, _ in await registry.history(ANNA)] == numbers


# Servers that do not answer as they should


async def test_a_replica_is_neither_read_nor_written(nodes, server):
    registry = await nodes.made("school")
    await registry.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    server.ask("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(RegistryUnavailable, match="replica"):
        await registry.facts([ANNA])
    with pytest.raises(RegistryUnavailable, match="replica"):
        await registry.record([event(EventKind.OPT_OUT, ANNA, OTHER_LIST)])
    server.ask("REPLICAOF", "NO", "ONE")
    await again(registry)
    assert LIST in await blocks(registry)


async def test_a_redis_that_loads_its_data_is_away_and_not_empty(nodes, server):
    registry = await nodes.made("school")
    await registry.record([event(EventKind.OPT_OUT, person(f"p{n}"), LIST) for n in range(300)])
    server.ask("BGREWRITEAOF")
    until(lambda: server.info("persistence")["aof_rewrite_in_progress"] == 0 and server.ask("PING"))
    server.kill()
    slow = {**SAFE, "key-load-delay": "3000", "loading-process-events-interval-bytes": "1024"}
    loading = Server(server.folder, 0, slow).start()
    try:
        until(lambda: server.socket.exists())
        with pytest.raises(RegistryUnavailable, match="LOADING"):
            await first_word(registry)
    finally:
        loading.stop()


async def first_word(registry: RedisRegistry) -> None:
    """Ask until the server says anything at all."""
    while True:
        try:
            await registry.facts([ANNA])
        except RegistryUnavailable as error:
            if "reached" not in str(error):
                raise
        await asyncio.sleep(0.01)
        await again(registry)


async def test_a_frozen_redis_is_unavailable_within_the_timeout_and_trusted_again_afterwards(nodes, server):
    registry = await nodes.made("school", store=nodes.store.model_copy(update={"timeout": timedelta(seconds=4)}))
    await registry.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    server.freeze(frozen=True)
    with pytest.raises(RegistryUnavailable, match="in time"):
        await registry.facts([ANNA])
    server.freeze(frozen=False)
    assert await blocks(registry) == {LIST}


async def test_no_redis_at_all_is_unavailable(nodes, server):
    registry = await nodes.made("school")
    server.kill()
    with pytest.raises(RegistryUnavailable, match="reached"):
        await registry.facts([ANNA])
    assert await settled_trouble(registry)
    server.start().ready()
    await again(registry)
    assert await settled_trouble(registry) == ""


# Several nodes


async def test_what_one_node_records_another_sees_at_once(nodes):
    one = await nodes.made("school")
    two = await nodes.joined("school")
    assert await blocks(two) == set()
    await one.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    assert await blocks(two) == {LIST}
    await two.record([event(EventKind.LIFTED, ANNA, LIST, CONFIRMED)])
    assert await blocks(one) == set()


async def test_numbers_of_nodes_that_write_at_once_never_collide(nodes):
    one = await nodes.made("school")
    two = await nodes.joined("school")

    async def write(registry: RedisRegistry, name: str) -> list[int]:
        numbers = []
        for number in range(30):
            who = ANNA if number % 3 == 0 else person(f"{name}{number}")
            numbers += await registry.record([event(EventKind.ENROLMENT, who, reference=f"{name}{number}")])
        return numbers

    first, second = await asyncio.gather(write(one, "a"), write(two, "b"))
    assert sorted([*first, *second]) == list(range(1, 61))
    assert len((await one.facts([ANNA]))[0].enrolments) == 20
    assert [n for n, _ in await two.history(ANNA)] == sorted([*first[::3], *second[::3]])
    assert [row.number for row in await one.event_rows(0, 100)] == list(range(1, 61))


async def test_a_large_batch_gets_its_turn_among_many_small_ones(nodes):
    one = await nodes.made("school")
    two = await nodes.joined("school")
    done = asyncio.Event()

    async def small() -> int:
        number = 0
        while not done.is_set():
            await two.record([event(EventKind.ENROLMENT, BERT, reference=str(number))])
            number += 1
        return number

    writing = asyncio.ensure_future(small())
    await one.record([event(EventKind.CONSENT, person(f"p{n}"), LIST) for n in range(5000)])
    done.set()
    assert await writing > 0
    assert all(f.consents for f in await two.facts([person(f"p{n}") for n in range(0, 5000, 100)]))


async def test_a_page_s_opt_out_counts_at_once_on_its_node_and_everywhere_when_taken_in(nodes):
    one = await nodes.made("school")
    two = await nodes.joined("school")
    journal = nodes.web(one)
    journal.append([Record(BlockKind.OPT_OUT, LIST, 5.0, ANNA.exact, 0, Actor.WEB)])
    journal.close()
    assert await blocks(one) == {LIST}
    assert await one.ingest() == 1
    assert await blocks(two) == {LIST}


async def test_a_joining_node_gets_every_block_into_its_journal(nodes):
    one = await nodes.made("school")
    await one.record([event(EventKind.OPT_OUT, ANNA, LIST), event(EventKind.OPT_OUT, BERT, MARKETING)])
    two = await nodes.joined("school")
    status = await two.status()
    assert (status["journal"], status["applied"]) == (2, 2)
    journal = Journal.open(two.session.places.journal, write=False)
    assert {r.scope for r in next(journal.follow(journal.head.start))} == {LIST, MARKETING}
    journal.close()


# Accepting what is there


async def test_adopting_a_wiped_redis_brings_back_every_block_and_waits_for_the_other_nodes(nodes, server):
    one = await nodes.made("school")
    two = await nodes.joined("school")
    await one.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    await two.record([event(EventKind.OPT_OUT, BERT, LIST)])
    await settled_trouble(one)
    one.close()
    one = nodes.open("school")
    await one.facts([ANNA])
    server.ask("FLUSHALL")
    done = await one.adopt(ADOPT)
    assert "made a new registry, which waits for 1 other node(s)" in done
    with pytest.raises(RegistryMistrusted, match="have not checked"):
        await one.facts([BERT])
    with pytest.raises(RegistryMistrusted):
        await two.facts([BERT])
    await two.adopt(ADOPT)
    for registry in (one, two):
        assert (await blocks(registry), await blocks(registry, BERT)) == ({LIST}, {LIST})


async def test_adopting_is_noted_with_its_operator_and_reason(nodes, server):
    registry = await nodes.made("school")
    await registry.adopt(ADOPT)
    key = registry.session.keys.acts
    act = json.loads(bytes(server.ask("HGET", key, 1)))  # type: ignore[call-overload]
    assert act[:3] == [5, "jan", "one more node"]
    assert act[3].startswith("adopt: ")


async def test_rows_without_an_identity_are_neither_made_new_nor_adopted(nodes, server):
    registry = await nodes.made("school")
    await registry.record([event(EventKind.OPT_OUT, ANNA, LIST)])
    server.ask("DEL", registry.session.keys.identity)
    with pytest.raises(RegistryMistrusted, match="without saying whose"):
        await registry.adopt(ADOPT)
