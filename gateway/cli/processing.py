"""`briefgeheim processing-record`: the record of processing (GDPR 30) of one organisation, out of its settings.

takes→gives: the settings → Markdown or JSON
knows not:  people, mail
fails by:   exit 2 for settings and usage
standard:   L-25
"""

from __future__ import annotations

import json
import time
from enum import StrEnum
from typing import Annotated

import typer

from gateway.cli.opening import DEFAULT_CONFIG, Config, settings, wrong
from gateway.config.days import day_in
from gateway.rights.record_of_processing import markdown, record


class Format(StrEnum):
    MD = "md"
    JSON = "json"


def command(
    organisation: Annotated[str, typer.Option("--organisation", help="Name of the organisation.")],
    config: Config = DEFAULT_CONFIG,
    form: Annotated[Format, typer.Option("--format", help="md: a page for people; json: for programs.")] = Format.MD,
) -> None:
    """Print what is processed, why, on which basis, who gets it, for how long, and how it is protected (GDPR 30)."""
    loaded = settings(config)
    found = next((o for o in loaded.organisations if o.name == organisation), None)
    if found is None:
        wrong(f"--organisation: expected one of {', '.join(o.name for o in loaded.organisations)}")
    today = day_in(found.time_zone, time.time())
    if today is None:
        wrong(f"time_zone of {found.name}: {found.time_zone!r} is unknown here")
    made = record(found, today)
    print(markdown(made) if form is Format.MD else json.dumps(made.to_json(), indent=1, ensure_ascii=False))
