"""The daily purge: what is past its term goes, with proof, and what stays is measured.

what:       `purge` for the command line and `run` for worker 0
takes→gives: settings, stores, now → `Purged` per organisation and class; an audit row for each that lost anything
knows not:  how a store deletes
fails by:   nothing in `run`: trouble is said in the log, and the next day is tried again
standard:   L-05, S-28, S-55, S-56; GDPR 5(1)(e), 5(2). Consents and blocks are never purged (I-10)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from gateway.audit.files import record
from gateway.audit.protocol import AuditRow, AuditUnavailable
from gateway.audit.retention import AUDIT_CLASSES, Key, Swept
from gateway.audit.retention import purge as purge_shard
from gateway.audit.sqlite import erase_person
from gateway.cases.protocol import Breach, CaseStore, CasesUnavailable
from gateway.cases.retention import CLOSED, closed_at, closed_on
from gateway.config.days import day_in
from gateway.config.organisation import Organisation
from gateway.config.retention import Retention
from gateway.observe import maillog, metrics
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry.protocol import EventKind, PeopleRegistry, RegistryUnavailable
from gateway.rights.leaving import forget_due
from gateway.spool.forgetting import forget
from gateway.spool.protocol import SpoolUnavailable
from gateway.spool.shards import present

DAY = 86400.0
HOUR = 3 * 3600.0  # of the day, UTC: when little mail is about
_JUMP = 60 * DAY  # a clock that is so far ahead of the last purge is not believed
_PAGE = 5000

EVENT_CLASSES: Mapping[str, frozenset[EventKind]] = {
    "shares": frozenset({EventKind.SHARED}),
    "receipts": frozenset({EventKind.RECEIPT}),
    "purchases": frozenset({EventKind.PURCHASE}),
    "enrolments": frozenset({EventKind.ENROLMENT, EventKind.CONTRACT, EventKind.SUBSCRIPTION}),
}
RETAINED = "retained"
"""What the law keeps: each has an end of its own (S-29, L-40)."""


@dataclass(frozen=True, slots=True)
class House:
    """One organisation with the stores of its people."""

    organisation: Organisation
    pseudonyms: Pseudonyms
    registry: PeopleRegistry
    cases: CaseStore


@dataclass(frozen=True, slots=True)
class Purged:
    """`count` things of `data_class` older than `before` went (Unix seconds; -inf: no term); `oldest` of what stays."""

    organisation: str
    data_class: str
    before: float
    count: int
    oldest: float | None = None


async def purge(houses: Sequence[House], shards: Sequence[Path], now: float, *, dry: bool = False) -> list[Purged]:
    """Delete what is past its term in all stores; `dry` only counts. The proof goes into the first shard's audit.

    Raises `AuditUnavailable`, `RegistryUnavailable`, `CasesUnavailable`; what was done until then is done, and said.
    """
    found: list[Purged] = []
    try:
        found += await asyncio.to_thread(_audit, [h.organisation for h in houses], shards, now, dry)
        for house in houses:
            found += await _events(house, now, dry)
            found += await _people(house, shards, now, dry)
            found += await _cases(house, now, dry)
    finally:
        rows = [_proof(item, now) for item in found if item.count]
        if rows and shards and not dry:
            await asyncio.to_thread(record, shards[0], rows)
    return found


def measure(found: Sequence[Purged], now: float) -> None:
    """Ages of the oldest of each class, and how old each may get."""
    for item in found:
        if item.count:
            metrics.PURGED.labels(item.organisation, item.data_class).inc(item.count)
        if item.data_class == RETAINED:
            continue  # each has an end of its own, and no common age
        oldest = 0.0 if item.oldest is None else max(0.0, now - item.oldest)
        metrics.RETENTION_OLDEST.labels(item.organisation, item.data_class).set(oldest)
        if item.before > float("-inf"):
            metrics.RETENTION_LIMIT.labels(item.organisation, item.data_class).set(now - item.before)


async def run(
    houses: Callable[[], Sequence[House]], shards: Callable[[], Sequence[Path]], state: Path, clock: Callable[[], float]
) -> None:
    """Once after the start and every night until cancelled. `shards`: the databases there are now, ours first."""
    while True:
        await run_once(houses(), shards(), state, clock())
        now = clock()
        await asyncio.sleep(DAY - (now - HOUR) % DAY)


async def run_once(houses: Sequence[House], shards: Sequence[Path], state: Path, now: float) -> None:
    """One daily purge, unless the clock looks wrong."""
    memory = _Memory(state / "retention.json")
    if jump := memory.jump(now):
        maillog.trouble(
            "retention", f"the clock is {jump / DAY:.0f} days ahead of the last purge; run `briefgeheim purge`"
        )
        return
    try:
        found = await purge(houses, shards, now)
        measure(found, now)
        for item in found:
            if item.count:
                maillog.purged(item.organisation, item.data_class, item.count)
        await asyncio.to_thread(memory.remember, now)
    except (AuditUnavailable, RegistryUnavailable, CasesUnavailable, OSError) as error:
        maillog.trouble("retention", type(error).__name__)


@dataclass(frozen=True, slots=True)
class _Memory:
    """When the last purge was."""

    path: Path

    def last(self) -> float:
        try:
            return float(json.loads(self.path.read_text("ascii"))["at"])
        except (OSError, ValueError, TypeError, KeyError):
            return 0.0

    def jump(self, now: float) -> float:
        """Seconds by which `now` is too far ahead to be believed, or 0: a wrong clock must not end every term."""
        last = self.last()
        return now - last if last and now - last > _JUMP else 0.0

    def remember(self, now: float) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({"at": now}) + "\n", "ascii")
        fresh.replace(self.path)


def remember(state: Path, now: float) -> None:
    """An operator purged by hand: the clock is believed from here on."""
    _Memory(state / "retention.json").remember(now)


def last_purge(state: Path) -> float:
    """When that was, in Unix seconds; 0.0 for never."""
    return _Memory(state / "retention.json").last()


def _audit(organisations: Sequence[Organisation], shards: Sequence[Path], now: float, dry: bool) -> list[Purged]:
    limits: dict[Key, float] = {}
    for organisation in organisations:
        for name in AUDIT_CLASSES:
            term = organisation.retention.terms()[name]
            assert term is not None, "every class of the audit has a term"
            limits[organisation.name, name] = term.before(now, organisation.time_zone)
    gone = Retention()  # of an organisation that is no longer in the settings: the terms it would have by default

    def before(key: Key) -> float:
        term = gone.terms()[key[1]]
        return limits[key] if key in limits else term.before(now, "UTC") if term is not None else float("-inf")

    swept = Swept()
    for shard in shards:
        swept.add(purge_shard(shard, before, dry=dry))
    keys = [*limits, *(key for key in swept.forgotten if key not in limits)]
    return [
        Purged(o, name, before((o, name)), swept.forgotten[o, name], swept.oldest.get((o, name))) for o, name in keys
    ]


async def _events(house: House, now: float, dry: bool) -> list[Purged]:
    found = []
    for name, kinds in EVENT_CLASSES.items():
        term = house.organisation.retention.terms()[name]
        before = term.before(now, house.organisation.time_zone) if term is not None else float("-inf")
        count = await _purge_events(house, kinds, before, dry)
        oldest = await house.registry.oldest(kinds)
        found.append(Purged(house.organisation.name, name, before, count, oldest))
    return found


async def _purge_events(house: House, kinds: Collection[EventKind], before: float, dry: bool) -> int:
    if before <= 0:
        return 0
    if not dry:
        return await house.registry.purge(kinds, int(before))
    names, after, count = {kind.value for kind in kinds}, 0, 0
    while page := await house.registry.event_rows(after, _PAGE):
        count += sum(row.kind in names and row.at < int(before) for row in page)
        after = page[-1].number
    return count


async def _people(house: House, shards: Sequence[Path], now: float, dry: bool) -> list[Purged]:
    """Those whose purge clock ran out, with their rows of the audit, and what the law kept until today."""
    name = house.organisation.name
    traces = partial(_forget_in, shards)
    left = await forget_due(house.registry, house.pseudonyms, int(now), dry=dry, traces=traces)
    before = now - house.organisation.rights.leaving_after.total_seconds()
    kept = 0 if dry else await house.registry.purge({EventKind.RETAINED}, int(now))
    return [Purged(name, "leaving", before, left.forgotten, left.oldest), Purged(name, RETAINED, now, kept)]


async def _forget_in(shards: Sequence[Path], person: Person) -> None:
    try:
        for shard in (s for folder in sorted({p.parent for p in shards}) for s in present(folder)):
            await asyncio.to_thread(forget, shard, person.every_exact, erase_person)
    except SpoolUnavailable as error:
        raise AuditUnavailable(str(error)) from error


async def _cases(house: House, now: float, dry: bool) -> list[Purged]:
    zone, terms = house.organisation.time_zone, house.organisation.retention
    requests, breaches = terms.requests.before(now, zone), terms.breaches.before(now, zone)
    first = day_in(zone, requests) if requests > float("-inf") else date.min
    assert first is not None, "a moment made from a day has a day"
    days = [closed_on(row) for row in await house.cases.register()]
    ends = [closed_at(b.detail) for b in await house.cases.breach_list() if _is_closed(b)]
    if not dry:
        await house.cases.purge(first, breaches)
    of = partial(Purged, house.organisation.name)
    return [
        of("requests", requests, sum(day < first for day in days), _first_of([d for d in days if d >= first])),
        of(
            "breaches",
            breaches,
            sum(at < breaches for at in ends),
            min((a for a in ends if a >= breaches), default=None),
        ),
    ]


def _is_closed(breach: Breach) -> bool:
    return breach.state == CLOSED and closed_at(breach.detail) > 0


def _first_of(days: Sequence[date]) -> float | None:
    return (min(days) - date(1970, 1, 1)).days * DAY if days else None


def _proof(item: Purged, now: float) -> AuditRow:
    before = None if item.before == float("-inf") else int(item.before)
    detail = {"class": item.data_class, "before": before, "count": item.count}
    return AuditRow(now, item.organisation, "", "purged", b"", detail)
