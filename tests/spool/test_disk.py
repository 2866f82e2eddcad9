"""What the disk refuses, the client keeps (R-013): refusals here are the kernel's own."""

from __future__ import annotations

import errno
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.spool.disk import Lock, ShardTaken, probe, trouble, write_whole
from gateway.spool.protocol import EntryBroken, SpoolFull, SpoolUnavailable, State
from tests.spool.mail import audited, opened

_ROOT = Path(__file__).parents[2]


def refused(folder: Path, *words: str) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.spool.refusal", str(folder), *words],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    said: dict[str, Any] = json.loads(ran.stdout)
    return said


@pytest.mark.parametrize(
    ("calls", "error", "outcome"),
    [("fsync", "EIO", "SpoolUnavailable"), ("write", "ENOSPC", "SpoolFull"), ("write", "EIO", "SpoolUnavailable")],
)
async def test_mail_that_cannot_reach_the_disk_is_not_taken(
    tmp_path: Path, calls: str, error: str, outcome: str
) -> None:
    said = refused(tmp_path, calls, error)
    # Mail syncs the slots first; audit rows and updates show that the database alone is synced before the answer, too.
    assert [said[what] for what in ("mail", "audit", "update")] == [outcome] * 3
    assert said["entries"] == ["before"]
    assert said["trouble"]
    async with opened(tmp_path) as spool:
        (entry,) = await spool.entries()
        assert entry.message == "before"
        assert (await spool.open(entry)).body
        assert spool.broken == 0
        assert len(list(spool._slots.used())) == 1
    assert ("accepted", "after") not in audited(tmp_path)


@pytest.mark.parametrize("suffix", ["-wal", ".slots"])
async def test_mail_refused_by_one_file_never_leaves(tmp_path: Path, suffix: str) -> None:
    """After a failed sync of its log SQLite may find the transaction again at the next start; its key is gone then."""
    assert refused(tmp_path, "fsync", "EIO", suffix)["mail"] == "SpoolUnavailable"
    async with opened(tmp_path) as spool:
        assert [e.message for e in await spool.claim(10.0, 10)] == ["before"]
        came_back = await spool.entries(message="after")
        assert len(came_back) == (suffix == "-wal")
        for entry in came_back:
            assert entry.state is State.QUARANTINED
            with pytest.raises(EntryBroken):
                await spool.open(entry)


def test_a_probe_leaves_nothing_behind(tmp_path: Path) -> None:
    probe(tmp_path / "new" / "spool")
    assert list((tmp_path / "new" / "spool").iterdir()) == []
    assert (tmp_path / "new" / "spool").stat().st_mode & 0o777 == 0o700


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "counts"
    write_whole(path, b"old")
    write_whole(path, b"new" * 100_000)
    assert path.read_bytes() == b"new" * 100_000
    assert [p.name for p in tmp_path.iterdir()] == ["counts"]
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "nowhere" / "counts", b"x")


def test_a_lock_is_held_once_and_free_again(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "shard-0.lock")
    with pytest.raises(ShardTaken, match="one process per shard"):
        Lock(tmp_path / "shard-0.lock")
    lock.free()
    lock.free()
    Lock(tmp_path / "shard-0.lock").free()


def test_another_process_is_refused_and_named(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "shard-0.lock")
    code = "import sys; from pathlib import Path; from gateway.spool.disk import Lock; Lock(Path(sys.argv[1]))"
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "shard-0.lock")],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    lock.free()
    assert ran.returncode == 1
    assert "shard-0 is owned by process" in ran.stderr


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ENOSPC, "x"), SpoolFull),
        (OSError(errno.EDQUOT, "x"), SpoolFull),
        (OSError(errno.EIO, "x"), SpoolUnavailable),
        (sqlite3.OperationalError("locked"), SpoolUnavailable),
        (MemoryError(), SpoolUnavailable),
    ],
)
def test_trouble_has_two_names(error: BaseException, kind: type[SpoolUnavailable]) -> None:
    assert type(trouble(error)) is kind
    assert trouble(trouble(error)).args == trouble(error).args
