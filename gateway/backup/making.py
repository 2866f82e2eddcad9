"""A backup of everything an organisation needs, made while the gateway works; whole or not at all.

what:       consistent copies, in the order that keeps them consistent with each other, and a manifest
takes→gives: settings → a new folder
knows not:  keys (they have their escrow), SQL, mail in flight
fails by:   `BackupRefused`, `CredentialsError`, `RegistryUnavailable` and their like, `OSError`: nothing is left then
standard:   L-06; I-13; docs/backup.md says what is in it, what is not, and why
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.audit import backing_up as audit
from gateway.backup import files
from gateway.backup.manifest import FILE, Manifest, Owner, kept, paths_in
from gateway.cases import backing_up as cases
from gateway.config.credentials import Credentials
from gateway.config.ids import FILE as IDS
from gateway.config.load import Loaded
from gateway.config.organisation import Organisation
from gateway.registry import backing_up as registries
from gateway.registry.backing_up import Copied
from gateway.registry.identity import check_keys
from gateway.registry.places import Places, places

DATED = "%Y%m%dT%H%M%SZ"  # names that sort by time
_NAME = re.compile(r"\d{8}T\d{6}Z")


class BackupRefused(Exception):
    """It cannot be begun."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is backed up: the settings in force, at `now` (Unix seconds), by this version of the software."""

    loaded: Loaded
    credentials: Credentials
    now: float
    software: str

    @property
    def shared(self) -> bool:
        """The registries are in Redis, which has backups of its own; everything else of the node is here."""
        return self.loaded.gateway.registry.backend == "redis"

    @property
    def state(self) -> Path:
        return self.loaded.gateway.state

    def places(self, organisation: Organisation) -> Places:
        return places(self.state, organisation.name, self.loaded.gateway.web_folder)


def make(target: Path, source: Source) -> Manifest:
    """Make folder `target`, which must not be there."""
    with _whole(target) as folder:
        manifest = _fill(folder, source)
        files.write(folder / FILE, manifest.pack())
    return manifest


def oldest(folder: Path, keep: int) -> list[Path]:
    """Dated backups in `folder` but the `keep` newest; nothing that is not a backup by its name and its manifest."""
    found = sorted(p for p in folder.iterdir() if _NAME.fullmatch(p.name) and (p / FILE).is_file())
    return found[:-keep]


def _fill(folder: Path, source: Source) -> Manifest:
    _settings(folder, source.loaded)
    _copy_if_there(source.state / IDS, folder / IDS)
    owners = tuple(_organisation(folder, source, o) for o in source.loaded.organisations)
    _audit(folder, source.state / "spool")
    content = tuple(kept(folder, path) for path in paths_in(folder))
    return Manifest(source.now, source.software, source.loaded.version, owners, content)


def _organisation(folder: Path, source: Source, organisation: Organisation) -> Owner:
    """Registry first, then its journal, then the page's: each newer than what was taken of it before."""
    where, name = source.places(organisation), organisation.name
    held = None if source.shared else _registry(folder, where, name)
    pseudonyms = source.credentials.pseudonyms(organisation)
    if held is not None:
        check_keys(held.identity, organisation.id, pseudonyms)
    layer = held.identity.layer if held else pseudonyms.version
    journal = registries.copy_journal(where.journal, _in(folder, f"journal/{name}.journal"))
    web = 0
    if where.web.exists():
        web = registries.copy_journal(where.web, _in(folder, f"web/{name}.journal")).position
    return Owner(
        name=name,
        id=organisation.id,
        registry=held.identity.registry.hex() if held else "",
        key_check=pseudonyms.check_value(layer).hex(),
        layer=layer,
        people=held.people if held else 0,
        events=held.events if held else 0,
        applied=held.identity.applied.position if held else 0,
        journal=journal.position,
        web=web,
        cases=_cases(folder, source.state, name),
    )


def _registry(folder: Path, where: Places, name: str) -> Copied:
    if not where.registry.exists():
        raise BackupRefused(f"registry of {name}: {where.registry} is not there")
    return registries.copy_registry(where.registry, _in(folder, f"registry/{name}.sqlite"))


def _cases(folder: Path, state: Path, name: str) -> int:
    file = state / "cases" / f"{name}.sqlite"
    return cases.copy(file, _in(folder, f"cases/{name}.sqlite")) if file.exists() else 0


def _audit(folder: Path, spool: Path) -> None:
    """Signed checkpoints first: none may speak of a row that is not in the copy."""
    for file in sorted(spool.glob("shard-*.checkpoints")):
        _copy_if_there(file, _in(folder, f"audit/{file.name}"))
    for file in sorted(spool.glob("shard-*.sqlite")):
        audit.copy(file, _in(folder, f"audit/{file.name}"))


def _settings(folder: Path, loaded: Loaded) -> None:
    home = next(iter(loaded.texts)).absolute().parent
    for path, octets in loaded.texts.items():
        inside = path.absolute().relative_to(home) if path.absolute().is_relative_to(home) else Path(path.name)
        files.write(_in(folder, f"settings/{inside.as_posix()}"), octets)


def _copy_if_there(source: Path, target: Path) -> None:
    if source.exists():
        files.write(target, source.read_bytes())


def _in(folder: Path, path: str) -> Path:
    place = folder / path
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A folder beside `target` that takes its name when all is in it, and goes when anything fails."""
    if os.path.lexists(target):
        raise BackupRefused(f"{target} is there already; a backup is never written over")
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    draft.mkdir(mode=0o700)
    try:
        yield draft
        files.sync_all(draft)
        draft.rename(target)
        files.sync(target.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
