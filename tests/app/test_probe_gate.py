"""What a probe found, as other processes read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.app.probe_gate import Findings, Gate, place, switch_probe_off, switched_off
from gateway.config.probe import Probe

TWICE = Findings(at=5.0, failures=2, step="POST", why="answered 500")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return place(tmp_path, "school")


def test_findings_come_back_as_they_were_written(path: Path) -> None:
    TWICE.write(path)
    assert Findings.read(path) == TWICE
    assert [p.name for p in path.parent.iterdir()] == ["school.json"]


@pytest.mark.parametrize("text", ["", "[]", "nothing", '{"failures": "2"}', "{}"])
def test_a_file_that_cannot_be_read_says_nothing(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    assert Findings.read(path) == Findings()


def test_l31_mail_waits_after_as_many_failures_as_the_settings_say(tmp_path: Path, path: Path) -> None:
    assert Gate(tmp_path, "school", Probe())()
    TWICE.write(path)
    assert not Gate(tmp_path, "school", Probe())()
    assert Gate(tmp_path, "school", Probe(failures=3))()
    assert Gate(tmp_path, "school", Probe(run=False))(), "who does not probe holds nothing"
    assert Gate(tmp_path, "other", Probe())(), "of another organisation"


def test_a_machine_that_does_not_probe_holds_nothing(tmp_path: Path, path: Path) -> None:
    TWICE.write(path)
    assert not switched_off(tmp_path)
    switch_probe_off(tmp_path, "the name leads elsewhere")
    assert switched_off(tmp_path)
    assert Gate(tmp_path, "school", Probe())()


def test_the_file_is_read_once_a_second(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("gateway.app.probe_gate.time.monotonic", lambda: now[0])
    gate = Gate(tmp_path, "school", Probe())
    assert gate()
    TWICE.write(path)
    assert gate()
    now[0] += 1
    assert not gate()
