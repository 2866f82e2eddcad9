"""The process that reads attachments: confined first, then one item at a time until its worker goes.

what:       limits on itself, then frames in, frames out
takes→gives: requests on standard input → answers on what was standard output
knows not:  mails, settings, organisations; it opens no file and no connection
fails by:   ending: the worker takes that for the answer to the item it was at
standard:   R-050; prctl(2), getrlimit(2)
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import resource
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

from gateway.app.inspector_frames import LENGTHS, Request, answer_out, pack, request_in
from gateway.documents import pdf, spreadsheet
from gateway.documents.inspect import inspect
from gateway.inspection import Inspection, Unread

LOADED = (pdf, spreadsheet)  # before anything hostile comes: nothing is imported afterwards
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_NO_NEW_PRIVILEGES = 38  # PR_SET_NO_NEW_PRIVS
_NO_NEW_CODE = 65  # PR_SET_MDWE, Linux 6.3; older ones refuse it
_FILES = 32  # Python imports tables of charsets when they are first met
NO_MEMORY = "needs more memory than it may have"


def main() -> None:
    """`argv`: folder of the program, process id of the worker, octets of memory."""
    parent, memory = int(sys.argv[2]), int(sys.argv[3])
    incoming = os.fdopen(os.dup(0), "rb")
    outgoing = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints is no answer
    confine(memory)
    if os.getppid() != parent:
        return  # it died before this process could ask to die with it
    _write(outgoing, {"is": "ready"})
    serve(incoming, outgoing)


def confine(memory: int) -> None:
    """Dies with its worker, is the first to go when memory is short; cannot write, fork, make code or leave a dump."""
    call = ctypes.CDLL(None, use_errno=True).prctl
    call(_DIES_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    call(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    call(_NO_NEW_CODE, 1, 0, 0, 0)
    with contextlib.suppress(OSError):  # where /proc is not there
        Path("/proc/self/oom_score_adj").write_text("1000")
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CORE, 0),  # a dump would hold the mail
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, _FILES),
    ):
        # prlimit, not setrlimit: the unit's filter of system calls has only the former.
        resource.prlimit(0, kind, (most, most))


def serve(incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Answer until the other end closes."""
    while head := incoming.read(LENGTHS.size):
        header_length, content_length = LENGTHS.unpack(head)
        header = _parsed(incoming.read(header_length))
        content = incoming.read(content_length)
        if len(content) == content_length:
            _write(outgoing, _answered(request_in(header, content)))


def _answered(request: Request) -> dict[str, Any]:
    _renew(request.cpu)
    meter = request.meter()
    try:
        found = inspect([request.item], request.bounds, words=request.words, key=request.key, meter=meter)
    except MemoryError:
        found = Inspection(unread=(Unread(request.item.part, NO_MEMORY),))
    return answer_out(found, meter, _peak())


def _peak() -> int:
    """The most memory this program had, in octets; 0 where /proc is not there. `ru_maxrss` would begin with the size of
    the worker that started it."""
    try:
        status = Path("/proc/self/status").read_text("ascii", "replace")
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _renew(seconds: int) -> None:
    """This item may use so much more processor time than was used until now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.prlimit(0, resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _parsed(written: bytes) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(written)
    return header


def _write(outgoing: BinaryIO, header: dict[str, Any]) -> None:
    left = memoryview(pack(header))
    while left:
        left = left[outgoing.write(left) :]
