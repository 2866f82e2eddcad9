"""What a backup says of itself, and that any change of it or of a file shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.backup.manifest import FILE, BackupDamaged, Kept, Manifest, Owner, kept, paths_in, verify

OWNER = Owner("school", 7, "ab" * 16, "cd" * 32, 1, 20, 40, 3, 4, 5, 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry" / "school.sqlite").write_bytes(b"people")
    (tmp_path / "ids.json").write_bytes(b"[]")
    made = Manifest(1000.5, "1.0", "abc", (OWNER,), tuple(kept(tmp_path, p) for p in paths_in(tmp_path)))
    (tmp_path / FILE).write_bytes(made.pack())
    return tmp_path


def test_a_whole_backup_is_verified(folder: Path) -> None:
    found = verify(folder)
    assert found.owner("school") == OWNER
    assert found.owner("nobody") is None
    assert [k.path for k in found.files] == ["ids.json", "registry/school.sqlite"]
    assert found.has("ids.json")


def problem(folder: Path) -> str:
    with pytest.raises(BackupDamaged) as caught:
        verify(folder)
    return str(caught.value)


def test_a_changed_a_missing_and_a_strange_file_are_each_named(folder: Path) -> None:
    (folder / "registry" / "school.sqlite").write_bytes(b"peoplf")
    (folder / "ids.json").unlink()
    (folder / "more").write_bytes(b"")
    assert problem(folder).splitlines() == [
        "ids.json: missing",
        "registry/school.sqlite: is not what was written",
        "more: is not in the manifest",
    ]


def test_a_link_out_of_the_backup_is_not_followed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "ids.json"
    elsewhere.write_bytes(b"[]")
    (folder / "ids.json").unlink()
    (folder / "ids.json").symlink_to(elsewhere)
    assert "ids.json: missing" in problem(folder)


@pytest.mark.parametrize("path", ["../ids.json", "/etc/passwd", "a/../../b", ""])
def test_a_path_out_of_the_backup_is_refused(folder: Path, path: str) -> None:
    made = Manifest(1.0, "1.0", "abc", (), (Kept(path, 0, ""),))
    (folder / FILE).write_bytes(made.pack())
    assert "no path inside a backup" in problem(folder)


def test_a_folder_without_a_manifest_is_no_backup(tmp_path: Path) -> None:
    assert "no backup here" in problem(tmp_path)


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_a_changed_manifest_shows(data: st.DataObject) -> None:
    made = Manifest(1000.5, "1.0", "abc", (OWNER,), (Kept("ids.json", 2, "00"),))
    octets = bytearray(made.pack())
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] = data.draw(st.integers(0, 255))
    try:
        found = Manifest.unpack(bytes(octets))
    except BackupDamaged:
        return
    assert found == made, "only white space may differ without being seen"


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=100)
def test_anything_else_is_not_a_manifest(octets: bytes) -> None:
    with pytest.raises(BackupDamaged):
        Manifest.unpack(octets)
