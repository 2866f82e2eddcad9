"""A file that only this user may read or write, made before anything is put into it.

what:       makes a missing file (0600) and its folder (0700)
takes→gives: path → a file that is there
knows not:  what is put into it
fails by:   `OSError`
standard:   I-7; open(2)

What opens a database by its path would make the file by the umask, and narrow it too late.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def make(path: Path) -> None:
    """Leaves a file that is there as it is, whoever made it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():  # opening and closing a file that is in use would drop this process's locks (fcntl(2))
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
