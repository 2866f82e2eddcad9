"""A backup as one file: the folder in a tar archive, compressed where the name says so.

what:       packing and unpacking of plain files in plain folders, nothing else
takes→gives: folder ↔ `.tar`, `.tar.gz` or `.tgz`
knows not:  what the files mean
fails by:   `BackupDamaged` for an archive that holds anything but plain files inside it; `OSError`
standard:   POSIX.1-2001 pax archives
"""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from gateway.backup.manifest import BackupDamaged

_ENDINGS = (".tar", ".tar.gz", ".tgz")


def is_bundle(path: Path) -> bool:
    """Whether the name says that it is one file."""
    return path.name.endswith(_ENDINGS)


def pack(folder: Path, target: Path) -> None:
    """Write `target` (0600), which must not be there: whole or not at all."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(file, "wb") as stream:
            with tarfile.open(fileobj=stream, mode="w" if target.name.endswith(".tar") else "w:gz") as archive:
                for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                    archive.add(path, path.relative_to(folder).as_posix(), recursive=False)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def unpack(source: Path, folder: Path) -> None:
    """Into a new folder (0700), files 0600. Raises `BackupDamaged`."""
    folder.mkdir(mode=0o700)
    try:
        with tarfile.open(source, "r:*") as archive:
            for member in archive:
                _unpack(archive, member, folder)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise BackupDamaged(f"{source}: {error}") from None


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    path = PurePosixPath(member.name)
    stream = archive.extractfile(member) if member.isreg() else None
    if stream is None or path.is_absolute() or ".." in path.parts:
        raise BackupDamaged(f"{member.name!r} is no plain file inside a backup")
    place = folder / path
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as target:
        shutil.copyfileobj(stream, target)
