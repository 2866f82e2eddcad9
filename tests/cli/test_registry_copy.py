"""`briefgeheim registry copy` and `registry node`, between SQLite and a real Redis."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.facts import Scope, ScopeKind
from gateway.registry.journal import Journal
from gateway.token import OptOut
from tests.cli.conftest import NAMED
from tests.registry.redis_server import Server

pytestmark = pytest.mark.needs("redis-server")
TO_REDIS = ["copy", "--from", "sqlite", "--to", "redis", *NAMED]
TO_SQLITE = ["copy", "--from", "redis", "--to", "sqlite", *NAMED]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("redis")).start().ready()
    yield started
    started.stop()


@pytest.fixture
def server(running: Server) -> Server:
    running.ask("FLUSHALL")
    return running


@pytest.fixture
def use(config: Path, server: Server):
    """Settings that say where Redis is, or that SQLite is used."""
    written = config.read_text("utf-8")

    def say(backend: str) -> None:
        redis = f"\nregistry:\n  backend: redis\n  url: {server.url}\n"
        config.write_text(written + (redis if backend == "redis" else ""), "utf-8")

    return say


@pytest.fixture
def filled(made, use):
    """A registry in SQLite with a consent, a block, and one that was lifted; then Redis in the settings."""
    for who, kind, scope in (
        ("anna", "consent", "list:nieuwsbrief"),
        ("bert", "objection", "marketing"),
        ("carla", "opt-out", "list:nieuwsbrief"),
    ):
        assert made("set", "--to", f"{who}@example.nl", "--kind", kind, "--scope", scope, *NAMED).exit_code == 0
    assert (
        made("set", "--to", "carla@example.nl", "--kind", "lifted", "--scope", "list:nieuwsbrief", *NAMED).exit_code
        == 0
    )
    use("redis")
    return made


def people(run) -> dict[str, dict]:
    found = {}
    for who in ("anna", "bert", "carla"):
        result = run("show", "--to", f"{who}@example.nl", *NAMED, "--json")
        assert result.exit_code == 0, result.output
        found[who] = json.loads(result.stdout)
    return found


def test_a_registry_goes_to_redis_and_back_and_is_the_same(filled, use, config):
    use("sqlite")
    before = people(filled)
    use("redis")
    there = filled(*TO_REDIS)
    assert there.exit_code == 0, there.output
    assert people(filled) == before
    journal = config.parents[1] / "state" / "journal" / "kleine-parel.journal"
    assert journal.with_name("kleine-parel.journal.before").exists()
    back = filled(*TO_SQLITE)
    assert back.exit_code == 0, back.output
    use("sqlite")
    assert people(filled) == before
    assert json.loads(back.stdout.splitlines()[0]) == json.loads(there.stdout.splitlines()[0])


def test_the_copy_s_journal_holds_every_block_in_force_and_no_lifted_one(filled, config):
    assert filled(*TO_REDIS).exit_code == 0
    journal = Journal.open(config.parents[1] / "state" / "journal" / "kleine-parel.journal", write=False)
    assert [r.kind.value for r in next(journal.follow(journal.head.start))] == ["objection"]
    journal.close()


def test_numbers_go_on_behind_those_of_the_source(filled):
    assert filled(*TO_REDIS).exit_code == 0
    result = filled("set", "--to", "anna@example.nl", "--kind", "opt-out", "--scope", "marketing", *NAMED)
    assert result.stdout.startswith("event 5:")


def test_opt_outs_of_the_page_are_not_taken_in_twice(made, use, config):
    state = config.parents[1] / "state"
    status = json.loads(made("status").stdout)
    assert status["web"] == 0
    journal = Journal.ensure(state / "web" / "kleine-parel.journal", organisation=1)
    journal.append_opt_outs([OptOut(1, bytes(32), 0, Scope(ScopeKind.MARKETING), 1, 7)], 5)
    journal.close()
    use("redis")
    copied = made(*TO_REDIS)
    assert copied.exit_code == 0, copied.output
    status = json.loads(made("status").stdout)
    assert (status["web"], status["events"]) == (1, 1)


def test_the_source_holds_all_it_held_and_is_trusted_no_more(filled, use, config):
    registry = config.parents[1] / "state" / "registry" / "kleine-parel.sqlite"
    assert filled(*TO_REDIS).exit_code == 0
    connection = sqlite3.connect(registry)
    assert connection.execute("SELECT COUNT(*) FROM events").fetchone() == (4,)
    connection.close()
    use("sqlite")
    refused = filled("status")
    assert refused.exit_code == 1
    assert "another" in refused.output


def test_nothing_is_copied_over_a_registry_that_is_there(filled, server):
    assert filled(*TO_REDIS).exit_code == 0
    again = filled(*TO_REDIS)
    assert again.exit_code != 0
    assert filled("status").exit_code == 0


def test_a_copy_that_was_cut_off_is_begun_again(filled, config, server, monkeypatch):
    from gateway.registry import transfer

    async def cut(*_: object) -> None:
        raise transfer.TransferRefused("the power went")

    whole = transfer.figures
    monkeypatch.setattr(transfer, "figures", cut)
    failed = filled(*TO_REDIS)
    assert (failed.exit_code, "the power went" in failed.output) == (1, True)
    assert filled("status").exit_code == 1
    monkeypatch.setattr(transfer, "figures", whole)
    assert filled(*TO_REDIS).exit_code == 0
    assert filled("status").exit_code == 0


def test_a_source_that_changes_meanwhile_is_noticed(filled, monkeypatch):
    from gateway.registry import transfer

    whole, asked = transfer.figures, []

    async def changed(registry):
        asked.append(registry)
        found = await whole(registry)
        return found if len(asked) == 1 else transfer.replace(found, digest="other")

    monkeypatch.setattr(transfer, "figures", changed)
    failed = filled(*TO_REDIS)
    assert failed.exit_code == 1
    assert "digests differ" in failed.output


def test_copying_needs_two_backends_and_the_place_of_redis(made, use):
    refused = made(*TO_REDIS)
    assert (refused.exit_code, "backend: redis" in refused.output) == (2, True)
    use("redis")
    refused = made("copy", "--from", "sqlite", "--to", "sqlite", *NAMED)
    assert refused.exit_code == 2


def test_nodes_are_listed_and_one_is_not_retired_by_itself(run, use):
    use("redis")
    assert run("init").exit_code == 0
    listed = run("node", "list")
    assert listed.exit_code == 0, listed.output
    assert listed.stdout.startswith("* ")
    assert listed.stdout.strip().endswith("0 blocks, checked")
    refused = run("node", "retire", listed.stdout.split()[1][:8], *NAMED)
    assert (refused.exit_code, "you are on" in refused.output) == (2, True)


def test_nodes_are_of_redis_only(made):
    refused = made("node", "list")
    assert (refused.exit_code, "SQLite" in refused.output) == (2, True)


def test_everything_of_the_registry_works_on_redis(run, use, server):
    use("redis")
    assert run("init").exit_code == 0
    assert run("init").exit_code == 2
    consent = ["--kind", "consent", "--scope", "list:nieuwsbrief", *NAMED]
    assert run("set", "--to", "anna@example.nl", *consent).exit_code == 0
    assert run("replay").exit_code == 0
    server.ask("FLUSHALL")
    assert run("status").exit_code == 1
    adopted = run("init", "--adopt", *NAMED)
    assert adopted.exit_code == 0, adopted.output
    assert run("status").exit_code == 0


def test_two_organisations_share_a_redis_and_no_keys(run, use, server):
    use("redis")
    for organisation in ("kleine-parel", "rezulto"):
        assert run("init", organisation=organisation).exit_code == 0
    names = {name.partition(b"}")[0] for name in server.ask("KEYS", "*")}
    assert names == {b"{bg:kleine-parel", b"{bg:rezulto"}


def test_a_missing_password_is_named_with_its_file(run, use, config, server):
    use("redis")
    config.write_text(config.read_text("utf-8") + "  password: yes\n", "utf-8")
    refused = run("status")
    assert refused.exit_code == 1
    assert "kleine-parel.redis: missing" in refused.output


def test_an_organisation_s_own_user_gets_in_with_the_documented_line_and_reaches_no_other(run, use, config, server):
    line = next(
        text.split()
        for text in (Path(__file__).parents[2] / "docs" / "redis.md").read_text("utf-8").splitlines()
        if text.startswith("ACL SETUSER")
    )
    words = [word.replace("ORGANISATION", "kleine-parel").replace("PASSWORD", "geheim") for word in line]
    assert server.ask(*words) == b"OK"
    use("redis")
    extra = '  username: "bg-{organisation}"\n  password: yes\n'
    config.write_text(config.read_text("utf-8") + extra, "utf-8")
    for organisation in ("kleine-parel", "rezulto"):
        file = config.parents[1] / "state" / "credentials" / f"{organisation}.redis"
        file.write_text("geheim\n")
        file.chmod(0o600)
    made = run("init")
    assert made.exit_code == 0, made.output
    assert run("set", "--to", "a@example.nl", "--kind", "opt-out", "--scope", "marketing", *NAMED).exit_code == 0
    assert people_of(run) == ["opt-out marketing"]
    assert run("status").exit_code == 0
    assert run("init", organisation="rezulto").exit_code == 1


def people_of(run) -> list[str]:
    found = json.loads(run("show", "--to", "a@example.nl", *NAMED, "--json").stdout)
    return [text.partition(" since")[0] for text in found["facts"]["blocks"]]
