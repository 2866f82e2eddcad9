"""One mail worker: ingress, pipeline, its shards of the spool, delivery, and the small loops around them.

what:       builds every part in the order of a message's life, and ends them in the reverse order
takes→gives: settings from the parent, inherited sockets → mail handled until SIGTERM
knows not:  how any part works
fails by:   exit 2 when keys are missing or a shard is taken; else it stays and says what troubles it
standard:   DESIGN §1, §4 Shape
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gateway import __version__
from gateway.app import compose
from gateway.app.api import ApiDesk
from gateway.app.contacts import contacts
from gateway.app.counting import OptOutCount
from gateway.app.duties import duties, finish
from gateway.app.inspector import Inspector
from gateway.app.links import Link
from gateway.app.observed import in_words, observed_rules
from gateway.app.outbox_mover import OutboxMover
from gateway.app.rekeying import Rekeying, fingerprint, refusals
from gateway.app.reports import from_bounce, from_delivery
from gateway.audit.protocol import AuditUnavailable
from gateway.audit.sqlite import AuditWriter
from gateway.campaign import Campaigns
from gateway.config.campaigns import Campaigns as Comparing
from gateway.config.client_secret import check_secret
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.gateway import Limits
from gateway.config.load import Loaded, SettingsError
from gateway.delivery.report import Report
from gateway.delivery.worker import DeliveryWorker
from gateway.ingress.clients import ClientDirectory
from gateway.ingress.server import IngressServer, ListenerSocket
from gateway.observe import maillog, metrics
from gateway.outbox import Composed, Outbox
from gateway.pipeline import Bounce, Parts, Pipeline
from gateway.registry.protocol import PeopleRegistry, RegistryUnavailable
from gateway.spool.blackbox import Blackbox
from gateway.spool.outside import Outside
from gateway.spool.protocol import Entry, SpoolUnavailable, State
from gateway.spool.shards import adopt
from gateway.spool.sqlite import SQLiteSpool
from gateway.tenant import Tenant

GRACE = 20.0  # seconds that open transactions get on SIGTERM
_LOOK = 1.0  # seconds between two looks at undecided mail and web opt-outs
_DAY = 86400.0
_MORNING = 6 * 3600.0
_AT_ONCE = 200  # rows of set-aside mail looked at in one turn


@dataclass(frozen=True, slots=True)
class Prepared:
    """New rules, built and not yet used."""

    loaded: Loaded
    tenants: Mapping[str, Tenant]
    parts: Parts
    clients: ClientDirectory
    credentials: Credentials
    spool_keys: Mapping[int, bytes]


@dataclass(slots=True)
class Worker:
    """All parts of one worker."""

    number: int
    loaded: Loaded
    credentials: Credentials
    registries: Mapping[str, PeopleRegistry]
    spools: Sequence[SQLiteSpool]
    outbox: Outbox
    pipeline: Pipeline
    delivery: DeliveryWorker
    ingress: IngressServer
    rekeying: Rekeying
    spool_keys: Mapping[int, bytes]
    api: ApiDesk
    inspector: Inspector
    campaigns: Mapping[str, Campaigns]

    @classmethod
    def build(cls, number: int, loaded: Loaded, sockets: Mapping[str, socket.socket]) -> Worker:
        """In the order of DESIGN §1. Raises `CredentialsError`, `OSError`, `ShardTaken`."""
        gateway = loaded.gateway
        credentials = Credentials.of(gateway)
        registries = compose.open_registries(loaded, credentials, _effect_seen)
        campaigns = compose.campaigns(loaded)
        tenants = compose.tenants(loaded, credentials, registries, campaigns)
        shards = adopt(gateway.state / "spool", gateway.workers)[number]
        keys = credentials.spool_keys()
        spools = [SQLiteSpool(gateway.state / "spool", shard, keys, AuditWriter()) for shard in shards]
        own = spools[0]
        parts = compose.parts(loaded, tenants)
        outbox = Outbox(tenants, own, gateway.name, wake=own.stirred.set, clock=time.time)
        inspector = Inspector.of(gateway.inspector)
        pipeline = Pipeline(
            parts,
            own,
            Blackbox(gateway.state, number),
            inspector,
            report=lambda bounce: _composed(outbox, bounce),
            wake=own.stirred.set,
            clock=time.time,
            software=__version__,
        )
        delivery = DeliveryWorker(
            spools,
            tenants,
            gateway.delivery,
            name=gateway.name,
            share=gateway.workers,
            password=credentials.provider_password,
            report=lambda report: _report(outbox, report),
            clock=time.time,
        )
        ingress = IngressServer(
            [ListenerSocket(item, sockets[item.name]) for item in gateway.listen],
            _clients(loaded, credentials),
            pipeline.accept,
            pipeline.check_recipient,
            share(gateway.limits, gateway.workers),
            gateway.name,
            check_secret,
        )
        rekeying = Rekeying(registries if number == 0 else {}, spools)
        api = ApiDesk(sockets, registries)
        if number == 0:
            api.use(loaded, credentials, tenants)
        return cls(
            number, loaded, credentials, registries, spools, outbox, pipeline, delivery, ingress, rekeying, keys, api,
            inspector, campaigns,
        )  # fmt: skip

    def measure_start(self) -> None:
        """Numbers that are known at once: the rules in force, and what an earlier process was cut off in (R-018)."""
        metrics.SETTINGS_VERSION.labels(self.loaded.version).set(1)
        metrics.TRACKERS_VERSION.labels(self.loaded.trackers.version.isoformat()).set(1)
        for spool in self.spools:
            for organisation, rows in spool.cut_off.items():
                metrics.UNCERTAIN.labels(organisation).inc(rows)

    async def run(self, link: Link) -> None:
        """Work until told to stop, then drain: no new mail, finish what is open, end delivery, close the files."""
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(self.delivery.run(), name="delivery")
            await self.ingress.start()
            loops = [
                tasks.create_task(link.beat(self), name="beat"),
                tasks.create_task(link.obey(self), name="orders"),
                tasks.create_task(self._revisit(), name="revisit"),
                tasks.create_task(self.rekeying.run(), name="rekeying"),
                tasks.create_task(contacts(self.pipeline), name="contacts"),
            ]
            for name, campaigns in self.campaigns.items():
                settings = partial(self._comparing, name)
                loops.append(tasks.create_task(campaigns.run(settings, time.time), name=f"campaigns {name}"))
            if self.number == 0:
                loops.append(tasks.create_task(self.api.run(), name="api"))
                loops.append(tasks.create_task(self._ingest(), name="ingest"))
                loops.append(tasks.create_task(self._digests(), name="digest"))
                loops.append(tasks.create_task(OutboxMover(self, time.time).run(), name="outbox"))
            loops.extend(tasks.create_task(work, name=name) for name, work in duties(self).items())
            await link.stopping.wait()
            await self.ingress.drain(GRACE)
            for loop in loops:
                loop.cancel()
            await self.delivery.drain(GRACE)
            await sending
        await self.close()
        await asyncio.to_thread(finish, self)

    async def close(self) -> None:
        async with AsyncExitStack() as files:
            files.push_async_callback(self.inspector.close)
            for registry in self.registries.values():
                files.callback(registry.close)
            for spool in self.spools:
                files.push_async_callback(spool.close)
            for campaigns in self.campaigns.values():
                files.push_async_callback(campaigns.close)

    def trouble(self) -> str:
        """What keeps this worker from doing its whole work."""
        found = {name: registry.trouble() for name, registry in self.registries.items()}
        for name, wrong in found.items():
            metrics.REGISTRY_TROUBLE.labels(name).set(1 if wrong else 0)
        spool = next((s.trouble for s in self.spools if s.trouble), "")
        metrics.SPOOL_TROUBLE.set(1 if spool else 0)
        return next((f"registry of {name}: {wrong}" for name, wrong in found.items() if wrong), spool)

    def prepare(self, loaded: Loaded) -> object:
        """New rules for the organisations that are here; adding or removing one needs a restart."""
        if {o.name for o in loaded.organisations} != set(self.registries):
            raise SettingsError(["organisations: one was added or removed, which needs a restart, not a reload"])
        credentials = Credentials.of(loaded.gateway)
        tenants = compose.tenants(loaded, credentials, self.registries, self.campaigns)
        keys = credentials.spool_keys()
        refused = [*refusals(self.outbox.tenants, tenants), *self._spool_refusals(keys)]
        if refused:
            raise CredentialsError(*refused)
        return Prepared(
            loaded, tenants, compose.parts(loaded, tenants), _clients(loaded, credentials), credentials, keys
        )

    def commit(self, prepared: object) -> None:
        """From the next message, and the next decision of queued mail, on."""
        assert isinstance(prepared, Prepared)
        metrics.SETTINGS_VERSION.labels(self.loaded.version).set(0)
        metrics.TRACKERS_VERSION.labels(self.loaded.trackers.version.isoformat()).set(0)
        self.loaded, self.credentials = prepared.loaded, prepared.credentials
        metrics.SETTINGS_VERSION.labels(self.loaded.version).set(1)
        metrics.TRACKERS_VERSION.labels(self.loaded.trackers.version.isoformat()).set(1)
        self.outbox.tenants = prepared.tenants
        self.pipeline.parts = prepared.parts
        self.inspector.reload(prepared.loaded.gateway.inspector)
        self.delivery.reload(prepared.tenants, prepared.credentials.provider_password)
        self.ingress.use_clients(prepared.clients)
        self.ingress.renew_certificates()
        self.spool_keys = prepared.spool_keys
        if self.number == 0:
            self.api.use(prepared.loaded, prepared.credentials, prepared.tenants)
        for name, tenant in prepared.tenants.items():
            self.registries[name].use_keys(tenant.pseudonyms)
            self.campaigns[name].reload(tenant.organisation.campaigns)

    async def settled(self) -> str:
        """Returns when registries and spools work with the keys that were committed."""
        for registry in self.registries.values():
            await registry.settled()
        for spool in self.spools:
            try:
                await spool.use_keys(self.spool_keys)
            except SpoolUnavailable as error:
                maillog.trouble("spool", type(error).__name__)  # it goes on with the old keys until the next reload
        return self.keys()

    def keys(self) -> str:
        tenants = self.outbox.tenants
        people = {name: tenant.pseudonyms for name, tenant in tenants.items()}
        return fingerprint(people, {name: tenant.tokens for name, tenant in tenants.items()}, self.spool_keys)

    def rekey(self) -> None:
        self.rekeying.order()

    def _spool_refusals(self, keys: Mapping[int, bytes]) -> list[str]:
        return [why for spool in self.spools if (why := spool.refuses(keys))]

    async def _revisit(self) -> None:
        """Undecided mail as soon as its registry is back; quarantined mail after an upgrade or an operator's retry."""
        while True:
            await asyncio.sleep(_LOOK)
            for spool in self.spools:
                try:
                    waiting = [*await self._undecided(spool), *await self._quarantined(spool)]
                    if waiting:
                        await self.pipeline.revisit(spool, waiting)
                except SpoolUnavailable as error:
                    maillog.trouble("spool", type(error).__name__)

    async def _undecided(self, spool: SQLiteSpool) -> list[Entry]:
        # By organisation: one whose registry stays away must not keep the mail of the others waiting.
        there, now = [name for name, registry in self.registries.items() if not registry.trouble()], time.time()
        return [
            entry
            for name in there
            for entry in await spool.entries(state=State.UNDECIDED, organisation=name, limit=_AT_ONCE)
            if entry.due <= now
        ]

    async def _quarantined(self, spool: SQLiteSpool) -> list[Entry]:
        now, vain = time.time(), self.pipeline.vain
        return [
            entry
            for entry in await spool.entries(state=State.QUARANTINED, limit=-1)
            if entry.due <= now
            or (entry.message not in vain and entry.facts.get("software") not in (None, __version__))
        ]

    def _comparing(self, organisation: str) -> Comparing:
        return self.outbox.tenants[organisation].organisation.campaigns

    async def _ingest(self) -> None:
        """Opt-outs of the page into the registry and its journal; they count from the page's fsync on."""
        count = OptOutCount(self.loaded.gateway.state, self.loaded.gateway.web_folder, list(self.registries))
        while True:
            await asyncio.sleep(_LOOK)
            for name, registry in self.registries.items():
                try:
                    await registry.ingest()
                except RegistryUnavailable as error:
                    maillog.trouble(f"registry of {name}", type(error).__name__)
            try:
                for (name, scope), number in (await asyncio.to_thread(count.new)).items():
                    metrics.OPT_OUTS.labels(name, scope).inc(number)
            except OSError as error:
                maillog.trouble("opt-out count", type(error).__name__)

    async def _digests(self) -> None:
        """Every morning, who owns held mail hears what waits in all shards, and what was only observed."""
        while True:
            await asyncio.sleep(until_morning(time.time()))
            try:
                held = await asyncio.to_thread(held_reasons, self.loaded.gateway.state / "spool")
                seen = await asyncio.to_thread(observed_rules, self.loaded.gateway.state / "spool", time.time() - _DAY)
                for name, tenant in self.outbox.tenants.items():
                    lines = in_words(tenant.organisation, seen.get(name, Counter()), time.time())
                    await self.outbox.digest(name, held.get(name, Counter()), lines)
            except (SpoolUnavailable, AuditUnavailable) as error:
                maillog.trouble("digest", type(error).__name__)


