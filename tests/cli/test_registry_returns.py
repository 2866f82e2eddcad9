"""People who came back after saying no: never lost, and nothing until an operator decides (I-10)."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import NAMED


@pytest.fixture
def returned(made, tmp_path):
    """Opt-outs by import, then a tick at a checkout; gives the numbers of the pending returns by person."""

    def come_back(*addresses: str, kind: str = "opt-out", scope: str = "source:perfectview") -> list[int]:
        file = tmp_path / "back.csv"
        rows = "".join(
            f"{a},{kind},{scope},2024-01-01,,,,,\n{a},contact,,,,,,kleine-parel-crm,c{n}\n"
            f"{a},consent,list:nieuwsbrief,2025-01-01,checkout,v1,order {n},,\n"
            for n, a in enumerate(addresses)
        )
        file.write_text("address,kind,scope,at,channel,wording,proof,client,contact\n" + rows)
        assert made("import", str(file)).exit_code == 0
        return [json.loads(line)["event"] for line in made("returns", "--json").stdout.splitlines()]

    return come_back


def test_returns_are_listed_with_scope_time_and_contact(made, returned):
    (number,) = returned("anna@example.nl")
    line = made("returns").stdout
    assert f"event {number}  scope list:nieuwsbrief  since 2024-12-31T23:00:00Z  contacts kleine-parel-crm:c0" in line
    assert "example" not in line


def test_accepting_lifts_what_stands_in_the_way_and_records_the_consent(made, returned, shown):
    (number,) = returned("anna@example.nl")
    result = made("return", "accept", str(number), *NAMED)
    assert result.exit_code == 0, result.output
    found = shown("anna@example.nl")
    assert "blocks" not in found["facts"]
    assert found["facts"]["consents"][0].startswith("list:nieuwsbrief since")
    lifted, consent = found["events"][-2:]
    assert (lifted["kind"], consent["kind"], consent["wording"]) == ("lifted", "consent", "v1")
    assert (consent["actor"], consent["proof"]) == ("operator:jan", f"asked by phone (event {number})")
    assert made("returns").stdout == "none\n"


def test_declining_ends_it_and_leaves_the_block(made, returned, shown):
    (number,) = returned("anna@example.nl")
    assert made("return", "decline", str(number), *NAMED).exit_code == 0
    found = shown("anna@example.nl")["facts"]
    assert found["blocks"]
    assert "consents" not in found
    assert made("returns").stdout == "none\n"


def test_a_number_that_is_not_pending_is_refused(made, returned):
    returned("anna@example.nl")
    for word in ("accept", "decline"):
        result = made("return", word, "1", *NAMED)
        assert (result.exit_code, "not pending" in result.stderr) == (2, True)


@pytest.mark.parametrize("kind", ["bounce", "manual"])
def test_what_is_no_refusal_must_be_lifted_by_itself(made, returned, kind):
    (number,) = returned("anna@example.nl", kind=kind, scope="everything")
    result = made("return", "accept", str(number), *NAMED)
    assert (result.exit_code, kind in result.stderr) == (1, True)
    assert made("returns").stdout != "none\n"


def test_a_block_on_look_alikes_is_lifted_with_the_address(made, returned, shown):
    (number,) = returned("an.na@gmail.com")
    without = made("return", "accept", str(number), *NAMED)
    assert (without.exit_code, "--to" in without.stderr) == (1, True)
    other = made("return", "accept", str(number), "--to", "bert@gmail.com", *NAMED)
    assert (other.exit_code, "not the person" in other.stderr) == (2, True)
    assert made("return", "accept", str(number), "--to", "an.na@gmail.com", *NAMED).exit_code == 0
    found = shown("an.na@gmail.com")["facts"]
    assert "blocks" not in found
    assert found["consents"]


def test_two_returns_are_decided_apart(made, returned, shown):
    first, second = returned("anna@example.nl", "bert@example.nl")
    assert made("return", "accept", str(second), *NAMED).exit_code == 0
    assert shown("anna@example.nl")["facts"]["blocks"]
    assert [json.loads(line)["event"] for line in made("returns", "--json").stdout.splitlines()] == [first]
