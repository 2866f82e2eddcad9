"""Who was erased, blocked or closed after a backup, made so again in what was put back.

what:       blocks known from elsewhere recorded, tombstones of the journal applied to the events too, cases ended
takes→gives: a registry that was put back → the people erased since
knows not:  files, how a registry is put back
fails by:   `RegistryUnavailable`, `CasesUnavailable`
standard:   I-10; L-06 (erased people stay erased); GDPR 17
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.backup.checking import Part
from gateway.cases.protocol import Step
from gateway.cases.sealing import CaseKeys
from gateway.cases.sqlite import SQLiteCases
from gateway.config.credentials import Credentials
from gateway.facts import BlockKind
from gateway.pseudonym import Person
from gateway.registry import backing_up as registries
from gateway.registry import folding
from gateway.registry.opening import Owner
from gateway.registry.places import Places
from gateway.registry.protocol import Act, EventKind, Evidence
from gateway.registry.record import Record
from gateway.registry.sqlite import SQLiteRegistry

_BATCH = 2000
_STAYS = (EventKind.ERASURE, EventKind.RETAINED)


@dataclass(frozen=True, slots=True)
class Again:
    """What was done, in words, and the exact pseudonyms (newest layer) of people erased since the backup."""

    done: list[str]
    erased: list[bytes]


def again(part: Part, where: Places, act: Act, made: float, known: Sequence[Record]) -> Again:
    """Make it so again, and note who put which backup back. May be done twice."""
    return asyncio.run(_again(part, where, act, made, known))


async def _again(part: Part, where: Places, act: Act, made: float, known: Sequence[Record]) -> Again:
    registry = SQLiteRegistry(where, Owner(part.organisation.id, part.pseudonyms))
    try:
        done = await _record(registry, part, known)
        since = _erased(part, where)
        for person, at in since:
            await _erase(registry, person, at)
        if since:
            done.append(f"{len(since)} people erased since are erased again")
        await registry.act(replace(act, what=f"restore: backup made at {int(made)}"), None)
    finally:
        registry.close()
    return Again(done, [person.exact for person, _ in since])


async def _record(registry: SQLiteRegistry, part: Part, known: Sequence[Record]) -> list[str]:
    for start in range(0, len(known), _BATCH):
        await registry.record(folding.events_of(known[start : start + _BATCH], part.pseudonyms))
    return [f"took over {len(known)} blocks known from elsewhere"] if known else []


def erased(part: Part, where: Places) -> list[bytes]:
    """Exact pseudonyms (newest layer) of everybody whom the journal has erased since."""
    return [person.exact for person, _ in _erased(part, where)]


def _erased(part: Part, where: Places) -> list[tuple[Person, int]]:
    """Tombstones that the journal got after the backup's registry: all, where it is another journal."""
    records = registries.records_of(where.journal, part.identity)
    found = {r.newest(part.pseudonyms): r for r in records if r.kind is BlockKind.ERASURE}
    return [(r.person(part.pseudonyms), int(r.at)) for r in found.values()]


async def _erase(registry: SQLiteRegistry, person: Person, at: int) -> None:
    """The journal's replay took the events; what came in after it, as a dated block known from elsewhere, goes too."""
    if any(event.kind not in _STAYS for _, event in await registry.history(person)):
        await registry.erase(person, at, Evidence("system", channel="journal"))


def end_cases(file: Path, part: Part, credentials: Credentials, gone: Sequence[bytes], act: Act) -> tuple[int, int]:
    """End the cases of people erased since; gives how many were ended, and how many are open still."""
    return asyncio.run(_end_cases(file, part, credentials, frozenset(gone), act))


async def _end_cases(
    file: Path, part: Part, credentials: Credentials, gone: frozenset[bytes], act: Act
) -> tuple[int, int]:
    name = part.organisation.name
    store = SQLiteCases(file, CaseKeys(name, credentials.case_keys(name)), part.pseudonyms)
    try:
        there = await store.cases()
        over = [case for case in there if case.person is not None and case.person.exact in gone]
        for case in over:
            await store.finish(case, Step(act.at, act.operator, "restored: the person was erased since"), None)
        return len(over), len(there) - len(over)
    finally:
        await store.close()
