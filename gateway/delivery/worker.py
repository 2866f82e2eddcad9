"""The delivery loop of one worker process: claims due rows, gives them to their provider's line, settles what came out.

what:       `DeliveryWorker`: feed, lanes, housekeeping, drain
takes→gives: shards of the spool → mail at providers, rows settled, reports to the submitter
knows not:  MIME, SQL, how reports are written, settings files
fails by:   nothing: an unknown error of one attempt is a later attempt, counted and logged without content
standard:   DESIGN §1 step 7; I-2, I-3, I-4; R-013..R-018
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from gateway.audit.protocol import AuditRow
from gateway.config.gateway import Delivery
from gateway.config.organisation import Provider
from gateway.decision import Stream
from gateway.delivery.attempt import REGISTRY_WAIT, UNREACHED, Attempt, Templates, registry_away
from gateway.delivery.cancelling import cancel
from gateway.delivery.line import Line
from gateway.delivery.outcome import Job, Kind, Outcome
from gateway.delivery.party import Party
from gateway.delivery.pool import Pool
from gateway.delivery.proving import Prover
from gateway.delivery.record import Recorder
from gateway.delivery.relay import Hop, Timers, hop_of
from gateway.delivery.report import Report
from gateway.delivery.schedule import Schedule
from gateway.delivery.settle import Place, Settlement, settle
from gateway.delivery.tally import tally
from gateway.observe import maillog, metrics
from gateway.policy.route import route
from gateway.spool.protocol import Entry, EntryBroken, EntryGone, Spool, SpoolUnavailable, State, Update

_LINE_FULL = 100  # rows waiting in a stalled line; more of them are put back
_PATIENCE = 5.0  # seconds without a finished row after which a line counts as stalled
_PUT_BACK = 60.0
_ORDERS_EVERY = 1.0
_HOLDS_EVERY = 60.0
_DEPTH_EVERY = 10.0
_EXPIRED_AT_ONCE = 200
_NO_RULES_HOLD = 5 * 86400.0  # when the organisation's own setting is gone with the organisation


Password = Callable[[str, str], str]


class Shard(Spool, Protocol):
    """A spool as delivery needs it: woken by `stirred`, with operators' orders and the ends of holds."""

    @property
    def stirred(self) -> asyncio.Event: ...
    async def expired(self, now: float, limit: int) -> list[Entry]: ...
    async def take_orders(self) -> Sequence[Any]: ...
    async def carry_out(self, order: Any, now: float) -> int: ...


