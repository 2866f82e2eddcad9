"""People after a restore: who was erased since is erased again, and their cases end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.address import Address
from gateway.backup import people
from gateway.backup.checking import Part
from gateway.backup.manifest import Owner as Kept
from gateway.cases.protocol import Content
from gateway.cases.sqlite import open_cases
from gateway.config import credentials as files
from gateway.config.credentials import Credentials
from gateway.pseudonym import Person
from gateway.registry import adopting, backing_up
from gateway.registry.opening import Owner, init
from gateway.registry.places import Places, places
from gateway.registry.protocol import Act, EventKind, Evidence
from gateway.registry.sqlite import SQLiteRegistry
from tests.cases.house import STEP, new, outgoing
from tests.config.samples import organisation
from tests.registry.conftest import LIST, MARKETING, event

ALPHA = organisation()
ACT = Act(2_000, "jan", "disk broke", "restore")


@pytest.fixture
def store(tmp_path: Path) -> Credentials:
    made = Credentials(tmp_path / "credentials")
    made.create("alpha.pseudonym", files.new_pseudonym_key())
    made.create("alpha.cases", files.new_case_key())
    return made


@pytest.fixture
def where(tmp_path: Path) -> Places:
    return places(tmp_path / "state", "alpha")


def known(store: Credentials, local: str) -> Person:
    return store.pseudonyms(ALPHA).person(Address.parse(f"{local}@people.example"))


def owner(store: Credentials) -> Owner:
    return Owner(ALPHA.id, store.pseudonyms(ALPHA))


async def put_back(store: Credentials, where: Places, tmp_path: Path) -> Part:
    """A backup with facts of two people, one of whom is erased after it; the older registry is in place again."""
    init(where, owner(store))
    registry = SQLiteRegistry(where, owner(store))
    for name in ("anna", "bert"):
        await registry.record([event(EventKind.ENROLMENT, known(store, name), reference=f"training-{name}")])
    held = backing_up.copy_registry(where.registry, tmp_path / "copy.sqlite")
    await registry.erase(known(store, "anna"), 1_500, Evidence("operator:jan", proof="case 7"))
    registry.close()
    for path in where.registry.parent.iterdir():
        path.unlink()
    backing_up.stage(tmp_path / "copy.sqlite", where.registry)
    adopting.adopt(where, owner(store), ACT)
    kept = Kept("alpha", ALPHA.id, "", "", 0, 2, 2, 0, 0, 0, 1)
    return Part(ALPHA, store.pseudonyms(ALPHA), kept, held.identity, where.registry)


def test_who_was_erased_since_is_erased_again_and_nobody_else(
    store: Credentials, where: Places, tmp_path: Path
) -> None:
    part = asyncio.run(put_back(store, where, tmp_path))
    for _ in range(2):
        found = people.again(part, where, ACT, 1_000.0, [])
        assert found.erased == [known(store, "anna").exact] == people.erased(part, where)

    async def left() -> list[list[EventKind]]:
        registry = SQLiteRegistry(where, owner(store))
        try:
            return [[e.kind for _, e in await registry.history(known(store, n))] for n in ("anna", "bert")]
        finally:
            registry.close()

    anna, bert = asyncio.run(left())
    assert set(anna) <= {EventKind.ERASURE}
    assert bert == [EventKind.ENROLMENT]
    assert not any(b"training-anna" in p.read_bytes() for p in where.registry.parent.iterdir())


def test_blocks_known_from_elsewhere_are_taken_over(store: Credentials, where: Places, tmp_path: Path) -> None:
    part = asyncio.run(put_back(store, where, tmp_path))
    other = places(tmp_path / "other", "alpha")
    init(other, owner(store))

    async def opted_out() -> None:
        registry = SQLiteRegistry(other, owner(store))
        await registry.record([event(EventKind.OPT_OUT, known(store, "bert"), scope) for scope in (LIST, MARKETING)])
        registry.close()

    asyncio.run(opted_out())
    found = people.again(part, where, ACT, 1_000.0, backing_up.lacking(where.journal, other.journal))
    assert "took over 2 blocks known from elsewhere" in found.done

    async def blocks() -> set[object]:
        registry = SQLiteRegistry(where, owner(store))
        try:
            return {b.scope for b in (await registry.facts([known(store, "bert")]))[0].blocks}
        finally:
            registry.close()

    assert asyncio.run(blocks()) == {LIST, MARKETING}


def test_a_block_known_from_elsewhere_leaves_nothing_dated_of_somebody_erased(
    store: Credentials, where: Places, tmp_path: Path
) -> None:
    part = asyncio.run(put_back(store, where, tmp_path))
    other = places(tmp_path / "other", "alpha")
    init(other, owner(store))

    async def work() -> None:
        registry = SQLiteRegistry(other, owner(store))
        await registry.record([event(EventKind.OPT_OUT, known(store, "anna"), LIST)])
        registry.close()

    asyncio.run(work())
    people.again(part, where, ACT, 1_000.0, backing_up.lacking(where.journal, other.journal))

    async def left() -> set[EventKind]:
        registry = SQLiteRegistry(where, owner(store))
        try:
            return {e.kind for _, e in await registry.history(known(store, "anna"))}
        finally:
            registry.close()

    assert asyncio.run(left()) <= {EventKind.ERASURE}


def test_cases_of_people_erased_since_end_and_the_others_stay(
    store: Credentials, where: Places, tmp_path: Path
) -> None:
    part = asyncio.run(put_back(store, where, tmp_path))

    async def entered() -> None:
        cases = open_cases(tmp_path, "alpha", store.case_keys("alpha"), store.pseudonyms(ALPHA))
        for name in ("anna", "bert"):
            await cases.open(new(content=Content(address=f"{name}@people.example", name=f"Name-{name}")), STEP)
        await cases.open(new(content=Content(name="Nobody known by address")), STEP, [outgoing()])
        await cases.close()

    asyncio.run(entered())
    file = tmp_path / "cases" / "alpha.sqlite"
    gone = people.erased(part, where)
    assert people.end_cases(file, part, store, gone, ACT) == (1, 2)
    assert people.end_cases(file, part, store, gone, ACT) == (0, 2), "may be done twice"
