"""May this backup be put back here? Everything is asked before anything is touched.

what:       damage, other keys, other organisations; a registry made ready in a folder of its own
takes→gives: an unpacked backup, settings and keys → `Ready`
knows not:  what is there now, how files are moved
fails by:   `BackupDamaged`, `RestoreRefused` with every reason
standard:   I-12, I-13; docs/backup.md
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.backup.manifest import Manifest, Owner, verify
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.load import Loaded
from gateway.config.organisation import Organisation
from gateway.pseudonym import Pseudonyms
from gateway.registry import backing_up as registries
from gateway.registry.identity import Identity, check_keys
from gateway.registry.protocol import RegistryUnavailable


class RestoreRefused(Exception):
    """It was not begun, and nothing was changed. `reasons`: one line each."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = list(reasons)
        super().__init__("\n".join(reasons))


@dataclass(frozen=True, slots=True)
class Part:
    """One organisation to be put back: its registry as the backup had it, ready to be moved into place."""

    organisation: Organisation
    pseudonyms: Pseudonyms
    owner: Owner
    identity: Identity | None
    registry: Path | None
    """None, as `identity`, where the registry is in Redis and not in the backup."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A backup that fits. `folder` is where it lies unpacked."""

    folder: Path
    manifest: Manifest
    parts: tuple[Part, ...]


def ready(folder: Path, staging: Path, loaded: Loaded, credentials: Credentials, only: str = "") -> Ready:
    """Check everything; registries of the backup come into `staging`, which is made. `only`: one organisation."""
    manifest = verify(folder)
    wanted = [o for o in manifest.organisations if only in ("", o.name)]
    if not wanted:
        raise RestoreRefused(f"the backup has no organisation {only!r}" if only else "the backup has no organisation")
    reasons = [reason for owner in wanted for reason in _strange(owner, loaded, credentials)]
    if reasons:
        raise RestoreRefused(*reasons)
    (staging / "registry").mkdir(mode=0o700, parents=True)
    parts: list[Part] = []
    for owner in wanted:
        try:
            parts.append(_part(folder, staging, owner, loaded.organisation(owner.name), credentials))
        except (RegistryUnavailable, CredentialsError) as error:
            reasons.append(f"{owner.name}: {error}")
    if reasons:
        raise RestoreRefused(*reasons)
    return Ready(folder, manifest, tuple(parts))


def _strange(owner: Owner, loaded: Loaded, credentials: Credentials) -> Iterator[str]:
    here = next((o for o in loaded.organisations if o.name == owner.name), None)
    if here is None:
        yield f"{owner.name}: is not in these settings"
    elif here.id != owner.id:
        yield f"{owner.name}: is organisation {owner.id} in the backup and {here.id} in these settings"
    elif bool(owner.registry) == (loaded.gateway.registry.backend == "redis"):
        where = "in it, and these settings keep it in Redis" if owner.registry else "in Redis and so not in it"
        yield f"{owner.name}: the backup's registry is {where}; docs/backup.md says what to do"
    else:
        yield from _other_keys(owner, here, credentials)


def _other_keys(owner: Owner, here: Organisation, credentials: Credentials) -> Iterator[str]:
    try:
        pseudonyms = credentials.pseudonyms(here)
    except CredentialsError as error:
        yield from error.errors
        return
    if owner.layer > pseudonyms.version:
        yield f"{owner.name}: the backup uses a newer pseudonym key than is here"
    elif pseudonyms.check_value(owner.layer).hex() != owner.key_check:
        yield f"{owner.name}: the backup was made with other pseudonym keys"


def _part(folder: Path, staging: Path, owner: Owner, organisation: Organisation, credentials: Credentials) -> Part:
    pseudonyms = credentials.pseudonyms(organisation)
    if not owner.registry:
        return Part(organisation, pseudonyms, owner, None, None)
    place = staging / "registry" / f"{owner.name}.sqlite"
    held = registries.stage(folder / "registry" / f"{owner.name}.sqlite", place)
    check_keys(held.identity, organisation.id, pseudonyms)
    return Part(organisation, pseudonyms, owner, held.identity, place)


def clear(staging: Path) -> None:
    """Take away what `ready` made."""
    shutil.rmtree(staging, ignore_errors=True)
