"""What a bench says, line by line and at once, so that a long run can be watched."""

from __future__ import annotations

import sys


def say(*lines: str) -> None:
    """Write lines to standard output."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
