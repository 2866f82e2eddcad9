"""Files come whole under their name, and moving aside neither deletes nor writes over."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.backup import files


def test_a_copy_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"new")
    place = tmp_path / "room" / "file"
    files.put(tmp_path / "source", place)
    (tmp_path / "source").write_bytes(b"newer")
    files.put(tmp_path / "source", place, 0o640)
    assert place.read_bytes() == b"newer"
    assert place.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in place.parent.iterdir()] == ["file"]


def test_a_draft_that_a_crash_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"new")
    (tmp_path / ".file.copy").write_bytes(b"half")
    files.put(tmp_path / "source", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_nothing_aside_is_ever_written_over(tmp_path: Path) -> None:
    for n in range(3):
        (tmp_path / "file").write_bytes(b"%d" % n)
        files.set_aside(tmp_path / "file", tmp_path / "aside")
    assert not (tmp_path / "file").exists()
    assert {p.name: p.read_bytes() for p in (tmp_path / "aside").iterdir()} == {
        "file": b"0",
        "file.1": b"1",
        "file.2": b"2",
    }


def test_a_new_file_is_new(tmp_path: Path) -> None:
    files.write(tmp_path / "file", b"one")
    with pytest.raises(FileExistsError):
        files.write(tmp_path / "file", b"two")
    assert (tmp_path / "file").read_bytes() == b"one"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
