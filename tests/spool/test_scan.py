"""Looking for octets in raw files without letting go of a database that this process works with."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.spool.scan import found_in

OTHER = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT count(*) FROM t').fetchone(); c.close()"
)


def test_octets_are_found_or_not(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"")
    second.write_bytes(b"\x00abc\xff")
    assert found_in([first, second], [b"zzz", b"bc\xff"])
    assert not found_in([first, second], [b"zzz"])
    assert not found_in([], [b"abc"])


def test_a_file_that_cannot_be_read_is_an_error_not_a_no(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="code 2"):
        found_in([tmp_path / "absent"], [b"x"])


def test_i4_scanning_a_database_in_use_keeps_its_locks(tmp_path: Path) -> None:
    """Otherwise the next visitor takes itself for the last user, and removes the log that we still write."""
    path = tmp_path / "shard.sqlite"
    ours = sqlite3.connect(path, isolation_level=None)
    ours.execute("PRAGMA journal_mode = WAL")
    ours.execute("CREATE TABLE t (x)")
    found_in([path], [b"x"])
    subprocess.run([sys.executable, "-c", OTHER, str(path)], check=True)
    assert path.with_name("shard.sqlite-wal").exists()
    ours.execute("INSERT INTO t VALUES (1)")
    ours.close()
    again = sqlite3.connect(path)
    assert again.execute("SELECT count(*) FROM t").fetchone() == (1,)
    again.close()
