"""`briefgeheim registry …` against the shipped settings, with keys and state of its own."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import NAMED


def test_nothing_works_before_init_and_init_works_once(run):
    assert run("status").exit_code == 1
    assert run("init").exit_code == 0
    assert run("status").exit_code == 0
    again = run("init")
    assert again.exit_code == 2
    assert "--adopt" in again.output


def test_an_unknown_organisation_is_named_with_those_that_exist(run):
    result = run("init", organisation="nobody")
    assert result.exit_code == 2
    assert "kleine-parel" in result.output


def test_adopting_needs_operator_and_reason(made, config):
    assert made("init", "--adopt").exit_code == 2
    (config.parents[1] / "state" / "registry" / "kleine-parel.sqlite").unlink()
    result = made("init", "--adopt", *NAMED)
    assert result.exit_code == 0
    assert "made a new registry" in result.output
    assert made("status").exit_code == 0


def test_a_consent_set_by_an_operator_is_shown_with_its_evidence(made, shown):
    result = made("set", "--to", "Anna@example.nl", "--kind", "consent", "--scope", "list:nieuwsbrief", *NAMED)
    assert result.exit_code == 0, result.output
    found = shown("anna@example.nl")
    assert found["facts"]["consents"][0].startswith("list:nieuwsbrief since ")
    event = found["events"][0]
    assert (event["actor"], event["proof"]) == ("operator:jan", "asked by phone")


def test_opt_out_and_lifting_it_are_both_shown(made, shown):
    made("set", "--to", "a@example.nl", "--kind", "opt-out", "--scope", "source:perfectview", *NAMED)
    assert shown("a@example.nl")["facts"]["blocks"][0].startswith("opt-out source:perfectview")
    made("set", "--to", "a@example.nl", "--kind", "lifted", "--scope", "source:perfectview", *NAMED)
    assert "blocks" not in shown("a@example.nl")["facts"]


def test_facts_are_set_with_details(made, shown):
    reference = ["--detail", "reference=2026"]
    assert made("set", "--to", "a@example.nl", "--kind", "enrolment", *reference, *NAMED).exit_code == 0
    sale = ["--detail", "category=1", "--detail", "declined=yes"]
    assert made("set", "--to", "a@example.nl", "--kind", "purchase", *sale, *NAMED).exit_code == 0
    found = shown("a@example.nl")["facts"]
    assert found["enrolments"] == ["2026"]
    assert "declined" in found["purchases"][0]


@pytest.mark.parametrize(
    "words",
    [
        ["--to", "no address", "--kind", "opt-out", "--scope", "marketing", *NAMED],
        ["--to", "a@example.nl", "--kind", "nonsense", *NAMED],
        ["--to", "a@example.nl", "--kind", "opt-out", *NAMED],
        ["--to", "a@example.nl", "--kind", "opt-out", "--scope", "list:other", *NAMED],
        ["--to", "a@example.nl", "--kind", "enrolment", "--detail", "oops", *NAMED],
        ["--to", "a@example.nl", "--kind", "opt-out", "--scope", "marketing", "--operator", " ", "--reason", "x"],
        ["--to", "a@example.nl", "--kind", "opt-out", "--scope", "marketing", "--operator", "j@b.nl", "--reason", "x"],
    ],
)
def test_wrong_use_exits_2_with_one_clear_line_and_without_the_address(made, words):
    result = made("set", *words)
    assert result.exit_code == 2, result.output
    assert "a@example.nl" not in result.output
    assert "Traceback" not in result.output


def test_an_import_adds_reports_and_can_be_tried_first(made, tmp_path, shown):
    file = tmp_path / "old.csv"
    file.write_text("address;kind;scope\na@example.nl;opt-out;marketing\nwrong;opt-out;marketing\n")
    tried = made("import", str(file), "--dry-run")
    assert (tried.exit_code, json.loads(tried.stdout)["stored"]) == (1, 1)
    assert shown("a@example.nl")["facts"] == {"known": False}
    done = made("import", str(file))
    assert done.exit_code == 1
    assert f"{file}:3: address" in done.stderr
    assert shown("a@example.nl")["facts"]["blocks"]


def test_a_file_that_is_no_csv_of_ours_exits_2(made, tmp_path):
    file = tmp_path / "other.csv"
    file.write_text("name,mail\n")
    result = made("import", str(file))
    assert result.exit_code == 2
    assert "line 1" in result.output


def test_looking_somebody_up_is_noted(made, config, shown):
    import sqlite3

    made("set", "--to", "a@example.nl", "--kind", "opt-out", "--scope", "marketing", *NAMED)
    shown("a@example.nl")
    connection = sqlite3.connect(config.parents[1] / "state" / "registry" / "kleine-parel.sqlite")
    assert connection.execute("SELECT what, operator, reason, person FROM acts").fetchall() == [
        ("show", "jan", "asked by phone", 1)
    ]
    connection.close()


def test_replay_says_how_many(made):
    made("set", "--to", "a@example.nl", "--kind", "opt-out", "--scope", "marketing", *NAMED)
    assert "1 blocks replayed" in made("replay").stdout


def test_organisations_do_not_see_each_other(made):
    assert made("init", organisation="rezulto").exit_code == 0
    made("set", "--to", "a@example.nl", "--kind", "opt-out", "--scope", "marketing", *NAMED)
    result = made("show", "--to", "a@example.nl", *NAMED, "--json", organisation="rezulto")
    assert json.loads(result.stdout)["facts"] == {"known": False}
