"""Files put in their place, moved aside, and made durable.

what:       new files and copies that are whole or absent; moving aside without ever writing over or deleting
takes→gives: paths, octets → durable files
knows not:  what the files mean
fails by:   `OSError`
standard:   fsync(2), rename(2)
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

UNDER_WAY = "restoring"  # a folder below the state folder, for as long as a restore is under way


def write(path: Path, octets: bytes) -> None:
    """A new file of 0600; never over another."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(octets)
        stream.flush()
        os.fsync(stream.fileno())


def put(source: Path, place: Path, mode: int = 0o600) -> None:
    """A copy of `source` under its name in one step; the folder is made where it is missing."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.copy")
    draft.unlink(missing_ok=True)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(file, "wb") as target, source.open("rb") as stream:
        shutil.copyfileobj(stream, target)
        target.flush()
        os.fsync(target.fileno())
    draft.rename(place)
    sync(place.parent)


def set_aside(path: Path, folder: Path) -> Path:
    """Move a file into `folder`, beside others of its name if there are any. Gives where it is now."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place, number = folder / path.name, 0
    while os.path.lexists(place):
        number += 1
        place = folder / f"{path.name}.{number}"
    path.rename(place)
    sync(folder)
    sync(path.parent)
    return place


def sync(folder: Path) -> None:
    """Names in `folder` are durable when this returns."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_all(folder: Path) -> None:
    """As `sync`, for every folder below and itself."""
    for place in [*(p for p in folder.rglob("*") if p.is_dir()), folder]:
        sync(place)
