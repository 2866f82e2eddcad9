"""`briefgeheim receipt`: from the number on the page to the event, never to the address."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import pytest
from typer.testing import Result

from gateway.address import Address
from gateway.config.credentials import Credentials
from gateway.config.load import load
from gateway.facts import Scope, ScopeKind
from gateway.registry.journal import Journal
from gateway.registry.places import places
from gateway.token import OptOut
from tests.audit.shards import Shard, row
from tests.cli.example import NAMED, ready, run

ANNA = Address.parse("anna@people.example")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return ready(tmp_path)


def opted_out(config: Path, at: int, number: int = 1) -> str:
    """As the page stores it; gives the last receipt."""
    loaded = load(config)
    organisation = loaded.organisation("alpha")
    exact = Credentials.of(loaded.gateway).pseudonyms(organisation).person(ANNA).exact
    journal = Journal.ensure(places(loaded.gateway.state, "alpha").web, organisation=organisation.id)
    mails = [OptOut(organisation.id, exact, 0, Scope(ScopeKind.LIST, 1), 20_000, 7 + i) for i in range(number)]
    receipts = journal.append_opt_outs(mails, at)
    journal.close()
    rows = [row(at - 5, "m1", exact, organisation="alpha"), row(at + 5, "m2", exact, "refused", organisation="alpha")]
    shard = Shard(config.parent / "state" / "spool")
    shard.write(*rows)
    shard.close()
    return receipts[-1]


def receipt(config: Path, number: str, *words: str) -> Result:
    return run("receipt", number, "--organisation", "alpha", *(words or NAMED), "--config", str(config))


def test_l42_a_receipt_finds_the_event_what_was_done_since_and_no_address(config: Path) -> None:
    at = int(time.time()) - 1000
    number = opted_out(config, at, 3)
    ran = receipt(config, number)
    assert ran.exit_code == 0, ran.output
    assert "opt-out of list:news" in ran.stdout
    assert "since then: 1 refused" in ran.stdout
    assert "anna" not in ran.output
    found = json.loads(receipt(config, number, *NAMED, "--json").stdout)
    assert (found["stops"], found["in_registry"], found["since"]) == ("list:news", True, {"refused": 1})


def test_s40_the_look_is_recorded(config: Path) -> None:
    receipt(config, opted_out(config, int(time.time())))
    connection = sqlite3.connect(config.parent / "state" / "registry" / "alpha.sqlite")
    assert [w for (w,) in connection.execute("SELECT what FROM acts") if w.startswith("receipt 1-")] != []
    connection.close()


def test_what_is_no_receipt_is_said(config: Path) -> None:
    assert "never stored an opt-out" in receipt(config, "1-a1b2c3").output
    number = opted_out(config, int(time.time()))
    assert "expected a receipt number" in receipt(config, "twelve").output
    assert "not a receipt of alpha" in receipt(config, "1-000000").output
    assert f"the last is {number}" in receipt(config, f"2-{number.partition('-')[2]}").output
    assert receipt(config, number, "--operator", "A", "--reason", " ").exit_code == 2
