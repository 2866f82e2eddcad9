"""When a registry may be trusted, and how a new one is made.

what:       opening with every check of I-13; making a new registry
takes→gives: paths, organisation id, keys → `Writer`, caught up with its journal
knows not:  look-ups, asyncio
fails by:   `RegistryMistrusted`; `sqlite3.Error`, `JournalDamaged`, `OSError`, `SchemaTooNew` (the caller maps them)
standard:   I-12, I-13
"""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import ExitStack
from dataclasses import dataclass

from gateway.pseudonym import Pseudonyms
from gateway.registry import durable, node, schema
from gateway.registry import identity as identities
from gateway.registry.identity import Identity, check_keys
from gateway.registry.journal import Journal
from gateway.registry.places import Places
from gateway.registry.protocol import RegistryMistrusted
from gateway.registry.writer import Writer


class RegistryExists(Exception):
    """`init` found something of this organisation already there."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose registry it must be: numeric organisation id and pseudonym keys."""

    organisation: int
    pseudonyms: Pseudonyms


def open_writer(places: Places, owner: Owner) -> Writer:
    """Open a registry that this node knows and replay what it lacks. Creates nothing; lifts no row (`rotation`)."""
    memory = _memory(places)
    _refuse_foreign_log(places, memory)
    with ExitStack() as on_failure:
        connection = connect(places, owner)
        on_failure.callback(connection.close)
        journal = journal_of(places, owner)
        on_failure.callback(journal.close)
        _match(identities.read(connection), journal, memory)
        with journal.locked():
            _catch_up(connection, journal, memory)
        writer = _writer(places, connection, journal, owner)
        if durable.file_id(places.registry) != memory.file:
            with journal.locked():
                remember(places, identities.read(connection))
        on_failure.pop_all()
    return writer


def init(places: Places, owner: Owner) -> None:
    """Make registry, journal and node file. Raises `RegistryExists` where any of them is there."""
    for path in (places.registry, places.journal, places.node):
        if path.exists():
            raise RegistryExists(f"{path} exists; to accept what is there, use --adopt with an operator and a reason")
    journal = new_journal(places, owner)
    try:
        remember(places, new_registry(places, owner, journal))
    finally:
        journal.close()


def _memory(places: Places) -> node.Memory:
    try:
        memory = node.load(places.node)
    except ValueError as error:
        raise RegistryMistrusted(str(error)) from None
    if memory is None:
        raise RegistryMistrusted("this node knows no registry yet: run `registry init`")
    return memory


def _refuse_foreign_log(places: Places, memory: node.Memory) -> None:
    """SQLite plays whatever log lies beside a file into it, also one that belonged to the file before."""
    log = places.registry.with_name(places.registry.name + "-wal")
    replaced = durable.file_id(places.registry) not in (memory.file, None)
    if replaced and log.exists() and log.stat().st_size > 0:
        raise RegistryMistrusted(
            "the registry file was replaced beside an older write-ahead log: stop everything, remove its -wal and -shm"
        )


def connect(places: Places, owner: Owner) -> sqlite3.Connection:
    """A writing connection to an existing registry of this owner, of the newest schema."""
    if not places.registry.exists() or places.registry.stat().st_size == 0:
        raise RegistryMistrusted("the registry file is missing or empty")
    with ExitStack() as on_failure:
        connection = schema.writing(places.registry)
        on_failure.callback(connection.close)
        if schema.version_of(connection) == 0:
            raise RegistryMistrusted("the registry file is empty or not a registry")
        schema.migrate(connection)
        check_keys(identities.read(connection), owner.organisation, owner.pseudonyms)
        on_failure.pop_all()
    return connection


def journal_of(places: Places, owner: Owner) -> Journal:
    """The existing block journal of this owner."""
    try:
        journal = Journal.open(places.journal)
    except FileNotFoundError:
        raise RegistryMistrusted("the block journal is missing") from None
    head, keys = journal.head, owner.pseudonyms
    if head.organisation != owner.organisation:
        journal.close()
        raise RegistryMistrusted("the block journal belongs to another organisation")
    if head.layer > keys.version or head.key_check != keys.check_value(head.layer):
        journal.close()
        raise RegistryMistrusted("the block journal was made with other pseudonym keys")
    return journal


def _match(identity: Identity, journal: Journal, memory: node.Memory) -> None:
    if identity.registry != memory.registry:
        raise RegistryMistrusted("this is another registry than this node knows")
    if journal.head.identity != memory.journal or identity.journal != memory.journal:
        raise RegistryMistrusted("this is another block journal than this node knows")


def _catch_up(connection: sqlite3.Connection, journal: Journal, memory: node.Memory) -> None:
    journal.verify()
    journal.check(memory.seen)
    identity = identities.read(connection)
    journal.check(identity.applied)


def _writer(places: Places, connection: sqlite3.Connection, journal: Journal, owner: Owner) -> Writer:
    writer = Writer(places, connection, journal, owner.pseudonyms)
    if not identities.read(connection).loading:
        writer.ingest()  # replays what the journal has and this registry lacks: a crash, or a backup that was put back
        writer.tidy()
    return writer


def new_journal(places: Places, owner: Owner) -> Journal:
    """Make an empty block journal."""
    keys = owner.pseudonyms
    return Journal.create(
        places.journal, organisation=owner.organisation, layer=keys.version, key_check=keys.check_value()
    )


def new_registry(places: Places, owner: Owner, journal: Journal) -> Identity:
    """Make the registry file, empty, at the start of `journal`."""
    keys = owner.pseudonyms
    identity = Identity(
        registry=uuid.uuid4().bytes,
        organisation=owner.organisation,
        key_check=keys.check_value(),
        layer=keys.version,
        journal=journal.head.identity,
        applied=journal.head.start,
    )
    connection = schema.create(places.registry)
    identities.write(connection, identity)
    connection.close()
    durable.sync_folder(places.registry.parent)
    return identity


def remember(places: Places, identity: Identity) -> None:
    """From now on this is the registry that this node knows."""
    node.store(places.node, identity.memory(durable.must_have_id(places.registry)))
