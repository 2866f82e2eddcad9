"""What a mail worker does beside mail: sign the audit, purge, probe the opt-out, watch for breaches.

what:       the loops of one worker, by name; those of worker 0 are done once per gateway
takes→gives: a running worker → coroutines for its task group; `finish` after its files are closed
knows not:  how any of it is done
fails by:   `CredentialsError` for a key that is missing
standard:   L-05, L-07, L-22, L-26, L-31
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from gateway.app import breaches, checkpoints, probe, retention
from gateway.app.office import Office
from gateway.audit.checkpoints import AuditKeys
from gateway.audit.protocol import AuditRow
from gateway.cases.sqlite import SQLiteCases
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.load import Loaded
from gateway.observe import maillog
from gateway.outbox import Outbox
from gateway.policy.withheld import BROKEN
from gateway.registry.protocol import PeopleRegistry
from gateway.spool.protocol import Entry, SpoolUnavailable, State, Update
from gateway.spool.shards import Shard, present
from gateway.spool.sqlite import SQLiteSpool
from gateway.tenant import Tenant

_LOOK = 2.0
_ONCE_MORE = 60.0  # seconds in which mail may still come in that was held before the opt-out was found to work again


class Staff(Protocol):
    """What they need of the worker, as it is now: a reload swaps settings and keys."""

    @property
    def number(self) -> int: ...
    @property
    def loaded(self) -> Loaded: ...
    @property
    def credentials(self) -> Credentials: ...
    @property
    def registries(self) -> Mapping[str, PeopleRegistry]: ...
    @property
    def spools(self) -> Sequence[SQLiteSpool]: ...
    @property
    def outbox(self) -> Outbox: ...


def duties(worker: Staff) -> dict[str, Coroutine[None, None, None]]:
    """Loops that run until they are cancelled."""
    state, clock = worker.loaded.gateway.state, time.time
    found: dict[str, Coroutine[None, None, None]] = {
        "checkpoints": checkpoints.run(_databases(worker), _audit_keys(worker), clock),
        "paused mail": release_when_it_works(worker.spools, lambda: worker.outbox.tenants, clock),
    }
    if worker.number == 0:
        office = Office(worker.loaded, worker.credentials)
        cases = {o.name: office.cases(o) for o in worker.loaded.organisations}
        tell, shards = worker.outbox.notice, _shards(worker)

        def houses() -> list[retention.House]:
            tenants = worker.outbox.tenants.values()
            return [
                retention.House(t.organisation, t.pseudonyms, worker.registries[name], cases[name])
                for t in tenants
                for name in (t.organisation.name,)
            ]

        found |= {
            "retention": retention.run(houses, shards, state, clock),
            "case keys": follow_keys(worker, cases),
            "probe": probe.run(lambda: worker.outbox.tenants, state, tell, clock),
            "breach watch": breaches.run(breaches.Watch(cases, state, tell), shards, clock),
        }
    return found


def finish(worker: Staff) -> None:
    """The last checkpoint, once nothing is written any more."""
    checkpoints.sign_and_say(_databases(worker), _audit_keys(worker), time.time(), at_once=True)


async def follow_keys(worker: Staff, cases: Mapping[str, SQLiteCases]) -> None:
    """The cases opened here take new keys soon after the worker did; until cancelled."""
    used = worker.credentials
    while True:
        await asyncio.sleep(_LOOK)
        if worker.credentials is used:
            continue
        used = worker.credentials
        for organisation in worker.loaded.organisations:
            try:
                keys = used.case_keys(organisation.name), used.pseudonyms(organisation)
            except CredentialsError as error:
                maillog.trouble(f"cases of {organisation.name}", type(error).__name__)
            else:
                cases[organisation.name].use_keys(*keys)


async def release_when_it_works(
    spools: Sequence[SQLiteSpool], tenants: Callable[[], Mapping[str, Tenant]], clock: Callable[[], float]
) -> None:
    """Mail that was held because the opt-out did not work goes on as soon as a probe succeeds (L-31)."""
    until = dict.fromkeys(tenants(), time.monotonic() + _ONCE_MORE)  # an earlier process may have left some
    while True:
        await asyncio.sleep(_LOOK)
        for name, tenant in tenants().items():
            if not tenant.opt_out_works():
                until[name] = float("inf")
            elif (end := until.get(name, 0.0)) > time.monotonic():
                until[name] = min(end, time.monotonic() + _ONCE_MORE)
                await _release(spools, name, clock())


async def _release(spools: Sequence[SQLiteSpool], organisation: str, now: float) -> None:
    for spool in spools:
        try:
            held = await spool.entries(state=State.HELD, organisation=organisation, limit=-1)
            waiting = [entry for entry in held if entry.reason.endswith(BROKEN)]
            if waiting:
                await spool.update([_queued(e, now) for e in waiting], [_audited(e, now) for e in waiting])
                maillog.paused_mail_released(organisation, len(waiting))
        except SpoolUnavailable as error:
            maillog.trouble("paused mail", type(error).__name__)


def _queued(entry: Entry, now: float) -> Update:
    return Update(entry.row, State.QUEUED, due=now, until=0.0, reason="")


def _audited(entry: Entry, now: float) -> AuditRow:
    detail = {"by": "probe", "was": entry.state.value}
    return AuditRow(now, entry.organisation, entry.message, "released", entry.person_exact, detail)


def _audit_keys(worker: Staff) -> AuditKeys:
    return AuditKeys(worker.credentials.audit_keys())


def _databases(worker: Staff) -> list[Path]:
    return [spool.shard.database for spool in worker.spools]


def _shards(worker: Staff) -> Callable[[], list[Path]]:
    """Databases of all shards there are now, our own first: what is recorded goes there."""
    own: Shard = worker.spools[0].shard
    return lambda: sorted((s.database for s in present(own.folder)), key=lambda path: path != own.database)
