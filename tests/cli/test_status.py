"""`briefgeheim status`: what an officer looks at first."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.app.probe_gate import Findings, place
from tests.cli.example import NAMED, ready, run


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return ready(tmp_path)


def status(config: Path) -> dict[str, Any]:
    lines = run("status", "--json", "--config", str(config)).stdout.splitlines()
    return {found["organisation"]: found for found in map(json.loads, lines)}


def test_s38_the_stored_policy_date_shows_and_changing_it_shows(config: Path) -> None:
    before = status(config)["alpha"]
    assert before["policy_date"] == "2024-01-31"
    assert before["policy_days"] > 0
    file = config.parent / "organisations" / "alpha.yaml"
    file.write_text(file.read_text().replace("2024-01-31", "2024-02-10", 1))
    after = status(config)["alpha"]
    assert before["policy_days"] - after["policy_days"] == 10


def test_s38_a_policy_of_the_future_is_warned_of_here_and_by_check_config(config: Path) -> None:
    file = config.parent / "organisations" / "alpha.yaml"
    file.write_text(file.read_text().replace("2024-01-31", "2999-01-01", 1))
    assert "days in the future" in status(config)["alpha"]["warning"]
    checked = run("check-config", "--config", str(config))
    assert checked.exit_code == 0
    assert "WARNING: alpha: controller.policy_date 2999-01-01" in checked.output


def test_l26_open_breaches_are_counted_and_looking_makes_no_file(config: Path) -> None:
    assert status(config)["alpha"]["open_breaches"] == 0
    assert not (config.parent / "state" / "cases").exists()
    run("breach", "open", "--kind", "letter", *NAMED, "--organisation", "alpha", "--config", str(config))
    found = status(config)
    assert (found["alpha"]["open_breaches"], found["beta"]["open_breaches"]) == (1, 0)


def test_l31_the_last_probe_is_told(config: Path) -> None:
    assert status(config)["alpha"]["opt_out"] == "not probed yet"
    where = place(config.parent / "state", "alpha")
    Findings(at=time.time() - 7200, passed=time.time() - 7200).write(where)
    assert status(config)["alpha"]["opt_out"] == "works, probed 2.0 hours ago"
    (where.parent / "off").touch()
    assert status(config)["alpha"]["opt_out"] == "not probed"
    assert "opt out: not probed" in run("status", "--config", str(config)).stdout
