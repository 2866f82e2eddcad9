"""What several commands do first: read the settings, the keys and an organisation's registry, with clear errors.

fails by:   `typer.Exit(2)` after one line per error on standard error
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

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
