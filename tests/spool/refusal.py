"""A kernel that refuses: a seccomp filter on this process, so that a disk's failure is a real system call's.

`python -m tests.spool.refusal FOLDER CALLS ERRNO` stores one mail, has the kernel refuse CALLS (fsync or write) with
ERRNO, tries a second, and says what came of it as JSON. A process cannot take such a filter off again: hence its own.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import json
import platform
import struct
import sys
from pathlib import Path

from gateway.spool.protocol import SpoolUnavailable
from tests.spool.mail import message, noted, opened

_NUMBERS = {
    "x86_64": {"fsync": (74, 75), "write": (1, 18, 20, 296), "seccomp": 317},
    "aarch64": {"fsync": (82, 83), "write": (64, 68, 66, 70), "seccomp": 277},
}
_LOAD, _EQUAL, _OVER, _RETURN = 0x20, 0x15, 0x25, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_FIRST_ARGUMENT = 16  # offset of args[0] in struct seccomp_data
_NO_NEW_PRIVILEGES, _FILTER, _ALL_THREADS = 38, 1, 1


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def refuse(calls: str, error: int) -> None:
    """From now on these calls fail with `error` on every descriptor above standard error, in all threads."""
    table = _NUMBERS[platform.machine()]
    numbers = table[calls]
    assert isinstance(numbers, tuple)
    steps = [(_LOAD, 0, 0, 0)]
    steps += [(_EQUAL, len(numbers) - index, 0, number) for index, number in enumerate(numbers)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, _FIRST_ARGUMENT), (_OVER, 1, 0, 2)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO | error)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    libc = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(steps), ctypes.addressof(code))
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if libc.syscall(table["seccomp"], _FILTER, _ALL_THREADS, ctypes.byref(program)) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


async def main(folder: Path, calls: str, error: int) -> None:
    async with opened(folder) as spool:
        await spool.put([message("before")], [noted("accepted", "before")])
        refuse(calls, error)
        try:
            await spool.put([message("after")], [noted("accepted", "after")])
            outcome = "stored"
        except SpoolUnavailable as refused:
            outcome = type(refused).__name__
        entries = [e.message for e in await spool.entries()]
        sys.stdout.write(json.dumps({"outcome": outcome, "entries": entries, "trouble": spool.trouble}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], getattr(errno, sys.argv[3])))
