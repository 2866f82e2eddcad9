"""Wrapped message keys, in a file of fixed slots that is overwritten in place.

what:       `shard-N.slots`: 128 octets per message, one header slot in front
takes→gives: slot number ↔ `Slot` (message mark, service key id, wrapped key)
knows not:  SQLite, what a key opens
fails by:   `OSError` from the disk; `SlotBroken` for a slot whose check does not fit
standard:   DESIGN §4 Spool; S-01

A key must not reach SQLite: a WAL, a snapshot or a backup of the database would keep it after its message is done. Here
it has one place, written before the database commits and zeroed after. 128 octets divide a disk sector, so a slot is
written whole or not at all. Copy-on-write file systems keep old blocks for a while; see `docs/queue.md`.
"""

from __future__ import annotations

import hashlib
import heapq
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.spool.disk import write_whole
from gateway.spool.sealing import WRAPPED_SIZE

SIZE = 128
_MAGIC = b"briefgeheim slots 1\n"
_CHECK = struct.Struct(">I")
_BODY = struct.Struct(f">BI16s{WRAPPED_SIZE}s")
_FORMAT = 1
_EMPTY = bytes(SIZE)
_GROWTH = 512  # slots added at once: 64 KiB
MARK = 16


class SlotBroken(Exception):
    """The slot is neither empty nor whole."""


@dataclass(frozen=True, slots=True)
class Slot:
    """`mark` names the message without telling it; `wrapped` opens with service key `key_id`."""

    mark: bytes
    key_id: int
    wrapped: bytes

    def pack(self) -> bytes:
        body = _BODY.pack(_FORMAT, self.key_id, self.mark, self.wrapped).ljust(SIZE - _CHECK.size, b"\0")
        return _CHECK.pack(zlib.crc32(body)) + body

    @classmethod
    def unpack(cls, raw: bytes) -> Slot | None:
        """None for an empty slot. Raises `SlotBroken`."""
        if raw == _EMPTY:
            return None
        body = raw[_CHECK.size :]
        if len(raw) != SIZE or raw[: _CHECK.size] != _CHECK.pack(zlib.crc32(body)) or body[0] != _FORMAT:
            raise SlotBroken("slot: check does not fit")
        _, key_id, mark, wrapped = _BODY.unpack_from(body)
        return cls(mark, key_id, wrapped)


def mark_of(message: str) -> bytes:
    """What a slot says of its message: enough to match the database row, nothing to look up by."""
    return hashlib.sha256(b"briefgeheim slot " + message.encode()).digest()[:MARK]


class KeySlots:
    """The slot file of one shard. One writer; `read` may be called from any thread."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        if not read_only and not path.exists():
            write_whole(path, _header(os.urandom(16)))
        self._fd = os.open(path, (os.O_RDONLY if read_only else os.O_RDWR) | os.O_CLOEXEC)
        self.id = _identity(os.pread(self._fd, SIZE, 0), path)
        self._end = max(1, os.fstat(self._fd).st_size // SIZE)
        self._free: list[int] = []
        self._erasing: set[int] = set()

    def read(self, number: int) -> Slot | None:
        """The slot, or None when it is empty or beyond the end. Raises `SlotBroken`, `OSError`."""
        try:
            return Slot.unpack(os.pread(self._fd, SIZE, number * SIZE) or _EMPTY)
        except SlotBroken:  # or being written over at this moment: once more
            return Slot.unpack(os.pread(self._fd, SIZE, number * SIZE) or _EMPTY)

    def used(self) -> Iterator[tuple[int, Slot | None]]:
        """Every slot that is not empty; None in place of one that is broken."""
        for number in range(1, self._end):
            try:
                slot = self.read(number)
            except SlotBroken:
                yield number, None
            else:
                if slot is not None:
                    yield number, slot

    def start(self, kept: set[int]) -> None:
        """Zero every slot not in `kept` and learn which are free. Called once, before the first `reserve`."""
        self.erase(number for number, _ in self.used() if number not in kept)
        os.fdatasync(self._fd)  # cutting off the zeroed tail comes after its zeros are on the disk
        self._erasing = set()
        self._end = max(kept, default=0) + 1
        os.ftruncate(self._fd, self._end * SIZE)
        os.fdatasync(self._fd)
        self._free = [number for number in range(1, self._end) if number not in kept]

    def reserve(self) -> int:
        """A free slot number; the file grows where needed."""
        if not self._free:
            grown = self._end + _GROWTH
            os.posix_fallocate(self._fd, self._end * SIZE, _GROWTH * SIZE)
            self._free = list(range(self._end, grown))
            self._end = grown
        return heapq.heappop(self._free)

    def give_back(self, numbers: Iterable[int]) -> None:
        """Reserved, and nothing was written to it."""
        for number in numbers:
            heapq.heappush(self._free, number)

    def write(self, slots: Mapping[int, Slot]) -> None:
        """Write whole slots; durable after `sync`."""
        for number, slot in slots.items():
            os.pwrite(self._fd, slot.pack(), number * SIZE)

    def erase(self, numbers: Iterable[int]) -> None:
        """Overwrite with zeros; free and durable after `sync`. Remembered even where the disk refuses now."""
        fresh = set(numbers)
        self._erasing |= fresh
        for number in fresh:
            os.pwrite(self._fd, _EMPTY, number * SIZE)

    @property
    def unsynced(self) -> bool:
        """Whether zeros wait for the disk."""
        return bool(self._erasing)

    def sync(self) -> None:
        """Put everything written so far on stable storage."""
        # After a failed fdatasync the kernel calls the pages clean; writing the zeros again makes it try again.
        for number in self._erasing:
            os.pwrite(self._fd, _EMPTY, number * SIZE)
        os.fdatasync(self._fd)
        self.give_back(self._erasing)
        self._erasing = set()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _header(identity: bytes) -> bytes:
    body = (_MAGIC + identity).ljust(SIZE - _CHECK.size, b"\0")
    return _CHECK.pack(zlib.crc32(body)) + body


def _identity(raw: bytes, path: Path) -> bytes:
    if raw != _header(raw[_CHECK.size + len(_MAGIC) :][:16]):
        raise OSError(f"{path.name} is not a slot file, or its first {SIZE} octets are damaged")
    return raw[_CHECK.size + len(_MAGIC) :][:16]
