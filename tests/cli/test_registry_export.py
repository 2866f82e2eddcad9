"""`briefgeheim registry export`: everything by pseudonym, and who took it."""

from __future__ import annotations

import csv
import json

import pytest

from tests.cli.conftest import NAMED


@pytest.fixture
def filled(made):
    made("set", "--to", "anna@example.nl", "--kind", "consent", "--scope", "list:nieuwsbrief", *NAMED)
    made("set", "--to", "bert@example.nl", "--kind", "opt-out", "--scope", "marketing", *NAMED)
    return made


@pytest.mark.parametrize(
    ("what", "types"), [("states", {"state"}), ("events", {"event"}), ("both", {"state", "event"})]
)
def test_json_lines_hold_what_was_asked_for(filled, tmp_path, what, types):
    out = tmp_path / "out.jsonl"
    result = filled("export", "--out", str(out), "--what", what, *NAMED)
    assert result.exit_code == 0, result.output
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert {r["type"] for r in records} == types
    assert len(records) == 2 * len(types)
    assert "example" not in out.read_text()


def test_csv_has_one_line_per_person(filled, tmp_path):
    out = tmp_path / "out.csv"
    assert filled("export", "--out", str(out), "--format", "csv", *NAMED).exit_code == 0
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert sorted(bool(row["blocks"]) for row in rows) == [False, True]
    (anna,) = [row for row in rows if row["consents"]]
    assert json.loads(anna["consents"])[0]["scope"] == "list:nieuwsbrief"


def test_both_do_not_fit_into_one_csv_file(filled, tmp_path):
    result = filled("export", "--out", str(tmp_path / "o"), "--what", "both", "--format", "csv", *NAMED)
    assert (result.exit_code, "--what both" in result.stderr) == (2, True)


def test_a_path_that_cannot_be_written_is_named(filled, tmp_path):
    result = filled("export", "--out", str(tmp_path / "no" / "o"), *NAMED)
    assert (result.exit_code, "--out: cannot write" in result.stderr) == (2, True)
