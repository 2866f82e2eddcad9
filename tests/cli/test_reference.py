"""The page about commands."""

from __future__ import annotations

import pytest

from gateway.cli import reference

COMMANDS = dict(reference.commands())


def test_the_outward_names_are_all_there() -> None:
    top = {name.split()[1] for name in COMMANDS}
    assert top == {
        "serve", "demo", "check-config", "explain", "trace", "status", "conformance", "trackers",
        "registry", "rights", "receipt", "queue", "keys", "backup", "restore",
        "audit", "purge", "breach", "processing-record", "probe",
    }  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_a_help_text(name: str) -> None:
    command = COMMANDS[name]
    assert len((command.help or "").split()) > 2
    assert [item.name for item in command.params if not item.help] == []


@pytest.mark.parametrize("name", [n for n, c in COMMANDS.items() if not hasattr(c, "commands")])
def test_every_command_takes_the_settings_file(name: str) -> None:
    assert "--config" in {option for item in COMMANDS[name].params for option in item.opts}


def test_all_commands_look_for_the_settings_in_the_same_place() -> None:
    found = {
        name: item.default for name, command in COMMANDS.items() for item in command.params if "--config" in item.opts
    }
    found.pop("briefgeheim demo")  # the examples, always
    assert {str(path) for path in found.values()} == {"/etc/briefgeheim/gateway.yaml"}


def test_types_and_defaults_are_in_words() -> None:
    text = reference.page()
    assert "| `--only` | `mail` / `web` | – | Run one part only" in text
    assert "| `--limit` | number | `100` | At most so many rows. |" in text
    assert "| `MESSAGE` | text | **needed** | Message id" in text
    assert "| `--detail` | text, several | – | NAME=VALUE" in text
    assert "typing" not in text
    assert str(reference._HERE) not in text, "a page says nothing about the machine it was made on"
