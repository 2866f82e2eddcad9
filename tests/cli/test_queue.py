"""`briefgeheim queue`, with and without a gateway that owns the shard."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.audit.reading import AuditReader
from gateway.audit.sqlite import AuditWriter
from gateway.cli.queue import app
from gateway.spool.protocol import NewMessage, State
from gateway.spool.sqlite import SQLiteSpool
from tests.spool.mail import ADDRESS, KEY, KEYS, message, row

_ROOT = Path(__file__).parents[2]
WHO = ("--operator", "A. Operator", "--reason", "asked by phone")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    credentials = tmp_path / "state" / "credentials"
    credentials.mkdir(parents=True, mode=0o700)
    key = credentials / "spool.key"
    key.write_text(f"1 {base64.b64encode(KEY).decode()}\n")
    key.chmod(0o600)
    path = tmp_path / "gateway.yaml"
    path.write_text(
        f"name: gateway.example.org\nstate: {tmp_path / 'state'}\n"
        f"organisations: {_ROOT / 'config' / 'organisations'}\ntrackers: {_ROOT / 'config' / 'trackers.yaml'}\n"
        "listen:\n  - name: relay\n    port: 0\n    role: relay\n"
    )
    return path


def spool_of(config: Path, shard: int = 0) -> SQLiteSpool:
    return SQLiteSpool(config.parent / "state" / "spool", shard, KEYS, AuditWriter())


def store(config: Path, *messages: NewMessage, shard: int = 0) -> None:
    async def run() -> None:
        spool = spool_of(config, shard)
        await spool.put(messages, [])
        await spool.close()

    asyncio.run(run())


def queue(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--config", str(config)])


def states(config: Path) -> list[str]:
    return [json.loads(line)["state"] for line in queue(config, "list", "--json").stdout.splitlines()]


def audit(config: Path, name: str = "m1") -> Sequence[str]:
    path = config.parent / "state" / "spool" / "shard-0.sqlite"
    return [entry.what for entry in AuditReader([path]).by_message(name)]


def test_list_shows_what_waits_in_all_shards_and_no_address(config: Path) -> None:
    store(config, message("m2", received=time.time() - 7200), shard=1)
    store(config, message("m1", [row(1), row(2, State.HELD, until=time.time())], received=time.time() - 90000))
    ran = queue(config, "list")
    assert ran.exit_code == 0, ran.output
    lines = ran.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["m1", "m1", "m2"]
    assert "kleine-parel/newsletter" in lines[0]
    assert "age 1.0d" in lines[0]
    assert "age 2.0h" in lines[2]
    assert "person 010101010101" in lines[0]
    assert ADDRESS not in ran.output
    assert "01" * 7 not in ran.output, "pseudonyms are shortened"
    assert queue(config, "list", "--state", "held").stdout.count("\n") == 1
    assert queue(config, "list", "--organisation", "rezulto").stdout == ""


def test_an_empty_queue_is_no_error(config: Path) -> None:
    assert (queue(config, "list").exit_code, queue(config, "list").stdout) == (0, "")


def test_without_a_gateway_the_command_acts_itself(config: Path) -> None:
    store(config, message("m1", [row(1), row(2)]))
    held = queue(config, "hold", "m1", *WHO, "--days", "2")
    assert held.exit_code == 0, held.output
    assert "operator: asked by phone" in held.stdout
    assert states(config) == ["held", "held"]
    number = json.loads(queue(config, "show", "m1", "--json").stdout.splitlines()[0])["row"]
    assert queue(config, "release", "m1", *WHO, "--row", str(number)).exit_code == 0
    assert states(config) == ["queued", "held"]
    assert queue(config, "retry", "m1", *WHO).exit_code == 0
    dropped = queue(config, "drop", "m1", *WHO)
    assert "m1 is done" in dropped.stdout
    assert states(config) == []
    assert audit(config) == ["held", "held", "released", "retried", "dropped", "dropped"]


async def test_a_running_gateway_carries_orders_out(config: Path) -> None:
    spool = spool_of(config)
    await spool.put([message("m1")], [])
    running = asyncio.ensure_future(asyncio.to_thread(queue, config, "hold", "m1", *WHO))
    while not running.done():
        for order in await spool.take_orders():
            assert await spool.carry_out(order, time.time()) == 1
        await asyncio.sleep(0.01)
    ran = await running
    assert ran.exit_code == 0, ran.output
    assert "held" in ran.stdout
    assert [e.state for e in await spool.entries()] == [State.HELD]
    await spool.close()


def test_nobody_acts_without_a_name_and_a_reason(config: Path) -> None:
    store(config, message("m1"))
    for command in ("hold", "release", "retry", "drop"):
        assert queue(config, command, "m1").exit_code == 2
        assert queue(config, command, "m1", "--operator", "A. Operator").exit_code == 2
        assert queue(config, command, "m1", "--operator", "A. Operator", "--reason", " ").exit_code == 2
    assert queue(config, "drop", "m1", "--operator", "A", "--reason", "ask jan@example.org").exit_code == 2
    assert queue(config, "show", "m1", "--reveal").exit_code == 2
    assert states(config) == ["queued"]
    assert audit(config) == []


def test_show_reveals_addresses_only_after_the_reading_is_audited(config: Path) -> None:
    store(config, message("m1", [row(1), row(2)]))
    plain = queue(config, "show", "m1")
    assert plain.exit_code == 0
    assert ADDRESS not in plain.output
    assert audit(config) == []
    shown = queue(config, "show", "m1", "--reveal", *WHO)
    assert shown.exit_code == 0, shown.output
    assert f"1.{ADDRESS}" in shown.stdout
    assert f"2.{ADDRESS}" in shown.stdout
    assert audit(config) == ["read", "read"]


async def test_what_cannot_be_audited_is_not_shown(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.cli.queue._PATIENCE", 0.1)
    spool = spool_of(config)
    await spool.put([message("m1")], [])
    ran = await asyncio.to_thread(queue, config, "show", "m1", "--reveal", *WHO)  # the owner does not look at orders
    assert ran.exit_code == 1
    assert ADDRESS not in ran.output
    assert await spool.take_orders() == [], "the order is withdrawn"
    late = await asyncio.to_thread(queue, config, "hold", "m1", *WHO)
    assert "not carried it out yet" in late.stdout
    assert len(await spool.take_orders()) == 1, "an order to act stays written down"
    await spool.close()


def test_reveal_needs_the_key(config: Path) -> None:
    store(config, message("m1"))
    (config.parent / "state" / "credentials" / "spool.key").unlink()
    ran = queue(config, "show", "m1", "--reveal", *WHO)
    assert ran.exit_code == 2
    assert "spool.key" in ran.output
    assert audit(config) == []


def test_what_is_not_there_is_said_in_one_line(config: Path) -> None:
    assert "not in the queue" in queue(config, "show", "m1").output
    store(config, message("m1"))
    assert "no row 99" in queue(config, "drop", "m1", *WHO, "--row", "99").output
    assert queue(config, "show", "nobody").exit_code == 1


def test_a_damaged_database_is_said_in_one_line(config: Path) -> None:
    store(config, message("m1"))
    (config.parent / "state" / "spool" / "shard-0.sqlite").write_bytes(b"nothing" * 5000)
    ran = queue(config, "list")
    assert ran.exit_code == 1
    assert "SQLITE_NOTADB" in ran.output
    assert ran.output.count("\n") == 1


def test_the_reader_cannot_change_the_spool(config: Path) -> None:
    from gateway.spool import schema

    store(config, message("m1"))
    connection = schema.reading(config.parent / "state" / "spool" / "shard-0.sqlite")
    with pytest.raises(sqlite3.OperationalError):
        connection.execute("DELETE FROM rows")
    connection.close()
