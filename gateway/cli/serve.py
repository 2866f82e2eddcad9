"""`briefgeheim serve`: run the gateway until SIGTERM."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from gateway.app.parent import serve
from gateway.cli.opening import DEFAULT_CONFIG, Config


class Part(StrEnum):
    MAIL = "mail"
    WEB = "web"


def command(
    config: Config = DEFAULT_CONFIG,
    only: Annotated[Part | None, typer.Option(help="Run one part only, for units with users of their own.")] = None,
) -> None:
    """Run the gateway: mail workers and the opt-out page. SIGHUP reloads the rules, SIGTERM drains."""
    parts = ["mail", "web"] if only is None else [only.value]
    raise typer.Exit(serve(config, parts))
