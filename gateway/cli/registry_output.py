"""Files that commands write for people: readable by their owner only, and whole or not there.

takes→gives: a path → an open text file that takes its name when it is complete
knows not:  what is written
fails by:   exit 2 when it cannot be written
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from gateway.cli.opening import wrong


@contextmanager
def private_file(path: Path, option: str) -> Iterator[TextIO]:
    """UTF-8, mode 0600, line ends as written; under `path` only after the block ended well."""
    part = path.with_name(path.name + ".part")
    try:
        part.unlink(missing_ok=True)
        file = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline="")
    except OSError as error:
        wrong(f"{option}: cannot write {path}: {error.strerror}, expected a path that can be written")
    try:
        with file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
