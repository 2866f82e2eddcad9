"""`briefgeheim rights export`: who looked and what an authority got is on record before anything is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import Result

from tests.cli.example import NAMED, ready, run

WHO = "anna@people.example"
GROUND = ("--profile", "legal", "--authority", "Politie Den Haag", "--ground", "art. 126nd Sv")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ready(tmp_path_factory.mktemp("export"))


def export(config: Path, out: Path, *words: str, to: str = WHO, named: tuple[str, ...] = NAMED) -> Result:
    return run("rights", "export", "--to", to, "--out", str(out), "--organisation", "alpha", *named, *words,
               "--config", str(config))  # fmt: skip


def history(config: Path) -> list[dict[str, object]]:
    shown = run("registry", "show", "--to", WHO, *NAMED, "--organisation", "alpha", "--json", "--config", str(config))
    found: list[dict[str, object]] = json.loads(shown.stdout)["events"]
    return found


def test_an_access_export_is_written_and_the_look_is_in_the_next_one(config: Path, tmp_path: Path) -> None:
    asked = ("--reason", "request 12", "--operator", "A. Operator")
    run("registry", "set", "--to", WHO, "--kind", "opt-out", "--scope", "marketing", *NAMED, "--organisation", "alpha",
        "--config", str(config))  # fmt: skip
    made = export(config, tmp_path / "a", named=asked)
    assert (made.exit_code, made.stderr) == (0, "")
    first = json.loads((tmp_path / "a" / "data.json").read_text("utf-8"))
    assert [look["reason"] for look in first["looks"]][-1] == "request 12"
    assert first["blocks"][0]["scope"] == "marketing"
    assert (tmp_path / "a" / "read-me.html").exists()
    assert WHO not in made.stdout


@pytest.mark.parametrize("left_out", ["--authority", "--ground"])
def test_s39_without_authority_or_ground_an_authority_gets_nothing(config: Path, tmp_path: Path, left_out: str) -> None:
    words = list(GROUND)
    del words[words.index(left_out) : words.index(left_out) + 2]
    before = history(config)
    refused = export(config, tmp_path / "out", *words)
    assert refused.exit_code == 2
    assert left_out in refused.stderr
    assert not (tmp_path / "out").exists()
    assert history(config) == before


def test_s39_with_a_ground_it_is_in_the_share_ledger_before_it_is_given(config: Path, tmp_path: Path) -> None:
    given = export(config, tmp_path / "out", *GROUND)
    assert given.exit_code == 0, given.output
    ledger = [e for e in history(config) if e["kind"] == "fact-shared"]
    assert ledger[-1] | {"third_party": "Politie Den Haag", "purpose": "legal", "ground": "art. 126nd Sv"} == ledger[-1]
    (row,) = json.loads((tmp_path / "out" / "data.json").read_text("utf-8"))["shares"]
    assert (row["recipient"], row["ground"]) == ("Politie Den Haag", "art. 126nd Sv")


def test_a_ground_belongs_to_a_legal_export_only(config: Path, tmp_path: Path) -> None:
    assert export(config, tmp_path / "out", "--authority", "Politie").exit_code == 2


@pytest.mark.parametrize("named", [("--operator", " ", "--reason", "x"), ("--operator", "els", "--reason", "")])
def test_nobody_exports_without_a_name_and_a_reason(config: Path, tmp_path: Path, named: tuple[str, ...]) -> None:
    assert export(config, tmp_path / "out", named=named).exit_code == 2


@pytest.mark.parametrize("option", ["--operator", "--reason", "--authority", "--ground"])
def test_no_address_goes_into_what_is_recorded(config: Path, tmp_path: Path, option: str) -> None:
    refused = export(config, tmp_path / "out", *GROUND, option, "jan@people.example")
    assert refused.exit_code == 2
    assert "no mail address" in refused.stderr


def test_a_folder_with_something_in_it_is_left_alone_and_nothing_is_recorded(config: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine", "utf-8")
    before = history(config)
    refused = export(config, tmp_path, *GROUND)
    assert (refused.exit_code, [p.name for p in tmp_path.iterdir()]) == (2, ["kept"])
    assert history(config) == before


def test_a_wrong_address_and_a_stranger(config: Path, tmp_path: Path) -> None:
    assert export(config, tmp_path / "x", to="no address").exit_code == 2
    made = export(config, tmp_path / "y", to="niemand@people.example", named=NAMED)
    assert made.exit_code == 0
    assert "nothing is known" in made.stdout
