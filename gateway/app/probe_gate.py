"""What the last probe of the opt-out found, on disk, and whether mail that promises a link may leave because of it.

what:       `Findings` of one organisation in STATE/probe/ORG.json; `Gate`, which every process reads
takes→gives: file → findings; findings and settings → does the opt-out work
knows not:  how it is probed
fails by:   nothing: no file, or one that cannot be read, is "never found broken"
standard:   L-31
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from gateway.config.probe import Probe

_LOOK = 1.0  # seconds for which an answer is good
_TURN = 0.1  # seconds between two tries to be alone


@dataclass(frozen=True, slots=True)
class Findings:
    """`at` of the last probe, `passed` of the last that succeeded, `told` of the last mail about it (Unix seconds, 0.0:
    never); `failures` in a row; `step` and `why` of the last failure."""

    at: float = 0.0
    passed: float = 0.0
    failures: int = 0
    step: str = ""
    why: str = ""
    told: float = 0.0

    @classmethod
    def read(cls, path: Path) -> Findings:
        try:
            found = json.loads(path.read_text("utf-8"))
            made = cls(**{f.name: found[f.name] for f in fields(cls) if f.name in found})
            return made if isinstance(made.failures, int) else cls()
        except (OSError, ValueError, TypeError):
            return cls()

    def write(self, path: Path) -> None:
        """Whole or not at all. Raises `OSError`."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self)) + "\n", "utf-8")
        fresh.replace(path)

    def broken(self, settings: Probe) -> bool:
        """Whether so many probes in a row failed that mail with a link must wait."""
        return settings.run and self.failures >= settings.failures


def place(state: Path, organisation: str) -> Path:
    return state / "probe" / f"{organisation}.json"


def switched_off(state: Path) -> bool:
    """Whether this machine does not probe at all: a stand-by, or one that the public name does not lead to."""
    return (state / "probe" / "off").exists()


def switch_probe_off(state: Path, why: str) -> None:
    """From now on this machine does not probe, and holds nothing because of it; deleting the file undoes it."""
    file = state / "probe" / "off"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(f"{why}\n", "utf-8")


@asynccontextmanager
async def alone(state: Path, organisation: str) -> AsyncIterator[None]:
    """One probe of an organisation at a time: two would see each other's block. Raises `OSError`."""
    path = place(state, organisation).with_suffix(".lock")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _locked(descriptor):  # noqa: ASYNC110 - another process has it, which sets no event here
            await asyncio.sleep(_TURN)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Gate:
    """Says whether the opt-out works, as far as the last probe knows; looks at the file at most once a second."""

    def __init__(self, state: Path, organisation: str, settings: Probe) -> None:
        self._state, self._path, self._settings = state, place(state, organisation), settings
        self._looked = float("-inf")
        self._works = True

    def __call__(self) -> bool:
        now = time.monotonic()
        if now - self._looked >= _LOOK:
            self._looked = now
            broken = self._settings.run and Findings.read(self._path).broken(self._settings)
            self._works = not broken or switched_off(self._state)
        return self._works
