"""Queued mail destroyed for a person: the submitter hears it, in the words of any block, and nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.reply import BLOCKED
from gateway.spool.orders import Act, Order
from gateway.spool.outside import Outside
from gateway.spool.protocol import State
from tests.delivery.rig import organisation, rig

WHO = "weg@example.org"


def orders(folder: Path, message: str, act: Act = Act.CANCEL) -> None:
    outside = Outside(folder / "spool")
    for placed in outside.entries(message=message):
        outside.place(placed.shard, Order(1.0, "els", "request", act, message, placed.entry.row))


@pytest.mark.parametrize("state", [State.QUEUED, State.HELD])
async def test_s31_the_row_goes_and_its_submitter_hears_no_reason(tmp_path: Path, state: State) -> None:
    async with rig(tmp_path, organisation({"port": 9}), running=False) as made:
        message = await made.put(WHO, state=state)
        orders(tmp_path, message)
        await made.worker.apply_orders()
        assert await made.spool.entries() == []
        (report,) = made.reports
        assert (report.recipient.reveal(), report.status, report.reason) == (WHO, BLOCKED.enhanced, BLOCKED.text)
        assert [r.what for r in await made.audited(message, "cancelled")] == ["cancelled"]


async def test_only_the_row_of_that_person_goes(tmp_path: Path) -> None:
    async with rig(tmp_path, organisation({"port": 9}), running=False) as made:
        message = await made.put(WHO, "blijft@example.org")
        outside = Outside(tmp_path / "spool")
        outside.place(0, Order(1.0, "els", "request", Act.CANCEL, message, outside.entries()[0].entry.row))
        await made.worker.apply_orders()
        assert [e.state for e in await made.spool.entries()] == [State.DROPPED, State.QUEUED]
        assert [r.recipient.reveal() for r in made.reports] == [WHO]


@pytest.mark.parametrize("quiet", [{"notify": ["NEVER"]}, {"sender": ""}])
async def test_who_may_not_be_told_is_not(tmp_path: Path, quiet: dict[str, object]) -> None:
    async with rig(tmp_path, organisation({"port": 9}), running=False) as made:
        message = await made.put(WHO, **quiet)
        orders(tmp_path, message)
        await made.worker.apply_orders()
        assert await made.spool.entries() == []
        assert made.reports == []


async def test_what_is_being_sent_waits_and_is_not_reported_yet(tmp_path: Path) -> None:
    async with rig(tmp_path, organisation({"port": 9}), running=False) as made:
        message = await made.put(WHO)
        (entry,) = await made.spool.claim(made.now, 5)
        orders(tmp_path, message)
        await made.worker.apply_orders()
        assert made.reports == []
        made.spool.release([entry.row])
        await made.worker.apply_orders()
        assert len(made.reports) == 1
        assert await made.spool.entries() == []


async def test_a_dropped_row_is_told_to_nobody(tmp_path: Path) -> None:
    async with rig(tmp_path, organisation({"port": 9}), running=False) as made:
        message = await made.put(WHO)
        orders(tmp_path, message, Act.DROP)
        await made.worker.apply_orders()
        assert await made.spool.entries() == []
        assert made.reports == []
