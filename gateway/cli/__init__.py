"""The command `briefgeheim`: one file per command group, named here and imported when it is asked for.

fails by:   exit 2 for settings and usage, 1 for what could not be done, each with one clear line on standard error
"""

from __future__ import annotations

from typing import Any

import typer

from gateway.cli.group import Group
from gateway.cli.opening import inside

app = typer.Typer(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    name="briefgeheim",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def briefgeheim() -> None:
    """Privacy gateway for outgoing mail."""


def run(arguments: list[str]) -> int:
    """One command in this process; gives its exit code."""
    command: Any = typer.main.get_command(app)
    return inside(command, arguments)


def main() -> None:
    """Entry point."""
    app()
