"""A backup as one file, and archives that try to write elsewhere."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from gateway.backup.bundle import is_bundle, pack, unpack
from gateway.backup.manifest import BackupDamaged


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "made"
    (made / "registry").mkdir(parents=True)
    (made / "registry" / "school.sqlite").write_bytes(b"people" * 1000)
    (made / "manifest.json").write_bytes(b"{}")
    return made


@pytest.mark.parametrize("name", ["b.tar", "b.tar.gz", "b.tgz"])
def test_what_was_packed_comes_back(folder: Path, tmp_path: Path, name: str) -> None:
    pack(folder, tmp_path / name)
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    unpack(tmp_path / name, tmp_path / "back")
    files = {p.relative_to(tmp_path / "back").as_posix(): p.read_bytes() for p in (tmp_path / "back").rglob("*.*")}
    assert files == {"registry/school.sqlite": b"people" * 1000, "manifest.json": b"{}"}
    assert {p.stat().st_mode & 0o777 for p in (tmp_path / "back").rglob("*.*")} == {0o600}


def test_a_file_that_is_there_is_not_written_over(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_bytes(b"somebody's")
    with pytest.raises(FileExistsError):
        pack(folder, tmp_path / "b.tar")
    assert (tmp_path / "b.tar").read_bytes() == b"somebody's"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.tar", "made"], "nothing half is left"


def archive(path: Path, name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Path:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, link, 4 if kind == tarfile.REGTYPE else 0
    with tarfile.open(path, "w") as made:
        made.addfile(member, io.BytesIO(b"evil"))
    return path


@pytest.mark.parametrize(
    ("name", "kind", "link"),
    [
        ("../evil", tarfile.REGTYPE, ""),
        ("/tmp/evil", tarfile.REGTYPE, ""),
        ("a/../../evil", tarfile.REGTYPE, ""),
        ("link", tarfile.SYMTYPE, "/etc/passwd"),
        ("hard", tarfile.LNKTYPE, "/etc/passwd"),
        ("fifo", tarfile.FIFOTYPE, ""),
        ("device", tarfile.CHRTYPE, ""),
    ],
)
def test_anything_but_plain_files_inside_is_refused(tmp_path: Path, name: str, kind: bytes, link: str) -> None:
    source = archive(tmp_path / "b.tar", name, kind, link)
    with pytest.raises(BackupDamaged, match="no plain file inside"):
        unpack(source, tmp_path / "back")
    assert not (tmp_path / "evil").exists()
    assert list((tmp_path / "back").iterdir()) == []


@pytest.mark.parametrize("octets", [b"", b"not an archive", b"\x1f\x8b" + b"x" * 50])
def test_what_is_no_archive_is_damaged(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "b.tar.gz").write_bytes(octets)
    with pytest.raises(BackupDamaged):
        unpack(tmp_path / "b.tar.gz", tmp_path / "back")


def test_a_cut_off_archive_is_damaged(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "b.tar.gz")
    octets = (tmp_path / "b.tar.gz").read_bytes()
    (tmp_path / "b.tar.gz").write_bytes(octets[: len(octets) // 2])
    with pytest.raises(BackupDamaged):
        unpack(tmp_path / "b.tar.gz", tmp_path / "back")


def test_the_name_says_what_it_is() -> None:
    assert is_bundle(Path("a.tar.gz"))
    assert not is_bundle(Path("a"))
