"""`briefgeheim processing-record`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.example import run, settings


def test_l25_it_prints_the_record_as_a_page_and_as_json(tmp_path: Path) -> None:
    config = str(settings(tmp_path))
    page = run("processing-record", "--organisation", "alpha", "--config", config)
    assert page.exit_code == 0, page.output
    assert page.stdout.startswith("# Record of processing: Alpha\n")
    found = json.loads(
        run("processing-record", "--organisation", "alpha", "--format", "json", "--config", config).stdout
    )
    assert found["controller"] == "Alpha"
    assert [a["stream"] for a in found["activities"]] == ["newsletter", "notification", "informational", "webshop"]


def test_an_organisation_that_is_not_there_is_said(tmp_path: Path) -> None:
    ran = run("processing-record", "--organisation", "gamma", "--config", str(settings(tmp_path)))
    assert (ran.exit_code, "alpha, beta" in ran.output) == (2, True)
