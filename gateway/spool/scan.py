"""Looks for octets in raw files, as a process of its own.

what:       `python -m gateway.spool.scan FILE …`, wanted octets in hexadecimal on standard input, one per line
takes→gives: files, octets → exit 0 when one of them stands in one of the files, 1 when none does
knows not:  what they are
fails by:   exit 2
standard:   fcntl(2): closing any descriptor of a file drops every lock that the process has on it, SQLite's too. So the
            process that works with a database must not open and close its file by itself.
"""

from __future__ import annotations

import mmap
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

_FOUND, _ABSENT = 0, 1


def found_in(files: Iterable[Path], wanted: Sequence[bytes]) -> bool:
    """Whether one of the wanted octets stands in a file. Raises `OSError` when that cannot be told."""
    line = [sys.executable, "-m", "gateway.spool.scan", *map(str, files)]
    text = "\n".join(item.hex() for item in wanted)
    done = subprocess.run(line, input=text, capture_output=True, text=True, check=False)
    if done.returncode not in (_FOUND, _ABSENT):
        raise OSError(f"scan ended with code {done.returncode}")
    return done.returncode == _FOUND


def _has(path: Path, wanted: Sequence[bytes]) -> bool:
    if path.stat().st_size == 0:
        return False
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(item) >= 0 for item in wanted)


def main() -> int:
    wanted = [bytes.fromhex(line) for line in sys.stdin.read().split()]
    try:
        return _FOUND if any(_has(Path(name), wanted) for name in sys.argv[1:]) else _ABSENT
    except OSError:
        return 2


if __name__ == "__main__":
    sys.exit(main())
