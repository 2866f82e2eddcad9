"""Checks of the probe's way to the opt-out page.

takes→gives: `Organisation` → findings (place, "what is wrong, what is expected")
knows not:  the network
standard:   L-31
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.config.organisation import Organisation
from gateway.config.source import Loc

Finding = tuple[Loc, str]

_PLACE = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")


def check_probe(settings: Organisation) -> Iterator[Finding]:
    """`connect_to` can be connected to, and authorities are given for https only."""
    probe = settings.probe
    if probe.connect_to is not None and place(probe.connect_to) is None:
        yield ("probe", "connect_to"), f"is {probe.connect_to!r}, expected host:port, as 127.0.0.1:443 or [::1]:443"
    if probe.ca_file is not None and not settings.opt_out_url.startswith("https:"):
        yield ("probe", "ca_file"), "given, but opt_out_url is not https, expected it left out"


def place(text: str) -> tuple[str, int] | None:
    """Host and port of `connect_to`; None when it is neither."""
    match = _PLACE.fullmatch(text)
    if match is None or not 1 <= int(match[2]) <= 65535:
        return None
    return match[1].strip("[]"), int(match[2])
