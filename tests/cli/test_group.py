"""The table of commands says what the commands say, and a command is imported only when it is asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli import app
from gateway.cli.group import COMMANDS

LOADED = "import sys; from gateway.cli import run; run(sys.argv[1:]); print(*sys.modules, sep='\\n')"


def imported(words: Sequence[str]) -> set[str]:
    """What a fresh process has imported after this command."""
    done = subprocess.run([sys.executable, "-c", LOADED, *words], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_text_of_a_command_is_the_first_sentence_of_its_help(name: str) -> None:
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    assert COMMANDS[name][1] == command.get_short_help_str(1000)


def test_help_names_every_command_with_its_whole_text() -> None:
    shown = " ".join(CliRunner().invoke(app, ["--help"]).output.split())
    assert "Privacy gateway for outgoing mail." in shown
    for name, (_, text) in COMMANDS.items():
        assert f"{name} {text}" in shown


def test_a_command_that_is_misspelt_is_answered_with_the_right_one() -> None:
    done = CliRunner().invoke(app, ["serv"])
    assert done.exit_code == 2
    assert "Did you mean 'serve'?" in done.output


@pytest.mark.parametrize("words", [["--help"], ["serve", "--help"]])
def test_help_and_serve_read_no_mail_and_start_no_page(words: list[str]) -> None:
    found = imported(words)
    assert "gateway.cli.group" in found
    assert not {"gateway.filters", "gateway.message", "gateway.registry.sqlite", "gateway.web", "fastapi"} & found
