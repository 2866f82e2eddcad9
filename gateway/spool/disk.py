"""The few things a spool asks of a disk, and what their failure means.

what:       a probe of the folder, an fsynced rename, one lock per shard, errors → `SpoolUnavailable`
takes→gives: paths → durable files; `OSError`, `sqlite3.Error` → our two errors
knows not:  mail, keys, SQL
fails by:   `SpoolUnavailable`, `SpoolFull`, `ShardTaken`
standard:   R-013; fsync(2), rename(2), flock(2)
"""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from pathlib import Path

from gateway.spool.protocol import SpoolFull, SpoolUnavailable

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class ShardTaken(SpoolUnavailable):
    """Another process owns this shard."""


def trouble(error: BaseException) -> SpoolUnavailable:
    """The spool's own error for one of the disk or of SQLite. The text names no mail."""
    if isinstance(error, SpoolUnavailable):
        return error
    if isinstance(error, sqlite3.Error):
        # The low octet is the primary code; SQLITE_IOERR_WRITE and the like are extended codes.
        code = getattr(error, "sqlite_errorcode", None)
        full = code is not None and code & 0xFF == sqlite3.SQLITE_FULL
        name = getattr(error, "sqlite_errorname", None) or type(error).__name__
        return SpoolFull(f"spool is full: {name}") if full else SpoolUnavailable(f"spool trouble: {name}: {error}")
    if isinstance(error, OSError):
        text = os.strerror(error.errno) if error.errno else str(error)
        return SpoolFull(f"spool is full: {text}") if error.errno in _NO_ROOM else SpoolUnavailable(f"spool: {text}")
    return SpoolUnavailable(f"spool: {type(error).__name__}")


def sync_folder(folder: Path) -> None:
    """Make names in `folder` durable: a file's own fsync does not cover its directory entry (fsync(2))."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_whole(path: Path, content: bytes) -> None:
    """Replace `path` by `content`: old or new after a crash, never half of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        _write_new(beside, content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


def _write_new(path: Path, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(content)
        while rest:  # a nearly full disk takes a part and says so only by the count
            rest = rest[os.write(fd, rest) :]
        os.fsync(fd)
    finally:
        os.close(fd)


def probe(folder: Path) -> None:
    """Create the folder where needed and do once what storing mail will do: write, fsync, rename, fsync, unlink.

    Raises `SpoolUnavailable` naming the folder and what the system said.
    """
    probe_file = folder / f".probe.{os.getpid()}"
    try:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_folder(folder.parent)
        write_whole(probe_file, b"may this folder keep mail?")
        probe_file.unlink()
        sync_folder(folder)
    except OSError as error:
        raise type(trouble(error))(f"{folder}: cannot keep mail here: {trouble(error)}") from error


class Lock:
    """Exclusive right to one shard, kept until `free` or the end of the process.

    flock(2), not POSIX record locks: those vanish when any other descriptor of the file is closed.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip()
            os.close(self._fd)
            raise ShardTaken(f"{path.stem} is owned by process {owner or 'unknown'}; one process per shard") from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def free(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
