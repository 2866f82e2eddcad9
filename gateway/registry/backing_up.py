"""Copies of a registry and its journals for a backup, made while others write; and a copy made ready to be put back.

what:       one consistent snapshot without free pages; the whole records of a journal
takes→gives: paths → files and what is in them
knows not:  where backups are kept, manifests
fails by:   `RegistryUnavailable`, `RegistryMistrusted`
standard:   DESIGN §4 Block journal; L-06. SQLite "VACUUM INTO": a snapshot, as the backup API makes, but only of what
            is there: content that was deleted is not carried into a backup
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gateway.registry import durable, schema, store
from gateway.registry import identity as identities
from gateway.registry.faults import as_registry_errors
from gateway.registry.identity import Identity
from gateway.registry.journal import Journal
from gateway.registry.record import JournalDamaged, Mark, Record


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds."""

    identity: Identity
    people: int
    events: int


def copy_registry(source: Path, target: Path) -> Copied:
    """A copy of a registry at work. `target` must not be there."""
    with as_registry_errors():
        with closing(_connect(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
        _settle(target)
        with closing(_connect(target)) as connection:
            return _held(connection)


def copy_journal(source: Path, target: Path) -> Mark:
    """Every whole record there is now; gives how far it reaches. Copy a registry before its journal."""
    end = journal_end(source)
    with as_registry_errors():
        with source.open("rb") as stream:
            octets = stream.read(end.offset)
        durable.create(target, octets, 0o600)
    return end


def stage(source: Path, target: Path) -> Copied:
    """A copy of a backup's registry beside where it will go, brought to this program's schema."""
    with as_registry_errors():
        shutil.copyfile(source, target)
        with closing(schema.writing(target)) as connection:
            schema.migrate(connection)
            held = _held(connection)
            connection.execute("PRAGMA journal_mode = DELETE")  # no log beside it that could be taken for another's
        _settle(target)
    return held


def journal_end(path: Path) -> Mark:
    """How far a journal reaches, all of it checked. Raises `RegistryMistrusted`, `RegistryUnavailable`."""
    with as_registry_errors():
        journal = Journal.open(path, write=False)
        try:
            return journal.verify()
        finally:
            journal.close()


def lacking(present: Path, older: Path) -> list[Record]:
    """Records of the journal `older` that `present` may lack: none where it holds all of it, else every one."""
    with as_registry_errors():
        journal, other = Journal.open(present, write=False), Journal.open(older, write=False)
        try:
            end = other.verify()
            if journal.head.identity == other.head.identity:
                journal.check(end)
                return []
        except JournalDamaged:
            pass  # shorter than the older one, or another one under its name
        finally:
            journal.close()
            other.close()
    return records_of(older)


def records_of(path: Path, since: Identity | None = None) -> list[Record]:
    """All records of a journal, or those that a registry of this identity has not taken in."""
    with as_registry_errors():
        journal = Journal.open(path, write=False)
        try:
            return journal.since(_start(journal, since))
        finally:
            journal.close()


def _start(journal: Journal, since: Identity | None) -> Mark:
    if since is not None and since.journal == journal.head.identity:
        try:
            journal.check(since.applied)
            return since.applied
        except JournalDamaged:
            pass  # shorter than what that registry had seen
    return journal.head.start


def blocks_of(path: Path) -> list[Record]:
    """Every block in force in a registry file that is not in use, as journal records; none where it cannot be read."""
    if not path.exists():
        return []
    try:
        with closing(schema.reading(path)) as connection:
            return list(store.blocks(connection))
    except sqlite3.Error:
        return []


def add_blocks(journal: Path, records: Sequence[Record]) -> None:
    """Append to a copy of a journal that is not in use."""
    with as_registry_errors():
        opened = Journal.open(journal)
        try:
            opened.append(records)
        finally:
            opened.close()


def _held(connection: sqlite3.Connection) -> Copied:
    people = connection.execute("SELECT COUNT(*) FROM state").fetchone()[0]
    events = connection.execute("SELECT COUNT(*) FROM events").fetchone()[0]
    return Copied(identities.read(connection), int(people), int(events))


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=10.0)


def _settle(path: Path) -> None:
    path.chmod(0o600)
    file = os.open(path, os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)
