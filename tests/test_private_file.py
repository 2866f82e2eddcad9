"""A file is private from its first moment on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway import private_file


def test_a_new_file_and_its_folder_are_this_users_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        private_file.make(tmp_path / "new" / "a.sqlite")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / "a.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    path.chmod(0o640)
    private_file.make(path)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"x", 0o640)


def test_who_makes_it_at_the_same_moment_has_made_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    monkeypatch.setattr(Path, "exists", lambda _: False)
    private_file.make(path)
    assert path.read_bytes() == b"x"


def test_a_file_in_use_is_not_even_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing it again would drop the locks that this process has on it."""
    path = tmp_path / "a"
    path.write_bytes(b"x")
    opened: list[object] = []
    monkeypatch.setattr(os, "open", lambda *of: opened.append(of))
    private_file.make(path)
    assert opened == []
