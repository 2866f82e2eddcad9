"""What a worker does beside mail: which loops run where, and paused mail goes on by itself."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.app import duties
from gateway.audit.checkpoints import AuditKeys, Checkpoints
from gateway.config.credentials import AUDIT_KEY, Credentials, CredentialsError
from gateway.config.load import load
from gateway.facts import Scope, ScopeKind
from gateway.registry.protocol import EventKind
from gateway.spool.protocol import State, Update
from tests.cli.example import ready
from tests.house import House, news

A, B = "anna@people.example", "bert@people.example"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House.open(tmp_path / "house")
    for address in (A, B):
        await made.record(EventKind.CONSENT, address, scope=Scope(ScopeKind.LIST, 7))
    yield made
    await made.close()


async def until(there: Callable[[], Any]) -> None:
    async with asyncio.timeout(120):
        while not await there():
            await asyncio.sleep(0.01)


async def states(house: House) -> list[State]:
    return [entry.state for entry in await house.rows()]


async def test_l31_mail_is_held_while_the_opt_out_is_broken_and_goes_on_when_it_works(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "_LOOK", 0.01)
    works = [False]
    house.tenant = dataclasses.replace(house.tenant, opt_out_works=lambda: works[0])
    house.pipeline.parts = house.parts(house.tenant)
    await house.send(news(A), A)
    await house.send(news(B), B)
    assert await states(house) == [State.HELD, State.HELD]
    by_hand = (await house.rows())[1]
    await house.spool.update([Update(by_hand.row, State.HELD, reason="operator: wait")], ())
    tenants = {"school": house.tenant}
    loop = asyncio.create_task(duties.release_when_it_works([house.spool], lambda: tenants, lambda: house.now))
    await asyncio.sleep(0.1)
    assert await states(house) == [State.HELD, State.HELD]
    works[0] = True

    async def released() -> bool:
        return State.QUEUED in await states(house)

    await until(released)
    loop.cancel()
    assert await states(house) == [State.QUEUED, State.HELD], "what an operator holds stays held"
    row = next(r for r in house.audited((await house.rows())[0].message) if r.what == "released")
    assert row.detail["by"] == "probe"


def worker(tmp_path: Path, house: House, number: int) -> Any:
    loaded = load(ready(tmp_path))
    credentials = Credentials.of(loaded.gateway)
    registries = {o.name: house.registry for o in loaded.organisations}
    return SimpleNamespace(
        number=number, loaded=loaded, credentials=credentials, registries=registries, spools=[house.spool],
        outbox=house.outbox,
    )  # fmt: skip


@pytest.mark.parametrize(("number", "more"), [(0, {"retention", "probe", "breach watch"}), (1, set())])
async def test_what_is_done_once_per_gateway_is_done_by_worker_0(
    tmp_path: Path, house: House, number: int, more: set[str]
) -> None:
    found = duties.duties(worker(tmp_path, house, number))
    for coroutine in found.values():
        coroutine.close()
    assert {"checkpoints", "paused mail"} <= set(found)
    assert set(found) & {"retention", "probe", "breach watch"} == more


async def test_l07_the_last_row_is_signed_when_the_worker_ends(tmp_path: Path, house: House) -> None:
    staff = worker(tmp_path, house, 1)
    await house.send(news(A), A)
    duties.finish(staff)
    newest = Checkpoints.beside(house.spool.shard.database).newest()
    assert newest is not None
    assert AuditKeys(staff.credentials.audit_keys()).public.fits(newest)


async def test_a_worker_without_the_audit_key_says_so(tmp_path: Path, house: House) -> None:
    staff = worker(tmp_path, house, 1)
    (staff.credentials.folder / AUDIT_KEY).unlink()
    with pytest.raises(CredentialsError, match=r"audit\.key: missing; make it with `briefgeheim keys init`"):
        duties.duties(staff)
