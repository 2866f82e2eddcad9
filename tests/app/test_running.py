"""Who is at work in a folder, told by a lock that ends with its process, and asking for a reload."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.app import running
from gateway.app.running import Running, Taken, at_work, reload

HOLDER = """
import signal, sys
from pathlib import Path
from gateway.app import running
from gateway.app.running import Running
held = Running(Path(sys.argv[1]), "gateway")
signal.signal(signal.SIGHUP, lambda *_: held.reloaded(sys.argv[2]))
print("there", flush=True)
while True:
    signal.pause()
"""


def holder(folder: Path, refused: str = "") -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder), refused], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"there\n"
    return process


def ended(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(120)
    assert process.stdout is not None
    process.stdout.close()


def test_one_process_at_a_time_works_in_a_folder(tmp_path: Path) -> None:
    held = Running(tmp_path, "restore")
    with pytest.raises(Taken, match=rf"process {os.getpid()} \(restore\) is at work"):
        Running(tmp_path, "gateway")
    held.free()
    Running(tmp_path, "gateway").free()
    assert at_work(tmp_path) is None


def test_nobody_is_at_work_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert at_work(tmp_path / "none") is None
    assert reload(tmp_path / "none") is None


def test_a_killed_process_is_not_at_work_any_more(tmp_path: Path) -> None:
    process = holder(tmp_path)
    found = at_work(tmp_path)
    assert found is not None
    assert (found.pid, found.what) == (process.pid, "gateway")
    ended(process)
    assert at_work(tmp_path) is None


@pytest.mark.parametrize("refused", ["", "rezulto.yaml:3: lists: wrong"])
def test_a_reload_is_waited_for_and_tells_what_came_of_it(tmp_path: Path, refused: str) -> None:
    process = holder(tmp_path, refused)
    try:
        assert reload(tmp_path) == refused
        assert reload(tmp_path) == refused, "each reload is its own"
    finally:
        ended(process)


def test_a_gateway_that_ends_instead_of_reloading_is_not_waited_for(tmp_path: Path) -> None:
    code = HOLDER.replace("held.reloaded(sys.argv[2])", "sys.exit(0)")
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), ""], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"there\n"
    assert reload(tmp_path) is None
    ended(process)


def test_somebody_who_looks_at_that_moment_keeps_nobody_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Running(tmp_path, "gateway").free()
    with (tmp_path / "running").open("rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        monkeypatch.setattr(running.time, "sleep", lambda _: fcntl.flock(looking, fcntl.LOCK_UN))
        held = Running(tmp_path, "gateway")
    assert at_work(tmp_path) is not None
    held.free()


LEFT = {"pid": 2**22 + 1, "what": "gateway", "reloads": 3, "refused": "", "keys": ""}


@pytest.mark.parametrize("written", [b"", json.dumps(LEFT).encode()])
def test_nobody_is_signalled_by_what_an_earlier_process_left_or_none_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: bytes
) -> None:
    """The lock is taken first and then written about."""
    held, signalled = Running(tmp_path, "gateway"), []
    (tmp_path / "running").write_bytes(written)

    def kill(pid: int, number: int) -> None:
        signalled.append(pid)
        if pid != os.getpid():
            raise ProcessLookupError

    def sleep(_: float) -> None:
        held.reloaded("")

    monkeypatch.setattr(running.os, "kill", kill)
    monkeypatch.setattr(running.time, "sleep", sleep)
    assert reload(tmp_path) == ""
    held.free()
    assert signalled[-1] == os.getpid()
    assert 0 not in signalled
