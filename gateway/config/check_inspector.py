"""Checks of `inspector:`: a process that can read at all, and limits that do not contradict each other.

takes→gives: `Gateway` → findings (place, "what is wrong, what is expected")
knows not:  processes
standard:   R-050
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config.gateway import Gateway
from gateway.config.source import Loc

Finding = tuple[Loc, str]

_LEAST = 256 * 2**20
"""With less the process cannot load its readers."""
_SMALLEST = 2**20
_TIMES = 4
"""What is unpacked stands in memory as octets, as text, and as the library's cells."""


def check_inspector(settings: Gateway) -> Iterator[Finding]:
    """Everything in `inspector:` that one key alone cannot tell."""
    inspector = settings.inspector
    if inspector.unpacked < _SMALLEST:
        yield ("inspector", "unpacked"), f"is {inspector.unpacked} octets, expected at least 1MiB"
    least = max(_LEAST, _TIMES * inspector.unpacked)
    if inspector.memory < least:
        yield (
            ("inspector", "memory"),
            f"is {inspector.memory // 2**20}MiB, expected at least {-(-least // 2**20)}MiB "
            f"({_LEAST // 2**20}MiB, and {_TIMES} times `unpacked`)",
        )
    if inspector.processor_time > inspector.time:
        yield ("inspector", "processor_time"), "is more than `time`, expected no more than a whole mail may take"
