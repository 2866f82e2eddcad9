"""`briefgeheim registry attest`: an existing list counts from the first day, and blocks stay."""

from __future__ import annotations

import hashlib
import json
import sqlite3

import pytest

from tests.cli.conftest import NAMED

SAID = ["--form", "old form", "--period", "2018-05-25..2023-12-31", "--wording", "v0", "--scope", "list:nieuwsbrief"]


@pytest.fixture
def old(tmp_path):
    file = tmp_path / "old.csv"
    file.write_text("Naam;E-mail\nA;anna@example.nl\nB;bert@example.nl\n")
    return file


def test_the_list_becomes_attested_consents_and_a_blocked_person_waits(made, old, shown):
    file = old.with_name("stop.csv")
    file.write_text("address,kind,scope,at\nbert@example.nl,opt-out,source:perfectview,2020-01-01\n")
    assert made("import", str(file)).exit_code == 0
    tried = made("attest", str(old), *SAID, *NAMED, "--dry-run")
    assert shown("anna@example.nl")["facts"] == {"known": False}
    done = made("attest", str(old), *SAID, *NAMED)
    counts = json.loads(done.stdout)
    assert (counts["stored"], counts["returns"], done.exit_code) == (2, 1, 0)
    assert {**json.loads(tried.stdout), "dry_run": False} == counts
    assert counts["sha256"] == hashlib.sha256(old.read_bytes()).hexdigest()
    anna, bert = shown("anna@example.nl"), shown("bert@example.nl")
    assert anna["facts"]["consents"] == ["list:nieuwsbrief since 2023-12-31T22:59:59Z, attested"]
    assert (anna["events"][0]["grade"], anna["events"][0]["actor"]) == ("attested", "operator:jan")
    assert "consents" not in bert["facts"]
    assert bert["returns"][0].startswith("event 3: list:nieuwsbrief")


def test_who_vouched_for_which_list_is_noted_also_when_nothing_is_new(made, old, config):
    for _ in range(2):
        assert made("attest", str(old), *SAID, *NAMED).exit_code == 0
    connection = sqlite3.connect(config.parents[1] / "state" / "registry" / "kleine-parel.sqlite")
    acts = connection.execute("SELECT operator, reason, what FROM acts").fetchall()
    connection.close()
    digest = hashlib.sha256(old.read_bytes()).hexdigest()
    what = f"attest sha256:{digest} form old form period 2018-05-25..2023-12-31 wording v0 list:nieuwsbrief"
    assert acts == [("jan", "asked by phone", what)] * 2


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("--period", "2018", "--period"),
        ("--scope", "list:x", "--scope"),
        ("--column", "Wie", "--column"),
        ("--form", "", "--form"),
    ],
)
def test_what_is_said_badly_is_refused_before_anything_is_stored(made, old, option, value, error, shown):
    result = made("attest", str(old), *SAID, *NAMED, option, value)
    assert (result.exit_code, error in result.stderr) == (2, True)
    assert shown("anna@example.nl")["facts"] == {"known": False}
