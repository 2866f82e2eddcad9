"""What several commands do first."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from gateway.cli import opening
from tests.cli.example import run, settings


def test_good_settings_are_loaded(tmp_path: Path) -> None:
    loaded = opening.settings(settings(tmp_path))
    assert [o.name for o in loaded.organisations] == ["alpha", "beta"]


def test_wrong_settings_end_with_2_and_name_every_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = settings(tmp_path)
    config.write_text(config.read_text("utf-8") + "wrokers: 2\nstat: x\n", "utf-8")
    with pytest.raises(typer.Exit) as ended:
        opening.settings(config)
    assert ended.value.exit_code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all("gateway.yaml:" in line for line in lines)


@pytest.mark.parametrize(
    "words",
    [
        ["serve"],
        ["check-config"],
        ["explain", __file__, "--client", "x"],
        ["trace", "--to", "a@b.example", "--operator", "x", "--reason", "x"],
        ["queue", "list"],
        ["registry", "status", "--organisation", "x"],
        ["keys", "init"],
    ],
    ids=lambda words: words[0],
)
def test_every_command_ends_with_2_when_there_are_no_settings(words: list[str], tmp_path: Path) -> None:
    result = run(*words, "--config", str(tmp_path / "gateway.yaml"))
    assert result.exit_code == 2
    assert "gateway.yaml" in result.stderr
    assert "Traceback" not in result.output
