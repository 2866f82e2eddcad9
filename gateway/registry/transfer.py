"""A whole registry from one backend to another: all of it, proven by count and digest, or nothing.

what:       copies rows into a new registry that stands aside, compares both, and only then puts it in the place
takes→gives: source, target, their files → `Figures`
knows not:  which backend is which, settings, who asked
fails by:   `TransferRefused`; as the registries
standard:   DESIGN §4 Redis; I-10, I-13

The new registry has an identity and a block journal of its own, under names of its own, until both sides have the same
digest and the source has not moved meanwhile. Then its journal and node file take the usual names, and those of the
source are put aside with `.before` behind their names: the source holds all it held, but this node trusts it no more.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.registry import durable
from gateway.registry import identity as identities
from gateway.registry.journal import Journal
from gateway.registry.opening import Owner, connect
from gateway.registry.places import Places
from gateway.registry.protocol import EventRow, PeopleRegistry, StateRow
from gateway.registry.record import RECORD_SIZE, Mark, chain_of

BATCH = 5000  # rows per change of the target


class TransferRefused(Exception):
    """The copy is not the same as the source, or cannot take its place."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Rows and the SHA-256 of all of them, in order; `last` is the highest event number there ever was."""

    states: int
    events: int
    digest: str
    last: int


def aside(places: Places) -> Places:
    """Where a copy stands until it is proven; the page's journal is not there for it before."""
    return replace(
        places,
        registry=_named(places.registry, "copy"),
        journal=_named(places.journal, "copy"),
        web=_named(places.web, "copy"),
        node=_named(places.node, "copy"),
    )


async def copy(source: PeopleRegistry, target: PeopleRegistry, say: Callable[[int], None]) -> Figures:
    """All rows into `target`, which is new; `say` hears how many are done. Raises `TransferRefused`."""
    done = 0
    async for states in _states(source):
        await target.load(states, ())
        done += len(states)
        say(done)
    async for events in _events(source):
        await target.load((), events)
        done += len(events)
        say(done)
    await target.load((), ())
    there, here = await figures(target), await figures(source)
    if (there.states, there.events, there.digest) != (here.states, here.events, here.digest):
        raise TransferRefused(
            f"the copy has {there.states} people and {there.events} events, the source {here.states} and {here.events};"
            " and their digests differ: did something write meanwhile? Stop the gateway and begin again"
        )
    return here


async def figures(registry: PeopleRegistry) -> Figures:
    """Count and digest of everything that a copy takes along."""
    digest, states, events = hashlib.sha256(), 0, 0
    async for some in _states(registry):
        states += len(some)
        digest.update("".join(map(repr, some)).encode())
    async for rows in _events(registry):
        events += len(rows)
        digest.update("".join(map(repr, rows)).encode())
    status = await registry.status()
    return Figures(states, events, digest.hexdigest(), int(status["events"]))


def web_mark(places: Places, position: int) -> tuple[bytes, Mark] | None:
    """The page's journal and the mark behind its record `position`: how far the source has taken it in."""
    if not position:
        return None
    journal = Journal.open(places.web, write=False)
    try:
        with places.web.open("rb") as stream:
            stream.seek(Mark(position, b"").offset - RECORD_SIZE)
            mark = Mark(position, chain_of(stream.read(RECORD_SIZE)))
        journal.check(mark)
        return journal.head.identity, mark
    finally:
        journal.close()


def clear(places: Places) -> None:
    """Remove what a copy that was cut off left aside."""
    for path in _files(aside(places)):
        path.unlink(missing_ok=True)


def put_in_place(places: Places) -> list[str]:
    """The proven copy takes the usual names. The node file comes last: without it, nothing is trusted."""
    done = []
    for path in (places.node, places.journal, *_database(places.registry)):
        new = _named(path, "copy")
        if path.exists() and (new.exists() or path in (places.node, places.journal)):
            old = _unused(path.with_name(path.name + ".before"))
            path.rename(old)
            done.append(f"{path.name} is {old.name} now")
    for path in (*_database(places.registry), places.node.with_suffix(".peers"), places.journal, places.node):
        if (new := _named(path, "copy")).exists():
            new.rename(path)
    for folder in {places.registry.parent, places.journal.parent, places.node.parent}:
        if folder.exists():
            durable.sync_folder(folder)
    return done


async def _states(registry: PeopleRegistry) -> AsyncIterator[Sequence[StateRow]]:
    after = b""
    while rows := await registry.state_rows(after, BATCH):
        yield rows
        after = rows[-1].pseudonym


async def _events(registry: PeopleRegistry) -> AsyncIterator[Sequence[EventRow]]:
    after = 0
    while rows := await registry.event_rows(after, BATCH):
        yield rows
        after = rows[-1].number


def _named(path: Path, word: str) -> Path:
    """`school.sqlite-wal` → `school.copy.sqlite-wal`."""
    return path.with_name(f"{path.stem}.{word}{path.suffix}")


def _database(path: Path) -> list[Path]:
    return [path.with_name(path.name + end) for end in ("-wal", "-shm", "")]


def _files(places: Places) -> list[Path]:
    return [*_database(places.registry), places.journal, places.node, places.node.with_suffix(".peers")]


def _unused(path: Path) -> Path:
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free


def begin_behind(places: Places, owner: Owner, last: int, web: tuple[bytes, Mark] | None) -> None:
    """End a copy into SQLite: numbers go on behind `last`, and the page's journal is taken in behind `web`."""
    connection = connect(places, owner)
    try:
        connection.execute("BEGIN IMMEDIATE")
        if web is not None:
            found = identities.read(connection)
            identities.write(connection, replace(found, web=web[0], ingested=web[1]))
        connection.execute("UPDATE numbering SET last = MAX(last, ?)", (last,))
        connection.execute("COMMIT")
    finally:
        connection.close()