class DeliveryWorker:
    """One per worker process, for one or more shards.

    `share` is the number of workers that divide a provider's connections; `password(organisation, secret)` gives a
    provider's password; `report` composes and stores a DSN, durably, before it returns; `clock` gives Unix seconds.
    """

    def __init__(
        self,
        shards: Sequence[Shard],
        parties: Mapping[str, Party],
        settings: Delivery,
        *,
        name: str,
        share: int,
        password: Password,
        report: Callable[[Report], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self._parties = parties
        self._settings = settings
        self._name = name
        self._share = share
        self._password = password
        self._report = report
        self._clock = clock
        self._schedule = Schedule.of(settings)
        self._timers = Timers.of(settings)
        self._attempt = Attempt(clock, settings.decision_age.total_seconds(), Templates(), Prover())
        self._recorders = {id(shard): (shard, Recorder(shard)) for shard in shards}
        self._lines: dict[tuple[str, str], Line] = {}
        self._at_once = asyncio.Semaphore(settings.concurrency)
        self._limit = max(8 * settings.concurrency, 64)  # rows in hand
        self._away: dict[str, float] = {}  # organisation → until when its registry is left alone
        self._measured: set[tuple[str, str, str]] = set()
        self._space = asyncio.Event()
        self._stop = asyncio.Event()
        self._ended = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Deliver until `drain`."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                for shard, recorder in self._recorders.values():
                    tasks.create_task(recorder.run())
                    tasks.create_task(self._feed(shard))
                tasks.create_task(self._every(_ORDERS_EVERY, self.apply_orders))
                tasks.create_task(self._every(_HOLDS_EVERY, self.expire_holds))
                tasks.create_task(self._every(_DEPTH_EVERY, self._measure))
        finally:
            self._tasks = None
            self._ended.set()

    def wake(self) -> None:
        """Rows may be due: look now."""
        for shard, _ in self._recorders.values():
            shard.stirred.set()

    def reload(self, parties: Mapping[str, Party], password: Password | None = None) -> None:
        """New rules and keys for everything decided from now on, and a new `password` where one is given.

        Spare connections close, since a password or the trusted authorities may have changed; for the same reason a
        provider that rests after trouble is tried at once.
        """
        self._parties = parties
        self._password = password or self._password
        for line in self._lines.values():
            party = parties.get(line.organisation)
            if party is not None and (provider := party.organisation.by_provider.get(line.provider.name)):
                line.provider = provider
                line.lanes = self._lanes(provider)
            line.pool.renew()
            line.wake()
        self.wake()

    async def drain(self, grace: float) -> int:
        """Claim no more, finish within `grace` seconds what is on its way, give the rest back; how many were cut off.

        A transaction cut off may have reached the provider: the spool counts it as uncertain when it opens again.
        """
        self._stop.set()
        self._space.set()
        self.wake()
        for line in self._lines.values():
            for job in line.take_waiting():
                job.spool.release([job.entry.row])
        cut = sum(await asyncio.gather(*(line.finish(grace) for line in self._lines.values())))
        for _, recorder in self._recorders.values():
            recorder.close()
        await asyncio.gather(*(line.pool.close() for line in self._lines.values()))
        if self._tasks is not None:
            await self._ended.wait()
        return cut

    async def apply_orders(self) -> None:
        """Carry out what operators ordered since the last look."""
        for shard, _ in self._recorders.values():
            for order in await shard.take_orders():
                about = await shard.entries(message=order.message, limit=1)
                if rows := await self._carry_out(shard, order):
                    organisation = about[0].organisation if about else ""
                    rule = about[0].reason.partition(":")[0] if about and about[0].state is State.HELD else ""
                    metrics.OVERRIDES.labels(organisation, str(order.act), rule).inc(rows)
                    maillog.operator_act(order.message, organisation, str(order.act), order.operator, rows)

    async def _carry_out(self, shard: Shard, order: Any) -> int:
        if not order.act.tells:
            return await shard.carry_out(order, self._clock())
        return await cancel(shard, order, self._parties, self._schedule, self._report, self._clock())

    async def expire_holds(self) -> None:
        """Rows held past their end fail, and their submitter hears it."""
        for shard, recorder in self._recorders.values():
            for entry in await shard.expired(self._clock(), _EXPIRED_AT_ONCE):
                if entry.until and self._parties.get(entry.organisation):
                    await self._expire(Job(shard, entry), recorder)

    async def _expire(self, job: Job, recorder: Recorder) -> None:
        party = self._parties[job.entry.organisation]
        try:
            await job.unseal(party.pseudonyms)
            outcome = Outcome(Kind.FAILED, f"held and not released in time: {job.entry.reason}", "5.4.7")
            settlement = settle(job, outcome, Place("", "", 0.0), self._schedule, self._clock())
            if settlement.report is not None:
                await self._report(settlement.report)
            await recorder.add(settlement.update, settlement.audit)
            tally(job, outcome, settlement, "", self._clock())
        except (EntryBroken, EntryGone, SpoolUnavailable):
            return  # looked at again at the next turn, if it is still there
        except Exception as error:  # noqa: BLE001 one row's fault must not end the loop; the row stays held
            metrics.FAULTS.labels("delivery").inc()
            maillog.fault("hold expiry", error)

    async def _every(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        while not self._stop.is_set():
            try:
                await act()
            except SpoolUnavailable:
                maillog.trouble("spool", "cannot be read")
            await _until(self._stop, seconds)

    async def _measure(self) -> None:
        rows: dict[tuple[str, str, str], int] = {}
        oldest = 0.0
        for shard, _ in self._recorders.values():
            depth = await shard.depth(self._clock())
            oldest = max(oldest, depth.oldest)
            for key, number in depth.rows.items():
                rows[key] = rows.get(key, 0) + number
        self._measured |= rows.keys()
        for key in self._measured:  # also those that are empty by now
            metrics.QUEUE_ROWS.labels(*key).set(rows.get(key, 0))
        metrics.QUEUE_OLDEST.set(oldest)

    async def _feed(self, shard: Shard) -> None:
        while not self._stop.is_set():
            shard.stirred.clear()
            self._space.clear()
            room = self._limit - self._in_hand()
            if room < self._limit // 2:
                await _until(self._space, 1.0)
                continue
            try:
                found = await shard.claim(self._clock(), room)
                for entry in found:
                    await self._dispatch(Job(shard, entry))
                if len(found) >= room:
                    continue
                due = await shard.next_due()  # all that was due before is in hand
            except SpoolUnavailable:
                maillog.trouble("spool", "cannot be read")
                await _until(self._stop, 1.0)
                continue
            await _until(shard.stirred, None if due is None else max(due - self._clock(), 0.01))

    def _in_hand(self) -> int:
        # What waits for a stalled provider does not keep the others from being fed.
        now = asyncio.get_running_loop().time()
        return sum(line.waiting + line.busy for line in self._lines.values() if not line.stalled(now, _PATIENCE))

    async def _dispatch(self, job: Job) -> None:
        if self._stop.is_set() or self._tasks is None:
            job.spool.release([job.entry.row])
            return
        line = self._line(job.entry)
        if line is None:
            await self._close(job, Outcome(Kind.HELD, reason="no route: no provider for this domain and stream"), None)
        elif line.waiting >= _LINE_FULL and line.stalled(asyncio.get_running_loop().time(), _PATIENCE):
            await self._close(job, Outcome(Kind.POSTPONED, reason="provider is slow", wait=_PUT_BACK), line)
        else:
            line.add(job, self._tasks)

    def _line(self, entry: Entry) -> Line | None:
        party = self._parties.get(entry.organisation)
        provider = _provider(party, entry) if party else None
        if provider is None:
            return None
        key = (entry.organisation, provider.name)
        if (line := self._lines.get(key)) is None:
            pool = Pool(lambda: self._hop(key), self._timers, self._settings.idle_connection.total_seconds())
            line = Line(entry.organisation, provider, pool, self._lanes(provider), self._carry)
            self._lines[key] = line
        return line

    def _hop(self, key: tuple[str, str]) -> Hop:
        provider = self._lines[key].provider
        password = self._password(key[0], provider.secret) if provider.secret else ""
        return hop_of(provider, self._name, password)

    def _lanes(self, provider: Provider) -> int:
        return max(1, provider.max_connections // self._share)

    async def _carry(self, job: Job, line: Line) -> None:
        """One delivery attempt, and the boundary around it."""
        async with self._at_once:
            try:
                outcome = await self._try(job, line)
                await self._close(job, outcome, line)
            except EntryBroken:
                metrics.FAULTS.labels("spool").inc()  # the spool has set it aside
            except EntryGone:
                job.spool.release([job.entry.row])
            except SpoolUnavailable:
                await _until(self._stop, 1.0)
                job.spool.release([job.entry.row])
            except Exception as error:  # noqa: BLE001 the boundary of a delivery attempt: unknown errors are temporary
                metrics.FAULTS.labels("delivery").inc()
                maillog.fault("delivery", error)
                await self._after_fault(job, line)
        if self._in_hand() <= self._limit // 2:
            self._space.set()

    async def _try(self, job: Job, line: Line) -> Outcome:
        party, now = self._parties[line.organisation], self._clock()
        if now < self._away.get(line.organisation, 0.0):
            return registry_away()
        await job.unseal(party.pseudonyms)
        if line.resting(now):
            status = UNREACHED.get(line.trouble, "4.4.1")
            return Outcome(Kind.RETRY, reason=f"the provider rests after trouble: {line.trouble}", status=status)
        outcome = await self._attempt.run(job, line, party)
        self._note_registry(line.organisation, away=outcome.away)
        if outcome.trouble:
            metrics.PROVIDER_TROUBLE.labels(line.organisation, line.provider.name, outcome.trouble).inc()
            if line.note_trouble(outcome.trouble, self._clock()):
                maillog.trouble(f"provider {line.organisation}/{line.provider.name}", outcome.trouble)
        elif outcome.answer is not None and line.note_success():
            maillog.recovered(f"provider {line.organisation}/{line.provider.name}")
        return outcome

    def _note_registry(self, organisation: str, *, away: bool) -> None:
        """While a registry is away its rows wait without being tried; a row that gets through ends that."""
        if away:
            if organisation not in self._away:
                maillog.trouble(f"registry {organisation}", "no decision can rest on it; its mail waits")
            metrics.REGISTRY_TROUBLE.labels(organisation).set(1)
            self._away[organisation] = self._clock() + REGISTRY_WAIT / 2
        elif self._away.pop(organisation, None) is not None:
            metrics.REGISTRY_TROUBLE.labels(organisation).set(0)
            maillog.recovered(f"registry {organisation}")

    async def _close(self, job: Job, outcome: Outcome, line: Line | None) -> None:
        """Tell the submitter and write down. What is delivered is written first: it must not be sent again."""
        now = self._clock()
        settlement = settle(job, outcome, self._place(job.entry, line), self._schedule, now)
        if settlement.state is State.DELIVERED:
            await self._write(job, settlement)
        if settlement.report is not None:
            await self._report(settlement.report)
        await self._write(job, settlement)
        tally(job, outcome, settlement, line.provider.name if line else "", now)
        if job.letter is not None and job.letter.classification.sensitive:
            self._attempt.templates.forget(job.entry.message)  # no copy stays after the final status (S-06)

    async def _write(self, job: Job, settlement: Settlement) -> None:
        if not job.settled:
            job.settled = True
            await self._recorders[id(job.spool)][1].add(settlement.update, settlement.audit)

    async def _after_fault(self, job: Job, line: Line) -> None:
        """The row of an attempt that went wrong in an unknown way: later again, or held where time is over."""
        if job.settled:
            return
        job.settled = True
        entry, now = job.entry, self._clock()
        due = self._schedule.next_attempt(entry.attempts + 1, entry.received, now)
        place, reason = self._place(entry, line), "a fault of ours at delivery"
        update = (
            Update(entry.row, State.HELD, until=now + place.hold_for, reason=reason)
            if due is None
            else Update(entry.row, State.QUEUED, due=due, attempts=entry.attempts + 1, reason=reason)
        )
        what = "held" if due is None else "deferred"
        detail = {"provider": place.provider, "reason": reason, "attempt": entry.attempts + 1}
        row = AuditRow(now, entry.organisation, entry.message, what, entry.person_exact, detail)
        await self._recorders[id(job.spool)][1].add(update, (row,))

    def _place(self, entry: Entry, line: Line | None) -> Place:
        party = self._parties.get(entry.organisation)
        hold_for = party.organisation.hold_for.total_seconds() if party else _NO_RULES_HOLD
        return Place(line.provider.name if line else "", line.provider.host if line else "", hold_for)


def _provider(party: Party, entry: Entry) -> Provider | None:
    """By the rules of today (S-12, S-14); mail of our own making, from no domain of theirs, keeps what it was given."""
    domain = entry.facts.get("from_domain", "")
    if domain in party.organisation.by_domain:
        known = entry.stream in Stream.__members__.values()
        return route(party.organisation, str(domain), Stream(entry.stream)) if known else None
    return party.organisation.by_provider.get(entry.provider)


async def _until(event: asyncio.Event, seconds: float | None) -> None:
    """Wait for `event`, at most `seconds`."""
    if event.is_set():
        return
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
