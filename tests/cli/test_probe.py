"""`briefgeheim probe` without a page; with one it is tested end to end."""

from __future__ import annotations

from pathlib import Path

from gateway.app.probe_gate import Findings, place
from tests.cli.example import ready, run


def test_l31_each_step_is_printed_and_the_one_that_failed(tmp_path: Path) -> None:
    config = ready(tmp_path)
    file = config.parent / "organisations" / "beta.yaml"
    file.write_text(file.read_text().replace("http://127.0.0.1:8025", "http://127.0.0.1:1"))
    words = ("probe", "--organisation", "beta", "--config", str(config))
    first = run(*words)
    assert first.exit_code == 1
    assert "link: for a person who does not exist" in first.output
    assert "GET: FAILED: ConnectError" in first.output
    assert "held" not in first.output
    assert "mail with an opt-out link is held until a probe succeeds" in run(*words).output
    found = Findings.read(place(config.parent / "state", "beta"))
    assert (found.failures, found.step) == (2, "GET")
    assert "FAILS since 2 probes (GET: ConnectError" in run("status", "--config", str(config)).stdout


def test_an_organisation_that_is_not_there_is_said(tmp_path: Path) -> None:
    ran = run("probe", "--organisation", "gamma", "--config", str(ready(tmp_path)))
    assert (ran.exit_code, "alpha, beta" in ran.output) == (2, True)
