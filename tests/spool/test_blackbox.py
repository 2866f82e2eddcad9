"""I-3: a message that killed workers is known before it is parsed again."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.spool.blackbox import Blackbox, note_crash

_ROOT = Path(__file__).parents[2]
DIGEST = hashlib.sha256(b"a message").digest()
_DIES = """
import os, signal, sys
from pathlib import Path
from gateway.spool.blackbox import Blackbox
box = Blackbox(Path(sys.argv[1]), int(sys.argv[2]))
with box.holding(bytes.fromhex(sys.argv[3])):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def dies_parsing(state: Path, worker: int, digest: bytes) -> None:
    ran = subprocess.run([sys.executable, "-c", _DIES, str(state), str(worker), digest.hex()], cwd=_ROOT, check=False)
    assert ran.returncode == -signal.SIGKILL


def test_a_killed_worker_names_the_message_it_was_parsing(tmp_path: Path) -> None:
    watching = Blackbox(tmp_path, 1)
    assert watching.crashes(DIGEST) == 0
    for deaths in (1, 2):
        dies_parsing(tmp_path, 0, DIGEST)
        assert note_crash(tmp_path, 0) == [DIGEST.hex()]
        assert watching.crashes(DIGEST) == deaths, "workers that lived on see it at once"
    assert watching.crashes(hashlib.sha256(b"another").digest()) == 0
    watching.close()


def test_a_crash_is_counted_once(tmp_path: Path) -> None:
    dies_parsing(tmp_path, 0, DIGEST)
    assert note_crash(tmp_path, 0) == [DIGEST.hex()]
    assert note_crash(tmp_path, 0) == []


def test_a_worker_that_ended_between_messages_counts_nothing(tmp_path: Path) -> None:
    box = Blackbox(tmp_path, 0)
    with box.holding(DIGEST):
        pass
    with pytest.raises(RuntimeError), box.holding(DIGEST):
        raise RuntimeError("a fault that the worker survives")
    assert note_crash(tmp_path, 0) == []
    assert note_crash(tmp_path, 5) == []
    assert not (tmp_path / "crashes.json").exists()
    box.close()


def test_several_messages_at_once_are_all_named(tmp_path: Path) -> None:
    box = Blackbox(tmp_path, 0)
    digests = [hashlib.sha256(bytes([n])).digest() for n in range(10)]
    places = [box.enter(digest) for digest in digests]
    assert note_crash(tmp_path, 0, 1.0) == sorted(digest.hex() for digest in digests[:8])
    for place in places:
        box.leave(place)
    box.enter(DIGEST)
    box.close()


def test_old_crashes_are_forgotten(tmp_path: Path) -> None:
    box = Blackbox(tmp_path, 0)
    for at in (0.0, 31 * 86400.0):
        box.enter(DIGEST if at == 0.0 else b"n" * 32)
        note_crash(tmp_path, 0, at)
        box = Blackbox(tmp_path, 0)
    assert box.crashes(DIGEST) == 0
    assert box.crashes(b"n" * 32) == 1
    box.close()


def test_damaged_counts_are_kept_aside_and_counting_goes_on(tmp_path: Path) -> None:
    counts = tmp_path / "crashes.json"
    counts.write_text('{"half": ')
    box = Blackbox(tmp_path, 0)
    assert box.crashes(DIGEST) == 0
    assert (tmp_path / "crashes.damaged").exists()
    box.enter(DIGEST)
    note_crash(tmp_path, 0, 7.0)
    assert json.loads(counts.read_text()) == {DIGEST.hex(): [1, 7.0]}
    box.close()


def test_a_wrong_digest_is_refused(tmp_path: Path) -> None:
    box = Blackbox(tmp_path, 0)
    with pytest.raises(ValueError, match="32"):
        box.enter(b"short")
    box.close()


def test_the_file_tells_nothing_but_a_digest(tmp_path: Path) -> None:
    box = Blackbox(tmp_path, 0)
    box.enter(DIGEST)
    assert (tmp_path / "blackbox-0").read_bytes().strip(b"\0") == DIGEST
    assert (tmp_path / "blackbox-0").stat().st_mode & 0o777 == 0o600
    box.close()