def until_morning(now: float) -> float:
    """Seconds to the next six o'clock UTC, so that restarts neither skip a day's digest nor repeat it."""
    return _DAY - (now - _MORNING) % _DAY


def held_reasons(folder: Path) -> dict[str, Counter[str]]:
    """How many rows are held, by organisation and reason, in every shard of the spool."""
    held: dict[str, Counter[str]] = {}
    for placed in Outside(folder).entries(state=State.HELD, limit=-1):
        held.setdefault(placed.entry.organisation, Counter())[placed.entry.reason] += 1
    return held


def share(limits: Limits, workers: int) -> Limits:
    """Limits are per node; each worker gets its part, rounded up so that one client can always come in."""
    return limits.model_copy(
        update={
            "connections": -(-limits.connections // workers),
            "connections_per_address": -(-limits.connections_per_address // workers),
        }
    )


def _clients(loaded: Loaded, credentials: Credentials) -> ClientDirectory:
    return ClientDirectory.from_organisations(loaded.organisations, credentials.client_secret)


def _effect_seen(organisation: str, seconds: float) -> None:
    metrics.OPT_OUT_EFFECT_SECONDS.labels(organisation).observe(max(0.0, seconds))


def _composed(outbox: Outbox, bounce: Bounce) -> Composed | None:
    found = from_bounce(bounce, time.time())
    return outbox.compose(*found) if found is not None else None


async def _report(outbox: Outbox, report: Report) -> None:
    await outbox.report(*from_delivery(report))


async def serve(number: int, wire: int, sockets: dict[str, socket.socket]) -> int:
    link = await Link.open(wire)
    loaded = await link.settings()
    maillog.configure(loaded.gateway.observe.log, loaded.gateway.observe.level)
    try:
        worker = Worker.build(number, loaded, sockets)
    except (CredentialsError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    worker.measure_start()
    maillog.started(f"worker-{number}", shards=len(worker.spools), version=__version__)
    await worker.run(link)
    maillog.stopped(f"worker-{number}")
    return 0
