"""A dossier as files: JSON with a published schema, CSV, and a page to read. Each says the same.

what:       `files`, in memory, for each profile; `write`, into a folder of its own; `packed`, as one ZIP
takes→gives: `Dossier`, `Profile` → file name → octets
knows not:  where the dossier comes from, who asked for it
fails by:   `ExportRefused` for a folder that has something in it; `OSError`
standard:   GDPR 15(3), 20(1); RFC 8259, RFC 4180; S-64. Schemas: gateway/rights/schemas/
"""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from enum import StrEnum
from importlib.resources import files as resources
from pathlib import Path

from gateway.rights.dossier import Dossier, when
from gateway.rights.export_page import page
from gateway.rights.tables import PROVIDED, TABLES, Row, columns

VERSION = 1
"""Of the schemas; a change that a reader could trip over makes a new one, beside the old."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# What a person gave, among the facts; the others are ours or a system's.
_GIVEN = frozenset(
    {
        "enrolment",
        "contract",
        "purchase",
        "purchase-declined",
        "subscription",
        "free-account",
        "publication",
        "language",
    }
)
_ZIP_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest that ZIP has, so that equal content gives equal octets


class ExportRefused(Exception):
    """Nothing was written; the text says why."""


class Profile(StrEnum):
    """access: all; portability: what the person gave (S-64); legal: all, for an authority, with its ground (S-39)."""

    ACCESS = "access"
    PORTABILITY = "portability"
    LEGAL = "legal"

    @property
    def schema(self) -> str:
        """Name of the file with the schema of its JSON."""
        return f"{'portability' if self is Profile.PORTABILITY else 'access'}-{VERSION}.schema.json"


def files(dossier: Dossier, profile: Profile) -> dict[str, bytes]:
    """All files of an export, by their name below its folder."""
    tables = selected(dossier, profile)
    return {
        "data.json": _json(dossier, profile, tables),
        profile.schema: resources("gateway.rights").joinpath("schemas", profile.schema).read_bytes(),
        "read-me.html": page(dossier, profile.value, tables).encode(),
        **{f"csv/{name}.csv": as_csv(name, rows) for name, rows in tables.items()},
    }


def selected(dossier: Dossier, profile: Profile) -> dict[str, tuple[Row, ...]]:
    """The tables of this profile, with the rows that belong in it."""
    if profile is not Profile.PORTABILITY:
        return {name: dossier.table(name) for name in TABLES}
    found = {name: dossier.table(name) for name in PROVIDED}
    return found | {"facts": tuple(row for row in found["facts"] if getattr(row, "kind", "") in _GIVEN)}


def packed(content: Mapping[str, bytes]) -> bytes:
    """The same files as one ZIP."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in sorted(content.items()):
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DAY), octets, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def check_folder(folder: Path) -> None:
    """Raise `ExportRefused` unless an export can be written there: nothing is written over or mixed."""
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise ExportRefused(f"{folder}: expected a folder that does not exist yet, or an empty one")


def write(folder: Path, content: Mapping[str, bytes]) -> None:
    """Write into `folder`, which must not exist or be empty; only its owner can read it. Raises `ExportRefused`."""
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name, octets in content.items():
        path = folder / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as stream:
            stream.write(octets)


def as_csv(name: str, rows: Iterable[Row]) -> bytes:
    """One table (RFC 4180; UTF-8 with a mark for spreadsheets). A `'` goes before what would run as a formula."""
    made = io.StringIO(newline="")
    writer = csv.writer(made)  # RFC 4180: commas, CR LF, quotes doubled
    writer.writerow(columns(name))
    writer.writerows([_cell(value) for value in asdict(row).values()] for row in rows)
    return b"\xef\xbb\xbf" + made.getvalue().encode()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _json(dossier: Dossier, profile: Profile, tables: Mapping[str, Iterable[Row]]) -> bytes:
    controller = dossier.organisation.controller
    content = {
        "$schema": profile.schema,
        "version": VERSION,
        "profile": profile.value,
        "made": when(dossier.made),
        "controller": {
            "name": controller.name,
            "postal_address": controller.postal_address,
            "register_number": controller.register_number,
            "policy_url": controller.policy_url,
            "policy_date": controller.policy_date.isoformat(),
        },
        "person": {"address": dossier.address, "known": dossier.known},
        **{name: [asdict(row) for row in rows] for name, rows in tables.items()},
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
