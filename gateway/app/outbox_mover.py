"""Letters about rights: from the outbox of each organisation into this worker's spool, and their fate back.

what:       moves rows, asks the audit what became of them, lets cases end or open again, measures, writes the digest
takes→gives: cases of every organisation, `Outbox`, the spool's folder → mail queued, cases settled, metrics
knows not:  what a right does, how a letter is worded, SMTP
fails by:   nothing: what is away now is asked again at the next look, and said in the log once
standard:   DESIGN §4 Outbox; S-32..S-34, S-59, S-67; I-4

Moving twice stores once: the audit row "composed" is in the spool's own commit and outlives the mail, so it says
whether a row was moved by a process that ended before it could note that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from gateway.address import Address
from gateway.app.office import Office
from gateway.audit.protocol import AuditUnavailable
from gateway.audit.reading import AuditReader
from gateway.cases.protocol import CasesUnavailable, MailState, Outgoing
from gateway.cases.sqlite import SQLiteCases
from gateway.config.credentials import Credentials
from gateway.config.load import Loaded
from gateway.config.organisation import Organisation
from gateway.observe import maillog
from gateway.outbox import Letter, Outbox
from gateway.registry.protocol import PeopleRegistry, RegistryUnavailable
from gateway.rights import standing
from gateway.rights.closing import Closed, tally
from gateway.rights.replies import Letters
from gateway.spool.protocol import SpoolUnavailable
from gateway.spool.shards import present

LOOK = 1.0  # seconds between two looks
_DAY, _MORNING = 86400.0, 6 * 3600.0
_FINAL = {
    "delivered": MailState.DELIVERED,
    "failed": MailState.FAILED,
    "blocked": MailState.FAILED,
    "dropped": MailState.FAILED,
    "cancelled": MailState.FAILED,
}


class House(Protocol):
    """What it needs of the worker, as it is now: a reload swaps settings and keys."""

    @property
    def loaded(self) -> Loaded: ...
    @property
    def credentials(self) -> Credentials: ...
    @property
    def registries(self) -> Mapping[str, PeopleRegistry]: ...
    @property
    def outbox(self) -> Outbox: ...


class OutboxMover:
    """In worker 0 only. `clock` gives Unix seconds."""

    def __init__(self, house: House, clock: Callable[[], float]) -> None:
        self._house = house
        self._clock = clock
        self._keys: Credentials | None = None
        self._stores: dict[str, SQLiteCases] = {}
        self._away: set[str] = set()
        self._digested = _morning(clock())

    async def run(self) -> None:
        """Look until cancelled; every morning, tell each privacy officer what falls due."""
        try:
            while True:
                await self._renew()
                for name in self._stores:
                    await self.look(name)
                await self.digests()
                await asyncio.sleep(LOOK)
        finally:
            await self.close()

    async def look(self, name: str) -> None:
        """One turn for one organisation."""
        await self._renew()
        try:
            await self._turn(name, self._stores[name])
        except (CasesUnavailable, SpoolUnavailable, RegistryUnavailable, AuditUnavailable) as error:
            if name not in self._away:
                maillog.trouble(f"outbox of {name}", type(error).__name__)
            self._away.add(name)
        else:
            if name in self._away:
                maillog.recovered(f"outbox of {name}")
            self._away.discard(name)

    async def digests(self) -> None:
        """To each privacy officer: what is overdue or falls due. Once for every morning that came while this ran."""
        now = self._clock()
        if _morning(now) == self._digested:
            return
        self._digested = _morning(now)
        for name, store in self._stores.items():
            organisation = self._organisation(name)
            try:
                late, soon = standing.pressing(organisation, await store.cases(), now)
                if late or soon:
                    await store.post(Letters(organisation).digest(late, soon, now), now)
            except CasesUnavailable as error:
                maillog.trouble(f"outbox of {name}", type(error).__name__)

    async def close(self) -> None:
        """Let go of the files; a later look opens them again."""
        stores, self._stores, self._keys = self._stores, {}, None
        for store in stores.values():
            await store.close()

    async def _renew(self) -> None:
        """Keys of a reload are used from the next look on."""
        if self._keys is self._house.credentials:
            return
        await self.close()
        self._keys = self._house.credentials
        office = Office(self._house.loaded, self._keys)
        self._stores = {name: office.cases(tenant.organisation) for name, tenant in self._house.outbox.tenants.items()}

    async def _turn(self, name: str, store: SQLiteCases) -> None:
        for row in await store.outgoing(None, MailState.QUEUED):
            await self._move(name, store, row)
        for row in await store.outgoing(None, MailState.MOVED):
            await self._ask(store, row)
        organisation = self._organisation(name)
        await tally(organisation, store, self._clock(), self._closed(name, store))
        standing.measure(organisation, await store.cases(), self._clock())

    def _closed(self, name: str, store: SQLiteCases) -> Closed:
        house = self._house
        office = Office(house.loaded, house.credentials)
        return office.effects(house.outbox.tenants[name], house.registries[name], store, self._clock).closed

    async def _move(self, name: str, store: SQLiteCases, row: Outgoing) -> None:
        if not await asyncio.to_thread(self._audited, row.id):
            mail = await store.mail(row.id)
            letter = Letter(
                id=row.id,
                sender=Address.parse(Letters(self._organisation(name)).sender),
                to=Address.parse(mail.to),
                mail=mail.mail,
                made=row.created,
                anonymous=row.anonymous,
            )
            if not await self._house.outbox.letter(name, letter):
                return
        await store.moved(row.id, self._clock())

    async def _ask(self, store: SQLiteCases, row: Outgoing) -> None:
        said = await asyncio.to_thread(self._audited, row.id)
        if not said:  # this person was erased meanwhile, with all traces: nobody can say any more what became of it
            await store.settled(row.id, MailState.FAILED, "its trace was erased", self._clock())
        for what, status in said:
            if what in _FINAL:
                await store.settled(row.id, _FINAL[what], status, self._clock())

    def _audited(self, id: str) -> list[tuple[str, str]]:
        """What the audit of all shards says of one mail: what was done, and the provider's code."""
        reader = AuditReader([shard.database for shard in present(self._house.loaded.gateway.state / "spool")])
        return [(row.what, str(row.detail.get("status", ""))) for row in reader.by_message(id)]

    def _organisation(self, name: str) -> Organisation:
        return self._house.outbox.tenants[name].organisation


def _morning(now: float) -> int:
    """Number of the last six o'clock UTC, so that a restart neither skips a day's digest nor repeats it."""
    return int((now - _MORNING) // _DAY)
