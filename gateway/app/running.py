"""Is a gateway at work in this folder? A locked file that says who, and how its last reload went.

what:       one lock per folder of a running parent; commands look, and ask it to reload
takes→gives: folder → the lock, or who has it; SIGHUP → what came of it
knows not:  settings, keys
fails by:   `Taken` when another process is at work there; `OSError`
standard:   flock(2): held until the process ends, however it ends
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

_NAME = "running"
_PATIENCE = 60.0  # seconds for a reload; each child gets half of that to prepare
_LOOK = 0.05
_GLANCE = 0.001


class Taken(Exception):
    """Somebody is at work in this folder."""


@dataclass(frozen=True, slots=True)
class Other:
    """Who is at work: process id, what it is ("gateway", "restore"), reloads so far, and why the last was refused."""

    pid: int
    what: str
    reloads: int = 0
    refused: str = ""
    keys: str = ""
    """Fingerprint of the keys that the workers use since that reload (`rekeying`)."""


class Running:
    """Kept for as long as this process is at work in `folder`."""

    def __init__(self, folder: Path, what: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._what = what
        self._reloads = 0
        self._file = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        while not self._locked():
            if found := at_work(folder):
                os.close(self._file)
                raise Taken(f"process {found.pid} ({found.what}) is at work in {folder}")
            time.sleep(_GLANCE)  # it was somebody who only looked
        self._write("")

    def reloaded(self, refused: str = "", keys: str = "") -> None:
        """Tell whoever asked for a reload how it went."""
        self._reloads += 1
        self._write(refused, keys)

    def free(self) -> None:
        os.ftruncate(self._file, 0)
        os.close(self._file)

    def _locked(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _write(self, refused: str, keys: str = "") -> None:
        content = {"pid": os.getpid(), "what": self._what, "reloads": self._reloads, "refused": refused, "keys": keys}
        octets = json.dumps(content).encode().ljust(1024)
        os.pwrite(self._file, octets, 0)
        os.ftruncate(self._file, len(octets))


def at_work(folder: Path) -> Other | None:
    """Who is at work in `folder`, or None. Raises `PermissionError` where that cannot be seen."""
    try:
        file = os.open(folder / _NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return _read(os.pread(file, 4096, 0))
    finally:
        os.close(file)


def reload(folder: Path) -> str | None:
    """Have the gateway in `folder` take its settings and keys anew; None when none is there, else "" or why not.

    Raises `PermissionError` when this user may not signal it, `TimeoutError` when it does not answer in a minute.
    """
    end = time.monotonic() + _PATIENCE
    while (before := at_work(folder)) is not None and not _hung_up(before.pid):
        if time.monotonic() > end:
            raise TimeoutError(f"who is at work in {folder} has not said so within {_PATIENCE:.0f} s")
        time.sleep(_GLANCE)
    if before is None:
        return None
    while True:
        found = at_work(folder)
        if found is None or found.pid != before.pid:
            return None
        if found.reloads > before.reloads:
            return found.refused
        if time.monotonic() > end:
            raise TimeoutError(f"process {before.pid} has not reloaded within {_PATIENCE:.0f} s; see its log")
        time.sleep(_LOOK)


def _hung_up(pid: int) -> bool:
    """False where what is written is not yet of the process that has the lock, which has it for a moment only."""
    if pid < 1:
        return False
    try:
        os.kill(pid, signal.SIGHUP)
    except ProcessLookupError:
        return False
    return True


def _read(octets: bytes) -> Other:
    try:
        content = json.loads(octets)
        reloads, refused = int(content["reloads"]), str(content["refused"])
        return Other(int(content["pid"]), str(content["what"]), reloads, refused, str(content["keys"]))
    except (ValueError, KeyError, TypeError):
        return Other(0, "starting")
