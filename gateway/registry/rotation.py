"""Bringing all rows to the newest pseudonym layer while mail flows on; cut off, it goes on where rows are still old.

what:       moves a registry to a layer, then its state rows: those in use at once, the others in batches
takes→gives: rows of older layers → the same rows under the newest; `Identity` before → after
knows not:  why keys rotate, commits (the caller's), events (they know people by number, so they stay as they are)
fails by:   `sqlite3.Error`; `RegistryUnavailable` for somebody whose older pseudonyms are not at hand
standard:   DESIGN §4 Pseudonyms; I-10

The order that forgets no block: every process takes the keys (reload) · one commit moves the layer and key check, so
that a process without the keys stops giving facts with its very next read · look-ups ask for every layer a row may be
of · a row is lifted before anything is written to it · batches lift the rest · the floor rises. Until then journal
records are written in the lowest layer, which can be lifted to all others; none can be lowered.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway.pseudonym import Person, Pseudonyms
from gateway.registry.identity import Identity
from gateway.registry.protocol import Event, RegistryUnavailable

BATCH = 2000


def begun(identity: Identity, pseudonyms: Pseudonyms) -> Identity:
    """From this on rows are written in the newest layer; those there are may be of any from `lowest` on."""
    if identity.layer >= pseudonyms.version:
        return identity
    newest, check = pseudonyms.version, pseudonyms.check_value()
    return replace(identity, layer=newest, key_check=check, floor=identity.lowest)


def ended(identity: Identity) -> Identity:
    """All rows are of one layer again."""
    return replace(identity, floor=None)


def lift_batch(connection: sqlite3.Connection, after: bytes, layer: int, pseudonyms: Pseudonyms) -> bytes | None:
    """Lift up to `BATCH` rows behind pseudonym `after` to `layer`. Gives the last one, None at the end."""
    rows = connection.execute(
        "SELECT pseudonym, layer FROM state WHERE pseudonym > ? AND layer < ? ORDER BY pseudonym LIMIT ?",
        (after, layer, BATCH),
    ).fetchall()
    _move(connection, [(p, pseudonyms.lift(p, was, layer)) for p, was in rows], layer)
    return bytes(rows[-1][0]) if rows else None


def lift_all(connection: sqlite3.Connection, identity: Identity, pseudonyms: Pseudonyms) -> Identity:
    """Everything at once, inside the caller's transaction: before older records can be understood, or nobody waits."""
    identity = begun(identity, pseudonyms)
    after: bytes | None = b""
    while after is not None:
        after = lift_batch(connection, after, identity.layer, pseudonyms)
    return ended(identity)


def bring(connection: sqlite3.Connection, people: Iterable[Person], identity: Identity) -> None:
    """Lift the rows of these people, each given in its newest layer, so that what is written now meets them."""
    moves: dict[bytes, bytes] = {}
    older_layers = identity.layers[:-1]
    for person in people if older_layers else ():
        new = at(person, identity.layer)
        for older in (at(person, layer) for layer in older_layers):
            moves[older.exact], moves[older.wide] = new.exact, new.wide
    _move(connection, list(moves.items()), identity.layer)


def placed(
    connection: sqlite3.Connection, events: Sequence[Event], identity: Identity, pseudonyms: Pseudonyms
) -> list[Event]:
    """The events about people of the layer that rows are written in; the rows they meet are lifted."""
    people = [pseudonyms.brought(e.person) for e in events]
    bring(connection, people, identity)
    people = [at(p, identity.layer) for p in people]
    return [e if p is e.person else replace(e, person=p) for e, p in zip(events, people, strict=True)]


def at(person: Person, layer: int) -> Person:
    """The person in that layer. Raises `RegistryUnavailable`: to guess would be to forget a block."""
    try:
        return person.at(layer)
    except ValueError as error:
        raise RegistryUnavailable(f"while rows are lifted to a new pseudonym layer: {error}") from None


def waiting(connection: sqlite3.Connection, layer: int) -> int:
    """How many rows are of an older layer than `layer`."""
    return int(connection.execute("SELECT COUNT(*) FROM state WHERE layer < ?", (layer,)).fetchone()[0])


def _move(connection: sqlite3.Connection, moves: Sequence[tuple[bytes, bytes]], layer: int) -> None:
    """Put rows under another pseudonym. A row that is already there stays, and the change fails: never two in one."""
    connection.executemany(
        "UPDATE state SET pseudonym = ?, layer = ? WHERE pseudonym = ?", [(new, layer, old) for old, new in moves]
    )
