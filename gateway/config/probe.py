"""The daily probe of the opt-out: whether, when, and by which way it reaches the page.

what:       the frozen model of `probe:` in an organisation's file
knows not:  how it is carried out (`app/probe.py`)
fails by:   pydantic ValidationError (→ file:line in `load`)
standard:   L-31
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.config.base import Duration, Settings


class Probe(Settings):
    """The daily probe of the opt-out page: the real link of a person who does not exist, used as mail programs do."""

    run: bool = True
    """Whether to probe. Without, nothing notices that the opt-out stopped working, and no mail waits for it."""
    connect_to: str | None = None
    """`host:port` to connect to instead of the name in `opt_out_url`, where that name does not lead back here."""
    ca_file: str | None = None
    """PEM file with the authorities to trust for `opt_out_url` instead of the system's."""
    every: Duration = Field(default="1d", validate_default=True)
    """Time between two probes."""
    again: Duration = Field(default="15m", validate_default=True)
    """Time between two probes after a failure."""
    failures: Annotated[int, Field(ge=1)] = 2
    """After so many failures in a row, mail that carries an opt-out link is held until a probe succeeds (L-31)."""
