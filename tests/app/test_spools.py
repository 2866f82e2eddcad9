"""Mail and audit of one person, whether a gateway runs or not (S-31, S-63)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.app import spools
from gateway.spool.protocol import SpoolUnavailable, State
from tests.rights.house import WHO, House, house

OTHER = "bert@voorbeeld.example"
OLD_RESTRICTION = "restriction everything in force"


@pytest.fixture
async def parel(tmp_path: Path):
    async with house(tmp_path) as made:
        yield made


def to(parel: House, address: str) -> list[State]:
    return [e.state for e in parel.queue() if e.person_exact == parel.person(address).exact]


async def test_cancel_reaches_every_state_of_this_address_and_of_no_other(parel: House) -> None:
    for state in (State.QUEUED, State.HELD, State.UNDECIDED, State.QUARANTINED):
        await parel.put(WHO, OTHER, state=state, reason="x")
    plus = WHO.replace("@", "+shop@")
    await parel.put(plus)
    assert await parel.spools.cancel(parel.person(), "els", "asked") == 4
    assert set(to(parel, WHO)) == {State.DROPPED}
    assert len([s for s in to(parel, OTHER) if not s.final]) == 4
    assert to(parel, plus) == [State.QUEUED], "another spelling of a look-alike is another person"
    assert await parel.spools.cancel(parel.person(), "els", "asked") == 0


async def test_release_lets_go_what_a_restriction_held_and_nothing_else(parel: House) -> None:
    await parel.put(WHO, state=State.HELD, reason=OLD_RESTRICTION)
    await parel.put(WHO, state=State.HELD, reason="operator: wait")
    await parel.put(OTHER, state=State.HELD, reason=OLD_RESTRICTION)
    assert await parel.spools.release(parel.person(), "els", "lifted") == 1
    assert sorted(to(parel, WHO)) == [State.HELD, State.QUEUED]
    assert to(parel, OTHER) == [State.HELD]


async def test_forget_drops_what_still_waits_and_empties_the_audit(parel: House) -> None:
    await parel.put(WHO, OTHER)
    assert len(parel.spools.by_person(parel.person())) == 1
    assert await parel.spools.forget(parel.person()) >= 1
    assert parel.spools.by_person(parel.person()) == []
    assert to(parel, WHO) == []
    assert to(parel, OTHER) == [State.QUEUED]
    assert len(parel.spools.by_person(parel.person(OTHER))) == 1


async def test_the_owner_of_a_shard_carries_it_out_and_is_waited_for(parel: House) -> None:
    message = await parel.put(WHO)
    async with parel.spool() as owner:

        async def work() -> None:
            while not (orders := await owner.take_orders()):
                await asyncio.sleep(0.01)
            for order in orders:
                await owner.carry_out(order, parel.now)

        working = asyncio.create_task(work())
        assert await parel.spools.cancel(parel.person(), "els", "asked") == 1
        await working
        assert await owner.entries(message=message) == []


async def test_an_owner_that_does_not_act_is_said_and_the_order_stays(
    parel: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spools, "_PATIENCE", 0.2)
    await parel.put(WHO)
    async with parel.spool() as owner:
        with pytest.raises(SpoolUnavailable, match="in time"):
            await parel.spools.cancel(parel.person(), "els", "asked")
        assert len(await owner.take_orders()) == 1


async def test_rows_under_an_older_pseudonym_are_found_too(parel: House) -> None:
    from gateway.address import Address
    from gateway.pseudonym import Pseudonyms

    await parel.put(WHO)
    rotated = Pseudonyms((*parel.pseudonyms.keys, b"n" * 32), parel.pseudonyms.wide_domains)
    later = rotated.person(Address.parse(WHO))
    assert later.exact != parel.person().exact
    assert len(parel.spools.by_person(later)) == 1
    assert await parel.spools.forget(later) >= 1
    assert parel.spools.by_person(later) == []
