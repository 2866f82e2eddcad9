"""Every file of the program has a test file of its own, or says here why not and where it is tested instead."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GATEWAY, TESTS = ROOT / "gateway", ROOT / "tests"
FILES = sorted(str(p.relative_to(GATEWAY)) for p in GATEWAY.rglob("*.py") if p.name != "__init__.py")

ELSEWHERE: dict[str, tuple[str, str]] = {
    "__main__.py": ("two lines; every gateway of an end-to-end test is started with it", "stages.py"),
    "app/nursery_child.py": ("the process that forks children, ordered by their parent", "app/test_nursery.py"),
    "app/inspector_child.py": ("the process that reads, asked by its worker", "app/test_inspector.py"),
    "app/office.py": ("puts the desk together for every step there", "app/test_outbox_mover.py"),
    "app/parent.py": ("the parent is the running gateway itself", "e2e/test_drain.py"),
    "app/web.py": ("wiring of the page, tested as the running page", "e2e/test_opt_out_page.py"),
    "audit/protocol.py": ("holds no code, only what an audit row is", "audit/test_sqlite.py"),
    "backup/checking.py": ("what a restore refuses, with the files it must not touch", "e2e/test_backup.py"),
    "backup/making.py": ("a backup of a gateway at work", "e2e/test_backup.py"),
    "backup/restoring.py": ("the drill: state lost and put back", "e2e/test_backup.py"),
    "campaigns/backend.py": ("which store the settings mean, as the running gateway uses it", "e2e/test_campaigns.py"),
    "campaigns/protocol.py": ("words of the stores, tested with each of them", "campaigns/contract.py"),
    "campaigns/schema.py": ("tables and bounds of the file, tested with it", "campaigns/test_sqlite.py"),
    "cases/ending.py": ("the deleting half of the cases file", "cases/test_sqlite.py"),
    "cases/intake.py": ("the writing half of the cases file", "cases/test_sqlite.py"),
    "cases/protocol.py": ("words of the cases, tested with the file", "cases/test_sqlite.py"),
    "cases/rows.py": ("columns and seals, tested by what comes back", "cases/test_sqlite.py"),
    "cases/schema.py": ("tables, overwriting, opening", "cases/test_sqlite.py"),
    "cli/account.py": ("words for what explain found, compared with what really happened", "e2e/test_explain.py"),
    "cli/backup.py": ("the commands of the drill", "e2e/test_backup.py"),
    "cli/explain.py": ("the whole command, compared with what really happened", "e2e/test_explain.py"),
    "cli/passphrase.py": ("asked for by the commands that need it", "cli/test_keys_escrow.py"),
    "cli/registry_node.py": ("nodes that share a registry, in a real Redis", "cli/test_registry_copy.py"),
    "cli/rights_house.py": ("what every command of the group starts with", "cli/test_rights.py"),
    "cli/rights_show.py": ("lines and values of every command of the group", "cli/test_rights.py"),
    "config/api.py": ("two models; their checks and what they refuse", "bad_config/test_bad_config.py"),
    "config/check_api.py": ("every complaint, with its line", "bad_config/test_bad_config.py"),
    "config/check_inspector.py": ("every mistake of it is a case", "bad_config/test_bad_config.py"),
    "config/check_store.py": ("every mistake of it is a case", "bad_config/test_bad_config.py"),
    "config/gateway.py": ("a model without code of its own; its rules are checks", "config/test_check_listeners.py"),
    "config/inspector.py": ("a model; what it says reaches the process", "app/test_inspector.py"),
    "config/probe.py": ("a model without code of its own; its rules are checks", "config/test_check_probe.py"),
    "config/rights.py": ("a model; its terms and checks", "config/test_check_rights.py"),
    "config/store.py": ("a model without code of its own; its rules are checks", "bad_config/test_bad_config.py"),
    "delivery/party.py": ("holds no code, only who is spoken for", "delivery/test_worker.py"),
    "demo/certificate.py": ("makes the certificate of every end-to-end test", "e2e/test_submission.py"),
    "demo/mails.py": ("the demo's mails, sent and judged by the demo itself", "cli/test_demo.py"),
    "demo/recorder.py": ("the provider of every end-to-end test", "stages.py"),
    "demo/stage.py": ("builds every gateway of the end-to-end tests", "stages.py"),
    "demo/story.py": ("tells the demo and judges each result", "cli/test_demo.py"),
    "message/kinds.py": ("what a part is, seen by parsing whole messages", "message/test_parse.py"),
    "message/splices.py": ("values without behaviour of their own", "message/test_template.py"),
    "filters/context.py": ("holds no code, only what a filter is given", "filters/example.py"),
    "filters/shown.py": ("which parts are shown, asked through the filter that needs it", "filters/test_opt_out.py"),
    "policy/scenes.py": ("situations for the tables, each held against what is promised", "policy/test_matrix.py"),
    "registry/adopting.py": ("adopting is one way of opening", "registry/test_opening.py"),
    "registry/backend.py": ("which registry the settings mean, through the commands", "cli/test_registry_copy.py"),
    "registry/copying.py": ("rows out and in, tested by a registry copied whole", "registry/contract.py"),
    "registry/durable.py": ("file identity and fsync, seen through what a node remembers", "registry/test_node.py"),
    "registry/faults.py": ("translates errors of the database, tested with damaged ones", "registry/test_opening.py"),
    "registry/feeding.py": ("lists of events and returns, the same for every backend", "registry/contract.py"),
    "registry/identity.py": ("whose registry it is, tested with those of others", "registry/test_opening.py"),
    "registry/purging.py": ("what a purge takes and leaves, the same for every backend", "registry/contract.py"),
    "registry/redis_change.py": ("one change, made by every test that writes", "registry/test_redis_registry.py"),
    "registry/redis_faults.py": ("what faults become, with servers that have them", "registry/test_redis_open.py"),
    "documents/births.py": ("one detector of all", "documents/test_kinds.py"),
    "documents/bsn.py": ("one detector of all", "documents/test_kinds.py"),
    "documents/heads.py": ("headings of tables and lists", "documents/test_tables.py"),
    "documents/mails.py": ("one detector of all", "documents/test_kinds.py"),
    "documents/phones.py": ("one detector of all", "documents/test_kinds.py"),
    "documents/postcodes.py": ("one detector of all", "documents/test_kinds.py"),
    "inspection.py": ("values without behaviour", "documents/test_inspect.py"),
    "registry/redis_forgetting.py": ("erasing and purging of the contract", "registry/test_redis_registry.py"),
    "registry/redis_hand.py": ("answers that were lost, and writers at once", "registry/test_redis_open.py"),
    "registry/redis_listing.py": ("the lists of the contract", "registry/test_redis_registry.py"),
    "registry/redis_people.py": ("what the contract does to people", "registry/test_redis_registry.py"),
    "registry/redis_primary.py": ("finds primaries, through Sentinel and Cluster", "registry/test_redis_sentinel.py"),
    "registry/redis_proof.py": ("what every read proves, with servers that cannot", "registry/test_redis_open.py"),
    "registry/redis_rows.py": ("rows and indexes of the contract", "registry/test_redis_registry.py"),
    "registry/redis_scripts.py": ("Lua, which only a server runs", "registry/test_redis_open.py"),
    "registry/redis_session.py": ("opening and coming back after trouble", "registry/test_redis_open.py"),
    "registry/redis_view.py": ("look-ups of the contract, and what they refuse", "registry/test_redis_open.py"),
    "registry/redis_writer.py": ("the writing half of the contract, and several nodes", "registry/test_redis_open.py"),
    "registry/schema.py": ("tables and migrations, tested by opening", "registry/test_opening.py"),
    "registry/store.py": ("the tables' half of the registry", "registry/test_sqlite.py"),
    "registry/transfer.py": ("copies between two backends, through the command", "cli/test_registry_copy.py"),
    "registry/web.py": ("the registry's half of the page's journal", "registry/test_sqlite.py"),
    "registry/writer.py": ("the writing half of the registry", "registry/test_sqlite.py"),
    "rights/protocol.py": ("holds no code, only what desk and effects say to each other", "rights/test_desk.py"),
    "spool/protocol.py": ("words of the spool, tested with the spool", "spool/test_sqlite.py"),
    "trace_fields.py": ("what a plan puts into every header", "test_plan.py"),
    "tenant.py": ("holds no code, only what is one organisation's own", "test_plan.py"),
}


def mirror(file: str) -> Path:
    path = TESTS / file
    return path.with_name(f"test_{path.name}")


@pytest.mark.parametrize("file", FILES)
def test_a_file_has_its_test(file: str) -> None:
    assert mirror(file).exists() or file in ELSEWHERE, f"write {mirror(file).relative_to(ROOT)}"


@pytest.mark.parametrize("file", ELSEWHERE)
def test_an_exception_is_still_one_and_names_where_it_is_tested(file: str) -> None:
    _reason, where = ELSEWHERE[file]
    assert (GATEWAY / file).exists()
    assert not mirror(file).exists(), "it has its own test now: take it off the list"
    assert (TESTS / where).exists()


def test_every_test_of_a_room_has_a_file_to_test() -> None:
    rooms = {p.name for p in GATEWAY.iterdir() if p.is_dir()}
    about = {
        "bad_config",
        "foreign_clients",
        "kill",
        "redis_cluster",
        "redis_sentinel",
        "counting",
        "sink",
        "spelling",
    }  # a behaviour of the room, or a test's own tool
    orphans = [
        str(p.relative_to(TESTS))
        for p in TESTS.rglob("test_*.py")
        if p.parent.name in rooms and p.parent.parent == TESTS
        and not (GATEWAY / p.parent.name / f"{p.stem.removeprefix('test_')}.py").exists()
        and p.stem.removeprefix("test_") not in about
    ]  # fmt: skip
    assert orphans == []
