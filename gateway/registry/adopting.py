"""Accepting a registry that this node does not know: a deliberate act of a named operator (I-13).

what:       brings registry and block journal together, so that every block of either is in both
takes→gives: paths, owner, `Act` → what was done, in words
knows not:  look-ups, asyncio
fails by:   `RegistryMistrusted` for other keys or another organisation; `JournalDamaged`; `sqlite3.Error`, `OSError`
standard:   I-10, I-13
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from gateway.registry import identity as identities
from gateway.registry import rotation, schema, web
from gateway.registry.identity import Identity
from gateway.registry.journal import Journal
from gateway.registry.opening import Owner, connect, journal_of, new_journal, new_registry, remember
from gateway.registry.places import Places
from gateway.registry.protocol import Act, RegistryMistrusted
from gateway.registry.record import JournalDamaged
from gateway.registry.writer import Writer


def adopt(places: Places, owner: Owner, act: Act) -> list[str]:
    """Accept what is there. A missing or empty registry is made new and gets every block of the journal.

    A registry with other keys, or of another organisation, is never accepted. The act is noted in the registry.
    """
    done: list[str] = []
    journal = _journal(places, owner, done)
    try:
        connection = _connection(places, owner, journal, done)
        try:
            _join(places, owner, connection, journal, done)
            Writer(places, connection, journal, owner.pseudonyms).act(replace(act, what=f"adopt: {'; '.join(done)}"))
        finally:
            connection.close()
    finally:
        journal.close()
    return done


def _journal(places: Places, owner: Owner, done: list[str]) -> Journal:
    if places.journal.exists():
        return journal_of(places, owner)
    done.append("made a new block journal")
    return new_journal(places, owner)


def _connection(places: Places, owner: Owner, journal: Journal, done: list[str]) -> sqlite3.Connection:
    if _is_empty(places):
        _set_aside(places)
        new_registry(places, owner, journal)
        done.append("made a new registry")
    return connect(places, owner)


def _is_empty(places: Places) -> bool:
    if not places.registry.exists() or places.registry.stat().st_size == 0:
        return True
    connection = schema.reading(places.registry)
    try:
        identities.read(connection)
    except RegistryMistrusted:
        return True
    finally:
        connection.close()
    return False


def _set_aside(places: Places) -> None:
    # Also the write-ahead log: SQLite would play a stale one into the new file.
    for suffix in ("", "-wal", "-shm"):
        old = places.registry.with_name(places.registry.name + suffix)
        if old.exists():
            old.rename(old.with_name(old.name + ".set-aside"))


def _join(places: Places, owner: Owner, connection: sqlite3.Connection, journal: Journal, done: list[str]) -> None:
    journal.verify()
    found = identities.read(connection)
    if found.lowest < owner.pseudonyms.version:
        connection.execute("BEGIN IMMEDIATE")
        found = rotation.lift_all(connection, found, owner.pseudonyms)
        identities.write(connection, found)
        connection.execute("COMMIT")
    fits = _fits(found, journal)
    if not fits:
        found = replace(found, journal=journal.head.identity, applied=journal.head.start)
    if not _web_fits(places, found):
        found = replace(found, web=None, ingested=None)
        done.append("took in the web journal from its start")
    identities.write(connection, found)
    remember(places, replace(found, applied=journal.head.start))
    writer = Writer(places, connection, journal, owner.pseudonyms)
    writer.ingest()
    done.append(f"registry holds all {journal.end.position - found.applied.position} blocks it had not taken in")
    if not fits:
        done.append(f"put the registry's own {writer.seed()} blocks into the journal")
    remember(places, identities.read(connection))


def _fits(identity: Identity, journal: Journal) -> bool:
    if identity.journal != journal.head.identity:
        return False
    try:
        journal.check(identity.applied)
    except JournalDamaged:
        return False
    return True


def _web_fits(places: Places, identity: Identity) -> bool:
    try:
        found = web.find(places.web, identity)
    except JournalDamaged:
        return False
    if found is not None:
        found[0].close()
    return True
