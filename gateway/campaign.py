"""Comparing a mail with other copies of its campaign: which campaign it is of, what was seen of that, what that says.

what:       one organisation's memory of campaigns, kept in step with the store that its workers share
takes→gives: `Copy` (who sends, what was seen, who gets it) → `Compared`; what is new goes to the store in batches
knows not:  how a store stores, what follows from a verdict
fails by:   nothing: without its store it knows what this process saw itself, and says UNKNOWN for the rest
standard:   R-059; DESIGN §4 Trackers; I-7, I-12

Nobody waits: mail is never held back until more copies came, and an answer of the store that is not there in a tenth of
a second is done without, for the next seconds too.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway import copies
from gateway.address import Address
from gateway.agreement import SAMPLE
from gateway.campaigns.protocol import CampaignStore, CampaignsUnavailable, Entry
from gateway.compared import NEVER, Compared, Sameness
from gateway.config.campaigns import Campaigns as Settings
from gateway.copies import Campaign, Family
from gateway.filters.campaign_addresses import Seen
from gateway.observe import maillog, metrics

PATIENCE = 0.1  # seconds that an answer of the store may take
WRITING = 10.0  # seconds that the writing loop, which nobody waits for, gives the store
AWAY = 5.0  # seconds in which a store that was away is not asked again
STALE = 1.0  # seconds after which what others wrote is looked at again
SETTLE = 0.1  # seconds between two writes, so that a burst becomes one
_FAMILIES = 256
_MOST_RECORDS = 200_000  # remembered here, some 40 MB; what was used least lately is read again when it is needed
_UNWRITTEN = 2000  # entries that wait while the store is away; the oldest are forgotten
_TROUBLE = (CampaignsUnavailable, TimeoutError)


@dataclass(frozen=True, slots=True)
class Copy:
    """One mail to be compared. `sender`: what its campaigns have in common (client, From, list, kind), as texts.

    `mark`: the client's own name for the campaign, or "".
    """

    sender: tuple[str, ...]
    mark: str
    seen: Seen
    recipients: Sequence[Address]


@dataclass(slots=True)
class _Part:
    """What is known of one sender within one epoch. `shared`: with the store, which was read up to `position`."""

    epoch: int
    name: bytes
    family: Family
    shared: bool
    position: str = ""
    read_at: float = float("-inf")


class Campaigns:
    """One organisation's, within one event loop. `writes` False: what it learns ends with it (for explaining)."""

    def __init__(
        self,
        organisation: str,
        store: CampaignStore,
        *,
        writes: bool = True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._organisation = organisation
        self._store = store
        self._writes = writes
        self._monotonic = monotonic
        self._secrets: dict[int, bytes] = {}
        self._own = secrets.token_bytes(32)
        self._parts: OrderedDict[tuple[int, bytes], _Part] = OrderedDict()
        self._news: dict[bytes, tuple[_Part, Campaign]] = {}
        self._unsent: list[Entry] = []
        self._away_until = float("-inf")
        self.stirred = asyncio.Event()

    def reload(self, settings: Settings) -> None:
        """New settings hold from the next mail on; what was kept under the old ones goes when it would have gone."""
        self._store.keep_until(settings.ends)

    async def compare(self, copy: Copy, settings: Settings, now: float) -> Compared:
        """What other copies say about this one, which from now on is one of them. `now` is Unix seconds."""
        if not settings.compare or not copy.seen.places or not copy.recipients:
            return NEVER
        parts = await self._known(copy, settings.epoch(now))
        part, campaign = self._campaign(copy, parts)
        if campaign is None or campaign.young or self._monotonic() - part.read_at >= STALE:
            await self._refreshed(parts)
            part, campaign = self._campaign(copy, parts)
        if campaign is None:
            campaign = self._begun(copy, part)
        people = frozenset(campaign.person(address.exact()) for address in copy.recipients[:SAMPLE])
        found = campaign.compare(copy.seen, people, settings.copies)
        self._keep(part, campaign)
        if self._writes:
            self._count(copy.seen, found)
        return found

    async def flush(self) -> None:
        """Write what is new; what cannot be written stays for the next time, as far as there is room."""
        waiting, self._news = self._news, {}
        for part, campaign in waiting.values():
            self._unsent += (Entry(part.epoch, part.name, data) for data in copies.entries(campaign))
        del self._unsent[:-_UNWRITTEN]
        self._forget()
        if not self._unsent:
            return
        sending, self._unsent = self._unsent, []
        try:
            async with asyncio.timeout(WRITING):
                await self._store.add(sending)
        except _TROUBLE as error:
            self._unsent = sending + self._unsent
            self._trouble(error)

    def _forget(self) -> None:
        held = sum(part.family.records for part in self._parts.values())
        while held > _MOST_RECORDS and len(self._parts) > 1:
            held -= self._parts.popitem(last=False)[1].family.records

    async def purge(self, settings: Settings, now: float) -> int:
        """Forget what is older than is kept, here and in the store. Gives how many entries went."""
        epoch = settings.epoch(now)
        for key in [key for key in self._parts if not epoch - 1 <= key[0] <= epoch]:
            del self._parts[key]
        try:
            async with asyncio.timeout(WRITING):
                # Asked anew: a store that lost everything has others by now.
                self._secrets = {e: await self._store.secret(e, make=e == epoch) for e in (epoch, epoch - 1)}
                return await self._store.purge(epoch - 1, epoch)
        except _TROUBLE as error:
            self._trouble(error)
            return 0

    async def run(self, settings: Callable[[], Settings], clock: Callable[[], float]) -> None:
        """Write in batches and purge every hour, until cancelled."""
        purged = float("-inf")
        while True:
            try:
                async with asyncio.timeout(60.0):
                    await self.stirred.wait()
            except TimeoutError:
                pass
            self.stirred.clear()
            await self.flush()
            if self._monotonic() - purged >= 3600:
                await self.purge(settings(), clock())
                purged = self._monotonic()
            await asyncio.sleep(SETTLE)

    async def close(self) -> None:
        """Write what is left, and let go of the store."""
        await self.flush()
        try:
            await self._store.close()
        except _TROUBLE as error:
            self._trouble(error)

    def _campaign(self, copy: Copy, parts: Sequence[_Part]) -> tuple[_Part, Campaign | None]:
        """Where it is known already; else the part in which it would begin."""
        for part in parts:
            found = (
                part.family.campaigns.get(_tag(copy, part)) if copy.mark else part.family.match(*_features(copy, part))
            )
            if found is not None:
                return part, found
        return parts[0], None

    def _begun(self, copy: Copy, part: _Part) -> Campaign:
        return part.family.begin(_tag(copy, part), *_features(copy, part))

    def _keep(self, part: _Part, campaign: Campaign) -> None:
        """What is new is to be written, where there is a store to write to."""
        if not campaign.fresh and campaign.told:
            return
        if self._writes and part.shared:
            self._news[campaign.tag] = part, campaign
            self.stirred.set()
        else:
            campaign.settle()

    async def _known(self, copy: Copy, epoch: int) -> list[_Part]:
        """This epoch's part of the sender, then the one before; a part of this process alone where there is none."""
        secret, before = await self._secret(epoch, make=True), await self._secret(epoch - 1, make=False)
        parts = [self._part(epoch, secret or self._own, copy, shared=bool(secret))]
        if before:
            parts.append(self._part(epoch - 1, before, copy, shared=True))
        return parts

    async def _secret(self, epoch: int, *, make: bool) -> bytes:
        if (known := self._secrets.get(epoch)) is not None:
            return known
        if self._away:
            return b""
        try:
            async with asyncio.timeout(PATIENCE * 5):  # once in an epoch
                self._secrets[epoch] = secret = await self._store.secret(epoch, make=make and self._writes)
        except _TROUBLE as error:
            self._trouble(error)
            return b""
        return secret

    def _part(self, epoch: int, secret: bytes, copy: Copy, *, shared: bool) -> _Part:
        about = "\0".join(("mark", copy.sender[0], copy.mark) if copy.mark else ("like", *copy.sender))
        name = hmac.digest(secret, about.encode("utf-8", "surrogatepass"), hashlib.sha256)[:16]
        part = self._parts.get((epoch, name))
        if part is None:
            family = Family(hmac.digest(secret, b"family" + name, hashlib.sha256))
            part = self._parts[epoch, name] = _Part(epoch, name, family, shared)
            while len(self._parts) > _FAMILIES:
                self._parts.popitem(last=False)
        self._parts.move_to_end((epoch, name))
        return part

    async def _refreshed(self, parts: Sequence[_Part]) -> None:
        """Read what others wrote since."""
        if self._away:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                for part in (part for part in parts if part.shared):
                    found, part.position = await self._store.read(part.epoch, part.name, part.position)
                    part.read_at = self._monotonic()
                    for data in found:
                        part.family.apply(data)
        except _TROUBLE as error:
            self._trouble(error)

    @property
    def _away(self) -> bool:
        return self._monotonic() < self._away_until

    def _trouble(self, error: Exception) -> None:
        maillog.trouble(f"campaigns of {self._organisation}", type(error).__name__)
        self._away_until = self._monotonic() + AWAY

    def _count(self, seen: Seen, found: Compared) -> None:
        if self._away:
            metrics.UNCOMPARED.labels(self._organisation).inc()
        common, individual = found.count(Sameness.COMMON), found.count(Sameness.INDIVIDUAL)
        unknown = len({place.address for place in seen.places}) - common - individual
        for sameness, number in (("common", common), ("individual", individual), ("unknown", unknown)):
            if number:
                metrics.COMPARED.labels(self._organisation, sameness).inc(number)


def _tag(copy: Copy, part: _Part) -> bytes:
    """A marked campaign is the same for all workers; another gets a name of its own."""
    if not copy.mark:
        return secrets.token_bytes(copies.TAG)
    return hmac.digest(part.family.key, b"mark", hashlib.sha256)[: copies.TAG]


def _features(copy: Copy, part: _Part) -> tuple[frozenset[bytes], frozenset[bytes]]:
    if copy.mark:
        return frozenset(), frozenset()
    return part.family.features(copy.seen.subject), part.family.features(copy.seen.content)
