"""`briefgeheim trace` against a real audit."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import Result

from gateway.address import Address
from gateway.audit.protocol import AuditRow
from gateway.audit.sqlite import AuditWriter
from gateway.config.credentials import Credentials
from gateway.config.load import load
from gateway.registry.places import places
from gateway.spool.sqlite import SQLiteSpool
from tests.cli.example import NAMED, ready, run

ANNA, BERT = "anna@people.example", "bert@people.example"


def audit(config: Path, *rows: AuditRow) -> None:
    async def write() -> None:
        spool = SQLiteSpool(load(config).gateway.state / "spool", 0, {1: b"k" * 32}, AuditWriter())
        await spool.put((), rows)
        await spool.close()

    asyncio.run(write())


def pseudonym(config: Path, organisation: str, address: str) -> bytes:
    loaded = load(config)
    owner = next(o for o in loaded.organisations if o.name == organisation)
    return Credentials.of(loaded.gateway).pseudonyms(owner).person(Address.parse(address)).exact


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = ready(tmp_path_factory.mktemp("trace"))
    anna, bert = pseudonym(path, "alpha", ANNA), pseudonym(path, "alpha", BERT)
    decided = {
        "stream": "newsletter", "rule": "opt-out", "fact": "opt-out of list 1", "variant": "nl/untracked",
        "tried": [["erasure", False, "not erased"], ["opt-out", True, "opt-out of list 1"]],
    }  # fmt: skip
    edited = {"edits": {"nl/untracked": [["receipts", "read-receipt", "", 10, 60], ["trackers", "pixel", "1", 5, 9]]}}
    audit(
        path,
        AuditRow(1_760_000_000, "alpha", "m1", "blocked", anna, decided),
        AuditRow(1_760_000_001, "alpha", "m1", "edited", b"", edited),
        AuditRow(1_760_000_002, "alpha", "m2", "delivered", bert, {"provider": "bulk", "status": "2.0.0"}),
        AuditRow(1_760_000_003, "beta", "m3", "delivered", pseudonym(path, "beta", ANNA), {"provider": "relay"}),
    )
    return path


def trace(config: Path, *words: str) -> Result:
    return run("trace", "--config", str(config), *NAMED, *words)


def test_i11_it_tells_rule_fact_what_was_tried_and_edited(config: Path) -> None:
    lines = trace(config, "--to", ANNA, "--organisation", "alpha").stdout.splitlines()
    assert lines == [
        "alpha  message m1",
        "  2025-10-09 08:53:20 UTC  BLOCKED    stream newsletter, rule opt-out, fact opt-out of list 1, "
        "variant nl/untracked",
        "         erasure: not erased",
        "      -> opt-out: opt-out of list 1",
        "  edits: 1 receipts/read-receipt, 1 trackers/pixel",
    ]


def test_one_person_is_not_another_and_spelling_does_not_matter(config: Path) -> None:
    found = trace(config, "--to", "Bert@PEOPLE.example").stdout
    assert "message m2" in found
    assert "m1" not in found
    assert "m3" not in found


def test_i12_each_organisation_knows_the_person_by_its_own_pseudonym(config: Path) -> None:
    found = [json.loads(line) for line in trace(config, "--to", ANNA, "--json").stdout.splitlines()]
    assert [(row["organisation"], row["message"]) for row in found] == [
        ("alpha", "m1"), ("alpha", "m1"), ("beta", "m3")
    ]  # fmt: skip
    assert found[0]["rule"] == "opt-out"


def test_nobody_known_is_said_in_words(config: Path) -> None:
    result = trace(config, "--to", "nobody@people.example")
    assert result.exit_code == 0
    assert result.stdout.startswith("Nothing in the audit about this address")


def test_the_look_itself_is_recorded_with_who_and_why(config: Path) -> None:
    def looks() -> int:
        with closing(sqlite3.connect(places(load(config).gateway.state, "alpha").registry)) as database:
            rows = database.execute("SELECT * FROM acts").fetchall()
        return sum("A. Operator" in str(row) and "asked by phone" in str(row) for row in rows)

    before = looks()
    trace(config, "--to", ANNA, "--organisation", "alpha")
    assert looks() == before + 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--to", "not an address"], "--to:"),
        (["--to", ANNA, "--organisation", "gamma"], "expected one of alpha, beta"),
        (["--to", ANNA, "--reason", " "], "they are recorded with the look"),
        (["--to", ANNA, "--operator", ""], "they are recorded with the look"),
    ],
)
def test_what_is_wrong_is_one_line_and_code_2(config: Path, words: list[str], says: str) -> None:
    result = trace(config, *words)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_i7_a_mistyped_address_is_not_repeated(config: Path) -> None:
    assert "anna" not in trace(config, "--to", "anna@@people.example").output
