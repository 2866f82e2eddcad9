"""Queued mail that is destroyed at somebody's request: its submitter hears that it does not arrive, and not why.

what:       one order to cancel: report composed from the sealed row, row dropped, report stored
takes→gives: a shard, an order, the parties → rows dropped
knows not:  who asked, which right it serves
fails by:   `SpoolUnavailable`; a row that does not unseal is dropped all the same, and nobody can be told
standard:   S-31, tension 1c-1 (blocked is never silent); RFC 3461 4.1
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from gateway.delivery.outcome import Job, Kind, Outcome
from gateway.delivery.party import Party
from gateway.delivery.report import Report
from gateway.delivery.schedule import Schedule
from gateway.delivery.settle import Place, settle
from gateway.reply import BLOCKED
from gateway.spool.protocol import Entry, EntryBroken, EntryGone, Spool

# What a new mail to this person would be answered with: no more than that.
_OUTCOME = Outcome(Kind.BLOCKED, reason=BLOCKED.text, status=BLOCKED.enhanced)


class Cancelling(Spool, Protocol):
    """A spool that carries out orders."""

    async def carry_out(self, order: Any, now: float) -> int: ...


async def cancel(
    shard: Cancelling,
    order: Any,
    parties: Mapping[str, Party],
    schedule: Schedule,
    report: Callable[[Report], Awaitable[None]],
    now: float,
) -> int:
    """Carry out an order that tells the submitter; gives the rows it reached (0: it is being sent, and waits)."""
    found = [e for e in await shard.entries(message=order.message, limit=-1) if order.row in (None, e.row)]
    told = [note for e in found if (note := await _report(shard, e, parties, schedule, now)) is not None]
    reached = await shard.carry_out(order, now)
    if reached:
        for note in told:
            await report(note)
    return reached


async def _report(
    shard: Cancelling, entry: Entry, parties: Mapping[str, Party], schedule: Schedule, now: float
) -> Report | None:
    party = parties.get(entry.organisation)
    if party is None or entry.state.final:
        return None
    job = Job(shard, entry)
    try:
        await job.unseal(party.pseudonyms)
    except (EntryBroken, EntryGone):
        return None
    return settle(job, _OUTCOME, Place("", "", 0.0), schedule, now).report
