"""Mail in flight and the audit of all shards, for whoever carries out a person's right: a command, or a worker.

what:       cancel, release and forget by person; a running gateway carries orders out, else this process does
takes→gives: `Person` → rows reached
knows not:  which right it serves
fails by:   `SpoolUnavailable`: also when a gateway does not carry an order out in time
standard:   S-31, S-63; DESIGN §4 Spool; I-7
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.app.reports import from_delivery
from gateway.audit.protocol import AuditRow
from gateway.audit.reading import AuditReader
from gateway.audit.sqlite import AuditWriter, erase_person
from gateway.config.credentials import Credentials
from gateway.config.load import Loaded
from gateway.delivery.cancelling import cancel
from gateway.delivery.report import Report
from gateway.delivery.schedule import Schedule
from gateway.outbox import Outbox
from gateway.pseudonym import Person
from gateway.spool.disk import ShardTaken
from gateway.spool.forgetting import Forgotten, forget
from gateway.spool.orders import Act, Order
from gateway.spool.outside import Outside, Placed
from gateway.spool.protocol import SpoolUnavailable, State
from gateway.spool.shards import present
from gateway.spool.sqlite import SQLiteSpool
from gateway.tenant import Tenant

_PATIENCE = 60.0  # seconds a running gateway gets to carry orders out; it looks every second
_LOOK = 0.1
_RESTRICTED = "restriction "  # how the reason of a row begins that a restriction held


@dataclass(frozen=True, slots=True)
class Spools:
    """Fulfils `rights.effects.Queue`. `tenants` by organisation name, for reports to submitters."""

    loaded: Loaded
    credentials: Credentials
    tenants: Mapping[str, Tenant]

    async def cancel(self, person: Person, operator: str, reason: str) -> int:
        """Destroy what is queued for this address. What is being sent right now is destroyed after that attempt."""
        return await self._order(person, Act.CANCEL, operator, reason, lambda p: not p.entry.state.final)

    async def release(self, person: Person, operator: str, reason: str) -> int:
        """Queue again what a restriction held, and nothing that was held for another reason."""
        return await self._order(person, Act.RELEASE, operator, reason, _held_by_restriction)

    async def forget(self, person: Person) -> int:
        """Rows that still wait are dropped first. Raises `SpoolUnavailable` when that does not get done."""
        done = await asyncio.to_thread(self._forget, person)
        if done.waiting:
            await self._order(person, Act.DROP, "gateway", "erased", lambda p: not p.entry.state.final)
            again = await asyncio.to_thread(self._forget, person)
            if again.waiting:
                raise SpoolUnavailable("mail to this person is being sent right now; try again")
            done += again
        return done.audit

    def by_person(self, person: Person) -> list[AuditRow]:
        """All audit rows of one person, oldest first, under whichever layer of pseudonym."""
        reader = AuditReader([shard.database for shard in present(self._folder)])
        rows = [row for pseudonym in person.every_exact for row in reader.by_person(pseudonym)]
        return sorted(rows, key=lambda row: row.at)

    def _forget(self, person: Person) -> Forgotten:
        done = Forgotten()
        for shard in present(self._folder):
            done += forget(shard, person.every_exact, erase_person)
        return done

    async def _order(self, person: Person, act: Act, operator: str, reason: str, fits: Callable[[Placed], bool]) -> int:
        outside = Outside(self._folder)
        rows = [p for p in outside.entries(limit=-1) if p.entry.person_exact in person.every_exact and fits(p)]
        orders = [(p.shard, outside.place(p.shard, self._written(p, act, operator, reason))) for p in rows]
        await self._carried_out(outside, orders)
        return len(rows)

    def _written(self, placed: Placed, act: Act, operator: str, reason: str) -> Order:
        return Order(time.time(), operator, reason, act, placed.entry.message, placed.entry.row)

    async def _carried_out(self, outside: Outside, orders: Sequence[tuple[int, int]]) -> None:
        """Until the owners did it; a shard without an owner is opened here."""
        deadline = time.monotonic() + _PATIENCE
        while waiting := [(shard, number) for shard, number in orders if outside.waits(shard, number)]:
            for shard in sorted({shard for shard, _ in waiting}):
                await self._alone(shard)
            if any(outside.waits(*order) for order in waiting):
                if time.monotonic() > deadline:
                    raise SpoolUnavailable("the gateway did not carry this out in time; it will, so look again later")
                await asyncio.sleep(_LOOK)

    async def _alone(self, shard: int) -> None:
        try:
            spool = SQLiteSpool(self._folder, shard, self.credentials.spool_keys(), AuditWriter())
        except ShardTaken:
            return
        try:
            await self._as_owner(spool)
        finally:
            await spool.close()

    async def _as_owner(self, spool: SQLiteSpool) -> None:
        gateway = self.loaded.gateway
        outbox = Outbox(self.tenants, spool, gateway.name, wake=lambda: None, clock=time.time)

        async def report(told: Report) -> None:
            await outbox.report(*from_delivery(told))

        for order in await spool.take_orders():
            if order.act.tells:
                schedule = Schedule.of(gateway.delivery)
                await cancel(spool, order, self.tenants, schedule, report, time.time())
            else:
                await spool.carry_out(order, time.time())

    @property
    def _folder(self) -> Path:
        return self.loaded.gateway.state / "spool"


def _held_by_restriction(placed: Placed) -> bool:
    return placed.entry.state is State.HELD and placed.entry.reason.startswith(_RESTRICTED)
