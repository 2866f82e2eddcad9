"""What a backup holds, in a file beside it: whose, of when, how far, and a digest of every file.

what:       `Manifest` and its JSON; comparing a folder with it
takes→gives: files ↔ `Manifest`; a folder → what is wrong with it
knows not:  what is in the files, how they got there
fails by:   `BackupDamaged`
standard:   L-06; docs/backup.md. The digests show damage and mix-ups; whoever can write the backup can write new ones
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FILE = "manifest.json"
_FORMAT = "briefgeheim backup 1"
_CHUNK = 1 << 20
_PATH = re.compile(r"(?:[\w-][\w.-]*/)*[\w-][\w.-]*")


class BackupDamaged(Exception):
    """The backup is not what was written. `problems`: one line each."""

    def __init__(self, *problems: str) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True, slots=True)
class Kept:
    """One file: path inside the backup, with slashes; octets; SHA-256 in hex."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Owner:
    """One organisation's part. Digests in hex; positions count records; `cases`: not closed at that time.

    `registry` is "" where it was in Redis, and is not in the backup.
    """

    name: str
    id: int
    registry: str
    key_check: str
    layer: int
    people: int
    events: int
    applied: int
    journal: int
    web: int
    cases: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """`at` Unix seconds when it was begun; `settings` the version of the rules in force."""

    at: float
    software: str
    settings: str
    organisations: tuple[Owner, ...]
    files: tuple[Kept, ...]

    def pack(self) -> bytes:
        """JSON, with a digest of itself."""
        content = {"format": _FORMAT, **asdict(self)}
        return json.dumps({**content, "digest": _digest(content)}, indent=1).encode() + b"\n"

    @classmethod
    def unpack(cls, octets: bytes) -> Manifest:
        """Raises `BackupDamaged`."""
        try:
            content = json.loads(octets)
            digest = content.pop("digest")
            if content.pop("format") != _FORMAT:
                raise BackupDamaged(f"{FILE}: not a backup of this version")
            if digest != _digest({"format": _FORMAT, **content}):
                raise BackupDamaged(f"{FILE}: was changed after it was written")
            owners = tuple(Owner(**owner) for owner in content.pop("organisations"))
            files = tuple(Kept(**kept) for kept in content.pop("files"))
            return cls(organisations=owners, files=files, **content)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BackupDamaged(f"{FILE}: not a manifest") from None

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Raises `BackupDamaged`."""
        try:
            return cls.unpack((folder / FILE).read_bytes())
        except OSError as error:
            raise BackupDamaged(f"{folder}: no backup here: {FILE}: {error.strerror}") from None

    def owner(self, name: str) -> Owner | None:
        return next((o for o in self.organisations if o.name == name), None)

    def has(self, path: str) -> bool:
        return any(kept.path == path for kept in self.files)


def kept(folder: Path, path: str) -> Kept:
    """A file as it is now."""
    digest, size = hashlib.sha256(), 0
    with (folder / path).open("rb") as stream:
        while octets := stream.read(_CHUNK):
            digest.update(octets)
            size += len(octets)
    return Kept(path, size, digest.hexdigest())


def paths_in(folder: Path) -> list[str]:
    """Every file below, by its path inside, but the manifest."""
    found = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_symlink() or not p.is_dir())
    return sorted(path for path in found if path != FILE)


def verify(folder: Path) -> Manifest:
    """Every file is there, whole, and nothing else. Raises `BackupDamaged` with every problem."""
    manifest = Manifest.load(folder)
    problems = [*_problems(folder, manifest), *_strangers(folder, manifest)]
    if problems:
        raise BackupDamaged(*problems)
    return manifest


def _problems(folder: Path, manifest: Manifest) -> Iterator[str]:
    for said in manifest.files:
        place = folder / said.path
        if not _PATH.fullmatch(said.path):
            yield f"{FILE}: {said.path!r} is no path inside a backup"
        elif place.is_symlink() or not place.is_file():
            yield f"{said.path}: missing"
        elif kept(folder, said.path) != said:
            yield f"{said.path}: is not what was written"


def _strangers(folder: Path, manifest: Manifest) -> Iterator[str]:
    known = {said.path for said in manifest.files}
    yield from (f"{path}: is not in the manifest" for path in paths_in(folder) if path not in known)


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
