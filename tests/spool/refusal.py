"""A kernel that refuses: a seccomp filter on this process, so that a disk's failure is a real system call's.

`python -m tests.spool.refusal FOLDER CALLS ERRNO [SUFFIX]` stores one mail, has the kernel refuse CALLS (fsync or
write) with ERRNO, on all files or those whose names end so, tries to change the spool, and says what came of it as
JSON. A process cannot take such a filter off again: hence one of its own.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import json
import platform
import struct
import sys
from collections.abc import Awaitable, Sequence
from pathlib import Path

from gateway.spool.protocol import SpoolUnavailable, State, Update
from tests.spool.mail import message, noted, opened

_NUMBERS = {
    "x86_64": {"fsync": (74, 75), "write": (1, 18, 20, 296), "seccomp": 317},
    "aarch64": {"fsync": (82, 83), "write": (64, 68, 66, 70), "seccomp": 277},
}
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_FIRST_ARGUMENT = 16  # offset of args[0] in struct seccomp_data
_NO_NEW_PRIVILEGES, _FILTER, _ALL_THREADS = 38, 1, 1


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def refuse(calls: str, error: int, descriptors: Sequence[int]) -> None:
    """From now on these calls fail with `error` on these descriptors, in all threads."""
    table = _NUMBERS[platform.machine()]
    numbers = table[calls]
    assert isinstance(numbers, tuple)
    steps = [(_LOAD, 0, 0, 0), *_any_of(numbers), (_LOAD, 0, 0, _FIRST_ARGUMENT), *_any_of(descriptors)]
    steps += [(_RETURN, 0, 0, _ERRNO | error)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    libc = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(steps), ctypes.addressof(code))
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if libc.syscall(table["seccomp"], _FILTER, _ALL_THREADS, ctypes.byref(program)) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


def _any_of(values: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """Go on behind this when the loaded word is one of `values`, else allow the call."""
    steps = [(_EQUAL, len(values) - index, 0, value) for index, value in enumerate(values)]
    return [*steps, (_RETURN, 0, 0, _ALLOW)]


def open_files(suffix: str) -> list[int]:
    """Descriptors of files under the spool's names that end so."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        if link.exists() and "shard-" in (name := str(link.readlink())) and name.endswith(suffix):
            found.append(int(link.name))
    return found


async def main(folder: Path, calls: str, error: int, suffix: str) -> None:
    async with opened(folder) as spool:
        await spool.put([message("before")], [noted("accepted", "before")])
        refuse(calls, error, open_files(suffix))
        said: dict[str, object] = {
            "audit": await outcome(spool.put([], [noted("refused", "another")])),
            "update": await outcome(spool.update([Update(1, State.QUEUED, attempts=1)], [noted("deferred", "before")])),
            # Last, so that nothing writes over what it left in the log.
            "mail": await outcome(spool.put([message("after")], [noted("accepted", "after")])),
            "trouble": spool.trouble,
            "entries": [e.message for e in await spool.entries()],
        }
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


async def outcome(work: Awaitable[None]) -> str:
    try:
        await work
    except SpoolUnavailable as refused:
        return type(refused).__name__
    return "stored"


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], getattr(errno, sys.argv[3]), "".join(sys.argv[4:])))
