"""What several commands do first: read the settings, the keys and an organisation's registry, with clear errors.

fails by:   `typer.Exit(2)` after one line per error on standard error
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from gateway.config.load import Loaded, SettingsError, load

Config = Annotated[Path, typer.Option("--config", help="The gateway's settings.")]
DEFAULT_CONFIG = Path("/etc/briefgeheim/gateway.yaml")


def settings(config: Path) -> Loaded:
    """Loaded settings, or exit 2 with every error."""
    try:
        return load(config)
    except SettingsError as error:
        wrong(*error.errors)


def wrong(*lines: str) -> NoReturn:
    """Say what is wrong and exit 2."""
    sys.stderr.write("\n".join(lines) + "\n")
    raise typer.Exit(2)


def inside(command: Any, arguments: list[str]) -> int:
    """Carry out one command line of the group `command` in this process; gives its exit code."""
    try:
        code = command.main(arguments, prog_name="briefgeheim", standalone_mode=False)
    except SystemExit as ended:
        code = ended.code
    return code if isinstance(code, int) else 0
