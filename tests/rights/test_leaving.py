"""Whose purge clock ran out: after leaving, or when the last order that was kept is done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.address import Address
from gateway.facts import Scope, ScopeKind
from gateway.registry.protocol import Event, EventKind, Evidence
from gateway.rights.effects import CHANNEL, PURGE, WHEN_DONE
from gateway.rights.leaving import forget_due
from gateway.rights.retained import CLOCK
from tests.house import House, organisation

NOW = 1_800_000_000
EVERYTHING, MARKETING = Scope(ScopeKind.EVERYTHING), Scope(ScopeKind.MARKETING)
LEFT = Evidence("person", CHANNEL, f"{PURGE}{NOW}", "case")
DONE = Evidence("operator:jan", CHANNEL, WHEN_DONE, "an order is still open")
ANNA = "anna@people.example"


@pytest.fixture(params=[(), ("people.example",)], ids=["exact", "wide"])
async def house(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    made = House.open(tmp_path, organisation(block_wide_domains=list(request.param)))
    yield made
    await made.close()


async def record(
    house: House, kind: EventKind, evidence: Evidence, to: str = ANNA, at: int = NOW - 1000, **values: Any
) -> None:
    person = house.tenant.pseudonyms.person(Address.parse(to))
    await house.registry.record([Event(kind, person, at, evidence, **values)])


async def leave(house: House) -> None:
    """As a request to leave records it."""
    await record(house, EventKind.OPT_OUT, LEFT, scope=EVERYTHING)
    await record(house, EventKind.RETAINED, LEFT, detail={"id": CLOCK, "reason": "left", "until": NOW})


async def order(house: House, *, active: bool) -> None:
    detail = {"reference": "order 7", "active": active}
    await record(house, EventKind.CONTRACT, Evidence("import:shop"), detail=detail)


async def due(house: House, now: int = NOW) -> int:
    return (await forget_due(house.registry, house.tenant.pseudonyms, now)).forgotten


async def facts(house: House, to: str = ANNA) -> Any:
    return (await house.registry.facts([house.tenant.pseudonyms.person(Address.parse(to))]))[0]


async def test_s28_who_left_is_forgotten_at_the_set_moment_and_stays_blocked(house: House) -> None:
    await order(house, active=True)
    await leave(house)
    assert await due(house, NOW - 1) == 0
    assert (await facts(house)).contracts
    assert await due(house) == 1
    after = await facts(house)
    assert not after.contracts
    assert after.blocks
    assert await due(house) == 0


async def test_s28_who_came_back_is_not_forgotten(house: House) -> None:
    await order(house, active=True)
    await leave(house)
    await record(house, EventKind.LIFTED, Evidence("operator:jan", "phone", "", "wants to stay"), scope=EVERYTHING)
    assert await due(house) == 0
    assert (await facts(house)).contracts


async def test_s62_who_kept_an_order_is_forgotten_when_it_is_done(house: House) -> None:
    await order(house, active=True)
    await record(house, EventKind.LIFTED, DONE, scope=EVERYTHING)
    await record(house, EventKind.OBJECTION, DONE, scope=MARKETING)
    await record(house, EventKind.OBJECTION, DONE, scope=Scope(ScopeKind.PURPOSE, 1))
    assert await due(house) == 0
    await order(house, active=False)
    assert await due(house) == 1, "one person, however many events started the clock"
    assert await house.registry.history(house.tenant.pseudonyms.person(Address.parse(ANNA))) != []


async def test_others_and_events_that_only_look_alike_start_no_clock(house: House) -> None:
    await record(house, EventKind.OPT_OUT, Evidence("person", "form", f"{PURGE}5", "case"), scope=EVERYTHING)
    await record(
        house, EventKind.OPT_OUT, Evidence("person", CHANNEL, "v1", "case"), "bert@people.example", scope=MARKETING
    )
    assert await due(house) == 0
