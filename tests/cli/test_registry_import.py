"""`briefgeheim registry import`: a mapping, a dry run, wrong rows told and written."""

from __future__ import annotations

import csv
import json
import stat

import pytest

CRM = '''\
sep=;
Naam;E-mail;Nieuwsbrief;Sinds;Afgemeld;Order
"Anna ""A""";anna@example.nl;ja;03-05-2024;;O-1
Bert;bert@example.nl;ja;03-05-2024;04-06-2024;
Dirk;nonsense;ja;03-05-2024;;
Eva;eva@example.nl;ja;31-02-2024;01-01-2024;
'''
MAPPING = """\
dates: ["%d-%m-%Y"]
address: e-mail
events:
  - when: {column: Nieuwsbrief, equals: ja}
    kind: consent
    scope: list:nieuwsbrief
    at: {column: Sinds}
    channel: form
    wording: v1
    proof: crm
  - when: {column: Afgemeld}
    kind: opt-out
    scope: source:perfectview
    at: {column: Afgemeld}
  - when: {column: Order}
    kind: contract
    reference: {column: Order}
"""


@pytest.fixture
def crm(tmp_path):
    (tmp_path / "map.yaml").write_text(MAPPING)
    (tmp_path / "crm.csv").write_text(CRM)
    return [str(tmp_path / "crm.csv"), "--mapping", str(tmp_path / "map.yaml")]


def test_a_dry_run_then_the_import_then_again(made, crm, shown):
    tried = made("import", *crm, "--dry-run")
    assert shown("anna@example.nl")["facts"] == {"known": False}
    done = made("import", *crm)
    counts = json.loads(done.stdout)
    assert counts == {**json.loads(tried.stdout), "dry_run": False}
    assert (counts["stored"], counts["wrong"], done.exit_code) == (5, 2, 1)
    assert counts["kinds"] == {"consent": 2, "fact-contract": 1, "opt-out": 2}
    assert shown("anna@example.nl")["facts"]["contracts"] == ["O-1"]
    assert shown("bert@example.nl")["facts"]["blocks"]
    again = json.loads(made("import", *crm).stdout)
    assert (again["stored"], again["known"]) == (0, 5)


def test_wrong_rows_are_shown_by_file_line_and_column_and_written(made, crm, tmp_path):
    result = made("import", *crm, "--errors", str(tmp_path / "wrong.csv"))
    assert f"{crm[0]}:5: E-mail: not one usable mail address" in result.stderr
    assert f"{crm[0]}:6: Sinds: expected a date as %d-%m-%Y" in result.stderr
    rows = list(csv.reader((tmp_path / "wrong.csv").read_text().splitlines()))
    assert [row[:2] for row in rows] == [["line", "column"], ["5", "E-mail"], ["6", "Sinds"]]
    assert stat.S_IMODE((tmp_path / "wrong.csv").stat().st_mode) == 0o600
    assert "nonsense" not in (tmp_path / "wrong.csv").read_text() + result.output


def test_twenty_wrong_rows_are_shown_and_all_are_counted_and_written(made, tmp_path):
    file = tmp_path / "bad.csv"
    file.write_text("address,kind,scope\n" + "x,opt-out,marketing\n" * 50)
    result = made("import", str(file), "--errors", str(tmp_path / "all.csv"))
    assert result.stderr.count("not one usable") == 20
    assert "50 in all" in result.stderr
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 51


def test_a_wrong_mapping_is_exit_2_with_every_mistake_at_its_line(made, crm, tmp_path):
    wrong = MAPPING.replace("scope: list:nieuwsbrief", "scope: list:x").replace("kind: contract", "kind: contrct")
    (tmp_path / "map.yaml").write_text(wrong)
    result = made("import", *crm)
    assert result.exit_code == 2
    assert f"{crm[2]}:6: events.0.scope: no such list" in result.stderr
    assert f"{crm[2]}:16: events.2.kind: expected one of consent" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--encoding", "ebcdic"], "--encoding: expected one of utf-8"),
        (["--delimiter", ";"], "--delimiter: expected one of comma"),
    ],
)
def test_an_unknown_way_of_writing_is_named(made, tmp_path, words, error):
    file = tmp_path / "a.csv"
    file.write_text("address,kind\n")
    result = made("import", str(file), *words)
    assert (result.exit_code, error in result.stderr) == (2, True)


def test_encoding_and_delimiter_can_be_named_without_a_mapping(made, tmp_path, shown):
    file = tmp_path / "a.csv"
    file.write_bytes("address|kind|scope|proof\na@example.nl|opt-out|marketing|privé\n".encode("cp1252"))
    assert made("import", str(file), "--encoding", "windows-1252", "--delimiter", "bar").exit_code == 0
    assert shown("a@example.nl")["events"][0]["proof"] == "privé"
