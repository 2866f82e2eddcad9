"""The table of commands: a command is imported when it is asked for, so that `serve` and `--help` load no other.

what:       `COMMANDS`: where each is and what it is for; `Group` looks them up there
takes→gives: name → the command
knows not:  what commands do
standard:   typer; a test holds the texts against the commands
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from functools import lru_cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("serve:command", "Run the gateway: mail workers and the opt-out page."),
    "demo": ("demo:command", "Show the main job: a gateway of its own, a recording provider, real mail, one opt-out."),
    "check-config": ("check_config:command", "Check all settings without starting anything."),
    "explain": (
        "explain:command",
        "Show what would happen to a mail: per recipient the decision and the rules tried, then the edits.",
    ),
    "trace": ("trace:command", "Show what was decided, edited and delivered for one person."),
    "receipt": (
        "receipt:command",
        "Find the opt-out behind a receipt: when it was stored, what it stops, what was sent and stopped since.",
    ),
    "status": (
        "status:command",
        "Say per organisation how old its policy is, whether the opt-out works, and what waits in the breach register.",
    ),
    "probe": ("probe:command", "Use the opt-out link of a person who does not exist, and see the block in force."),
    "purge": (
        "purge:command",
        "Delete what is past its term (`retention:` in the settings), with proof in the audit.",
    ),
    "processing-record": (
        "processing:command",
        "Print what is processed, why, on which basis, who gets it, for how long, and how it is protected (GDPR 30).",
    ),
    "backup": (
        "backup:backup",
        "Back up registries, journals, cases, audit and settings while the gateway works.",
    ),
    "restore": ("backup:restore", "Put a backup back."),
    "conformance": (
        "conformance:command",
        "Print each promise of the published policy, what makes it true, and what the running gateway counted for it.",
    ),
    "registry": ("registry:app", "People: make, fill, look into and mend the registry of an organisation."),
    "rights": ("rights:app", "Requests of people: enter, carry out, answer, within the term."),
    "queue": ("queue:app", "Look at queued mail, and hold, release, retry or drop it."),
    "audit": ("audit:app", "The audit: prove it, sign it, look into it."),
    "breach": ("breach:app", "The breach register, with its 72 hours (GDPR 33)."),
    "trackers": ("trackers:app", "What is known about trackers in mail."),
    "keys": ("keys:app", "Make keys and secrets, and print the DNS records to publish."),
}
"""Name → file of this folder and what in it, first sentence of its help. In the order of `--help`."""


class Group(TyperGroup):
    """All commands."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands()

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


class _Commands(MutableMapping[str, Any]):
    """The table; nothing is imported before it is asked for."""

    def __getitem__(self, name: str) -> Any:
        return _command(name, COMMANDS[name][0])

    def __setitem__(self, name: str, command: Any) -> None:
        raise TypeError("commands stand in the table")

    def __delitem__(self, name: str) -> None:
        raise TypeError("commands stand in the table")

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


@lru_cache(maxsize=len(COMMANDS))
def _command(name: str, place: str) -> Any:
    """The command, or group of commands, that stands at `file:name in it`."""
    file, _, what = place.partition(":")
    found = getattr(import_module(f"gateway.cli.{file}"), what)
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.callback()(_nothing)  # with it typer makes a group also of one command
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name)
    else:
        alone.command(name)(found)
    group: Any = typer.main.get_command(alone)
    return group.commands[name]


def _nothing() -> None:
    pass
