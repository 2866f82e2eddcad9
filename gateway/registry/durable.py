"""Files that are whole or absent, also after a power cut.

what:       write a new file, or replace one, with the folder entry on stable storage too
takes→gives: path and octets → nothing, once durable
knows not:  what the octets mean
fails by:   `OSError`; `FileExistsError` from `create`
standard:   POSIX fsync(2), rename(2): a new name is durable only when its folder is synced
"""

from __future__ import annotations

import os
from pathlib import Path


def create(path: Path, content: bytes, mode: int) -> None:
    """Make `path` with exactly `content`; never overwrites, never leaves half a file under that name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path, content, mode)
    try:
        os.link(draft, path)  # unlike rename, fails when somebody else was first
    finally:
        draft.unlink()
    sync_folder(path.parent)


def replace(path: Path, content: bytes, mode: int) -> None:
    """Replace `path` by `content` in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _draft(path, content, mode).rename(path)
    sync_folder(path.parent)


def file_id(path: Path) -> tuple[int, int] | None:
    """Which file the name leads to now, or None: tells a swapped file from the one that was opened."""
    try:
        found = os.stat(path)  # noqa: PTH116 - half the time of Path.stat, and this runs before every decision
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_dev


def must_have_id(path: Path) -> tuple[int, int]:
    """As `file_id`, where the file has to be there. Raises `FileNotFoundError`."""
    found = file_id(path)
    if found is None:
        raise FileNotFoundError(2, "no such file", str(path))
    return found


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _draft(path: Path, content: bytes, mode: int) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return draft


def write_all(descriptor: int, content: bytes) -> None:
    """`os.write` until nothing is left; a full disk raises `OSError`."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
