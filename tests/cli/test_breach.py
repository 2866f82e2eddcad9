"""`briefgeheim breach` on a register on a disk."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from gateway.rights.breach import iso
from tests.audit.shards import ANNA, BERT, Shard, row
from tests.cli.example import NAMED, ready, run

HOUR = 3600.0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return ready(tmp_path)


def breach(config: Path, *words: str) -> Result:
    return run("breach", *words, "--organisation", "alpha", "--config", str(config))


def shown(config: Path, number: int = 1) -> dict[str, Any]:
    return dict(json.loads(breach(config, "show", str(number), "--json").stdout))


def opened(config: Path, *words: str) -> Result:
    return breach(config, "open", "--kind", "lost laptop", *NAMED, *words)


def test_l26_a_breach_is_opened_with_its_72_hours(config: Path) -> None:
    ran = opened(config, "--discovered", iso(time.time() - 10 * HOUR), "--people", "3", "--category", "name")
    assert ran.exit_code == 0, ran.output
    found = shown(config)
    assert 61.9 < found["hours_left"] <= 62.0
    assert (found["people"], found["categories"], found["found_by"]) == (3, ["name"], "A. Operator")
    assert "62.0 hours left" in breach(config, "list").stdout or "61.9" in breach(config, "list").stdout
    assert "breach 1" in breach(config, "show", "1").stdout


def test_l26_a_late_one_is_said_to_be_late(config: Path) -> None:
    opened(config, "--discovered", iso(time.time() - 80 * HOUR))
    assert "LATE by 8.0 hours" in breach(config, "list").stdout


def test_gdpr33_5_from_open_to_closed_with_everything_on_record(config: Path) -> None:
    opened(config)
    early = breach(config, "close", "1", *NAMED)
    assert (early.exit_code, "the register must say first" in early.output) == (1, True)
    assert (
        breach(config, "note", "1", *NAMED, "--consequences", "spam", "--measures", "wiped", "--people", "2").exit_code
        == 0
    )
    told = breach(config, "notify", "1", "--authority", "--at", iso(time.time()), "--operator", "jan")
    assert told.exit_code == 0, told.output
    assert breach(config, "notify", "1", "--people", "--reason", "low risk", "--operator", "jan").exit_code == 0
    closed = breach(config, "close", "1", *NAMED)
    assert closed.exit_code == 0, closed.output
    assert breach(config, "list").stdout == ""
    assert "closed" in breach(config, "list", "--all").stdout
    assert [n["who"] for n in shown(config)["notes"]] == ["A. Operator", "jan", "jan", "A. Operator"]
    again = breach(config, "note", "1", *NAMED)
    assert (again.exit_code, "it is closed" in again.output) == (1, True)


def test_l26_the_exact_list_comes_from_the_audit_and_the_look_is_recorded(config: Path) -> None:
    shard = Shard(config.parent / "state" / "spool")
    rows = [row(1, "m7", p, "shown", organisation="alpha") for p in (ANNA, BERT)]
    shard.write(*rows, row(2, "m7", ANNA, organisation="alpha"), row(2, "m7", BERT, organisation="beta"))
    shard.close()
    opened(config, "--message", "m7")
    assert breach(config, "people", "1").exit_code == 2, "nobody looks without a name and a reason"
    ran = breach(config, "people", "1", *NAMED, "--json")
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [(f["person"], f["was"]) for f in found] == [
        (ANNA.hex(), "shown"), (BERT.hex(), "shown"), (ANNA.hex(), "got it"),
    ]  # fmt: skip
    import sqlite3

    with sqlite3.connect(config.parent / "state" / "registry" / "alpha.sqlite") as registry:
        acts = registry.execute("SELECT operator, what FROM acts").fetchall()
    registry.close()
    assert ("A. Operator", "breach people 1") in acts


def test_nothing_is_done_without_a_name_or_with_an_address(config: Path) -> None:
    assert breach(config, "open", "--kind", "x", "--operator", " ", "--reason", "y").exit_code == 2
    assert opened(config, "--consequences", "mail to jan@people.example").exit_code == 2
    assert opened(config, "--category", "jan@people.example").exit_code == 2
    opened(config)
    assert breach(config, "note", "1", *NAMED, "--measures", "told jan@people.example").exit_code == 2
    assert shown(config)["notes"] == []


def test_what_cannot_be_is_said(config: Path) -> None:
    assert "in the future" in opened(config, "--discovered", iso(time.time() + HOUR)).output
    assert "ISO 8601" in opened(config, "--discovered", "yesterday").output
    assert "special, normal or unknown" in opened(config, "--sensitivity", "very").output
    missing = breach(config, "show", "9")
    assert (missing.exit_code, missing.output) == (1, "no breach 9 in the register of alpha\n")
    opened(config)
    assert "either --authority or --people" in breach(config, "notify", "1", "--operator", "jan").output
    assert "gamma" not in run("breach", "list", "--organisation", "gamma", "--config", str(config)).stdout


def test_i12_each_organisation_has_its_own_register(config: Path) -> None:
    opened(config)
    assert run("breach", "list", "--organisation", "beta", "--config", str(config)).stdout == ""


def test_the_register_is_sealed(config: Path) -> None:
    opened(config, "--measures", "zonderling")
    stored = b"".join(p.read_bytes() for p in (config.parent / "state" / "cases").iterdir())
    assert b"zonderling" not in stored
