"""Which message was being parsed when a worker died.

what:       one small mapped file per worker; a count of deaths per message digest in `crashes.json`
takes→gives: SHA-256 digests → marks that outlive the process; dead worker's number → counted digests
knows not:  what the message says, why the worker died
fails by:   `OSError` when a file cannot be made; unreadable counts count as none and are kept aside
standard:   I-3: a message that killed a worker twice is quarantined before it is parsed again

The mapping is shared with the kernel, so what was written stays in the file when the process is killed: no flush on the
way, and a mark costs about a microsecond.
"""

from __future__ import annotations

import json
import mmap
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.spool.disk import write_whole

DIGEST = 32
_PLACES = 8  # a worker parses one message at a time, or a few where threads help
_EMPTY = bytes(DIGEST)
_NOWHERE = -1
_KEPT_SECONDS = 30 * 86400
_COUNTS = "crashes.json"

Counts = dict[str, tuple[int, float]]


class Blackbox:
    """A worker's own recorder. Used from one thread."""

    def __init__(self, state: Path, worker: int) -> None:
        self._counts = state / _COUNTS
        self._seen: tuple[int, int] | None = None
        self._deaths: Counts = {}
        fd = os.open(_file(state, worker), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(fd, _PLACES * DIGEST)
            self._map = mmap.mmap(fd, _PLACES * DIGEST)
        finally:
            os.close(fd)
        self._map[:] = bytes(_PLACES * DIGEST)
        self._free = [place * DIGEST for place in range(_PLACES)]

    def enter(self, digest: bytes) -> int:
        """Write down that this message (32 octets of SHA-256) is being parsed; gives the place for `leave`.

        With every place taken it is not written down, which is better than not parsing it.
        """
        if len(digest) != DIGEST:
            raise ValueError(f"digest of {len(digest)} octets, expected {DIGEST}")
        if not self._free:
            return _NOWHERE
        place = self._free.pop()
        self._map[place : place + DIGEST] = digest
        return place

    def leave(self, place: int) -> None:
        """It was parsed, or refused: either way this worker lives."""
        if place != _NOWHERE:
            self._map[place : place + DIGEST] = _EMPTY
            self._free.append(place)

    @contextmanager
    def holding(self, digest: bytes) -> Iterator[None]:
        """`enter` and `leave` around a block, also when it raises."""
        place = self.enter(digest)
        try:
            yield
        finally:
            self.leave(place)

    def crashes(self, digest: bytes) -> int:
        """How many workers ended while parsing this message, any worker's, in the last 30 days."""
        try:
            found = self._counts.stat()
        except FileNotFoundError:
            return 0
        version = (found.st_mtime_ns, found.st_ino)
        if version != self._seen:
            self._deaths, self._seen = read_counts(self._counts), version
        return self._deaths.get(digest.hex(), (0, 0.0))[0]

    def close(self) -> None:
        self._map.close()


def note_crash(state: Path, worker: int, at: float | None = None) -> list[str]:
    """Count what a dead worker was parsing, for the parent to call before it starts another; gives the digests as hex.

    `at` is Unix seconds, now by default. A worker that ended between messages counts nothing.
    """
    at = time.time() if at is None else at
    path = _file(state, worker)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return []
    places = (raw[start : start + DIGEST] for start in range(0, len(raw), DIGEST))
    digests = sorted({place.hex() for place in places if place != _EMPTY})
    if digests:
        counts = read_counts(state / _COUNTS)
        kept = {digest: (n, last) for digest, (n, last) in counts.items() if at - last < _KEPT_SECONDS}
        kept |= {digest: (kept.get(digest, (0, 0.0))[0] + 1, at) for digest in digests}
        write_whole(state / _COUNTS, json.dumps(kept, indent=1).encode())
        write_whole(path, bytes(len(raw)))  # counted once, whoever asks again
    return digests


def read_counts(path: Path) -> Counts:
    """Deaths and time of the last one, by digest as hex. A file that cannot be read is kept aside as `.damaged`."""
    try:
        stored = json.loads(path.read_bytes())
        return {str(digest): (int(n), float(last)) for digest, (n, last) in stored.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError):
        path.replace(path.with_suffix(".damaged"))
        return {}


def _file(state: Path, worker: int) -> Path:
    return state / f"blackbox-{worker}"
