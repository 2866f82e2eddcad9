"""`briefgeheim conformance`: the rows of a policy, with or without a running gateway."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.cli import run
from gateway.cli.conformance import counted
from gateway.config.promises import Promise
from gateway.observe.reading import Samples

EXAMPLES = Path(__file__).parents[2] / "config"


def command(*arguments: str) -> int:
    return run(["conformance", "--config", str(EXAMPLES / "gateway.yaml"), *arguments])


def test_every_row_is_printed_with_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--organisation", "rezulto") == 0
    shown = capsys.readouterr().out
    assert all(f"S-{number}" in shown for number in range(41, 70))
    assert command("--organisation", "kleine-parel") == 0
    assert "later: Sign-up forms" in " ".join(capsys.readouterr().out.split())


def test_the_stored_date_of_the_policy_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    command("--organisation", "kleine-parel")
    assert "Policy of 2018-05-25" in capsys.readouterr().out


def test_s38_rows_of_another_date_are_said_to_be_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = (
        (EXAMPLES / "promises" / "rezulto.yaml")
        .read_text("utf-8")
        .replace("2022-01-19\npromises", "2021-01-01\npromises")
    )
    (tmp_path / "rows.yaml").write_text(rows, "utf-8")
    command("--organisation", "rezulto", "--promises", str(tmp_path / "rows.yaml"))
    assert "read from the policy of 2021-01-01" in capsys.readouterr().out


def test_json_has_the_same_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--organisation", "kleine-parel", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert [p["id"] for p in shown["promises"]] == [f"S-{n:02}" for n in range(1, 41)]


def test_an_unknown_organisation_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--organisation", "nobody") == 2
    assert "expected one of kleine-parel, rezulto" in capsys.readouterr().err


def test_rows_of_another_organisation_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--organisation", "rezulto", "--promises", str(EXAMPLES / "promises" / "kleine-parel.yaml")) == 2
    assert "kleine-parel, expected rezulto" in capsys.readouterr().err


def test_counts_are_of_this_organisation() -> None:
    samples = Samples((("mails_total", {"organisation": "a"}, 3.0), ("mails_total", {"organisation": "b"}, 4.0)))
    promise = Promise(id="S-01", section="", promise="", rule="", where=(), status="enforced", counts={"mails": {}})
    assert counted(promise, "a", samples) == {"mails": 3.0}
    assert counted(promise, "a", None) is None
