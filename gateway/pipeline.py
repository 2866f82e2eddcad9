"""(Envelope, bytes) → Reply: the order of steps, and what each failure means.

what:       look up, plan, store; undecided and quarantined mail; deciding it later
takes→gives: one accepted transaction → one `Reply`; 250 only after the commit
knows not:  sockets, SQL, MIME details, settings files
fails by:   nothing: every failure is a reply, and mail is stored or still the client's
standard:   I-2, I-3, I-4; R-013, R-014; DESIGN §4 Refusing
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from gateway import content, ledger, plan
from gateway.address import Address
from gateway.audit.protocol import AuditRow
from gateway.content import Inspector, InspectorUnavailable
from gateway.decision import Action, Stream
from gateway.envelope import Envelope
from gateway.lookup import look_up
from gateway.observe import maillog, metrics
from gateway.plan import Arrival, Plan, Refused, Rules
from gateway.policy import postmaster
from gateway.policy.reach import blocked_everywhere
from gateway.registry.protocol import RegistryUnavailable
from gateway.reply import QUEUED, RECIPIENT_OK, STORE_UNAVAILABLE, UNDECIDED, Reply
from gateway.spool.protocol import (
    QUARANTINE,
    Entry,
    EntryBroken,
    EntryGone,
    NewMessage,
    Spool,
    SpoolUnavailable,
    State,
    Update,
)
from gateway.stored import (
    envelope_from,
    planned_message,
    raw_message,
    refusals_audit,
)
from gateway.tenant import Tenant

_POISON = 2  # after this many dead workers a message is set aside before it is parsed again (I-3)
_POISONOUS = "ended a worker twice"
_ASIDE = (State.UNDECIDED, State.QUARANTINED)
_AWAY = (RegistryUnavailable, InspectorUnavailable)
_AT_ONCE = 2**20  # octets; more is hashed in a thread, so that other mail goes on
_INSPECTOR_AGAIN = 15.0  # seconds until mail is tried again that nobody could look into
Composed = tuple[NewMessage, AuditRow]


class Blackbox(Protocol):
    """Says after a crash which message was being read (see `spool/blackbox.py`)."""

    def holding(self, digest: bytes) -> AbstractContextManager[None]: ...

    def crashes(self, digest: bytes) -> int: ...


@dataclass(frozen=True, slots=True)
class Bounce:
    """Recipients of one stored message that the submitter must hear about (R-014, R-111)."""

    tenant: Tenant
    envelope: Envelope
    arrival: Arrival
    plan: Plan | None
    action: str  # failed | delivered
    recipients: tuple[tuple[int, Reply], ...]  # index into the envelope, and why


@dataclass(frozen=True, slots=True)
class Parts:
    """What one settings version gives the pipeline; swapped whole on reload."""

    rules: Rules
    tenants: Mapping[str, Tenant]
    """By client name: names are unique over all organisations."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one commit stores: the message or None, reports about it, audit."""

    message: NewMessage | None
    reports: tuple[NewMessage, ...]
    audit: Sequence[AuditRow]

    @classmethod
    def ended(cls, entry: Entry, reports: Sequence[Composed], audit: Sequence[AuditRow]) -> Parcel:
        """A message that was set aside and is now refused: nothing of it stays but the audit."""
        nothing = NewMessage(
            id=entry.message, reference=entry.reference, organisation=entry.organisation, client=entry.client,
            stream=entry.stream, received=entry.received, facts=entry.facts, sealed={}, body=b"", rows=(),
        )  # fmt: skip
        return cls(nothing, tuple(m for m, _ in reports), (*audit, *(row for _, row in reports)))


class Pipeline:
    """One per worker. `report` composes a report (outbox), stored here; `wake` tells delivery that rows are due;
    `inspector` looks into attachments.

    `vain` are ids of quarantined messages that this version of the software could not decide either; `notes` waits to
    be flushed into the registries.
    """

    def __init__(
        self,
        parts: Parts,
        spool: Spool,
        blackbox: Blackbox,
        inspector: Inspector,
        *,
        report: Callable[[Bounce], Composed | None],
        wake: Callable[[], None],
        clock: Callable[[], float],
        software: str,
    ) -> None:
        self.parts = parts
        self._spool = spool
        self._blackbox = blackbox
        self._inspector = inspector
        self._report = report
        self._wake = wake
        self._clock = clock
        self._software = software
        self.vain: set[str] = set()
        self.notes = ledger.Notes()

    async def accept(self, envelope: Envelope, raw: bytes) -> Reply:
        """Answer one transaction. 250 means durable (I-4)."""
        tenant = self.parts.tenants[envelope.client]
        envelope = postmaster.marked(tenant.organisation, envelope)
        chance = secrets.token_bytes(14)  # once: each call to the system lets other threads take their turn
        arrival = Arrival(chance[:10].hex(), int.from_bytes(chance[10:]), self._clock())
        try:
            reply = await self._answer(tenant, envelope, raw, arrival)
        except SpoolUnavailable as error:
            maillog.trouble("spool", type(error).__name__)
            metrics.SPOOL_TROUBLE.set(1)
            reply = STORE_UNAVAILABLE
        organisation = tenant.organisation.name
        if reply.positive:
            metrics.ACCEPTED.labels(organisation, envelope.client).inc()
            metrics.SPOOL_TROUBLE.set(0)
        else:
            metrics.REJECTED.labels(organisation, envelope.client, str(reply.code)).inc()
            maillog.rejected(organisation, envelope.client, str(reply), arrival.id)
        return reply

    async def check_recipient(self, client: str, address: Address) -> Reply | None:
        """At RCPT, for clients with `refuse: rcpt`: a refusal when every stream of this client is blocked (R-014)."""
        tenant = self.parts.tenants[client]
        if address.is_postmaster:
            return None
        try:
            facts = await tenant.registry.facts([tenant.pseudonyms.person(address)])
        except RegistryUnavailable:
            return None  # the decision waits for DATA, where the mail can be stored undecided
        decision = blocked_everywhere(tenant.organisation, tenant.organisation.by_client[client], facts[0])
        return decision.reply if decision is not None else None

    async def revisit(self, spool: Spool, entries: Sequence[Entry]) -> int:
        """Decide stored undecided or quarantined messages of one shard again; gives how many got decided.

        Raises `SpoolUnavailable`; anything else about one message leaves the others as they are.
        """
        done = 0
        for message in dict.fromkeys(e.message for e in entries):
            # All rows of it, however few of them were found: what takes its place takes the place of all.
            rows = [e for e in await spool.entries(message=message, limit=-1) if e.state in _ASIDE]
            if not rows:
                continue
            try:
                done += await self._again(spool, rows)
            except EntryGone:
                continue  # dropped meanwhile
            except EntryBroken as error:
                await self._keep_aside(spool, rows, "a row of it cannot be unsealed")
                maillog.fault("revisit", error)
        return done

    async def _answer(self, tenant: Tenant, envelope: Envelope, raw: bytes, arrival: Arrival) -> Reply:
        hashed = await asyncio.to_thread(hashlib.sha256, raw) if len(raw) > _AT_ONCE else hashlib.sha256(raw)
        digest = hashed.digest()
        if self._blackbox.crashes(digest) >= _POISON:
            return await self._set_aside(tenant, envelope, raw, arrival, State.QUARANTINED, _POISONOUS)
        try:
            made = await self._plan(tenant, envelope, raw, arrival, digest)
            parcel = self._parcel(tenant, envelope, made, arrival)
            await self._share(tenant, made)
        except Refused as refused:
            await self._spool.put((), refusals_audit(tenant, envelope, arrival, refused.reply))
            _count_unplanned(tenant, envelope, refused)
            return refused.reply
        except _AWAY as error:
            if tenant.organisation.by_client[envelope.client].when_registry_away == "defer":
                return UNDECIDED
            maillog.undecided(arrival.id, tenant.organisation.name, type(error).__name__)
            return await self._set_aside(tenant, envelope, raw, arrival, State.UNDECIDED, _away(error))
        except Exception as error:  # noqa: BLE001 the boundary between DATA and 250: a fault of ours sets the mail aside
            metrics.FAULTS.labels("pipeline").inc()
            return await self._set_aside(tenant, envelope, raw, arrival, State.QUARANTINED, maillog.fault_place(error))
        return await self._store(tenant, made, parcel, len(raw))

    async def _plan(self, tenant: Tenant, envelope: Envelope, raw: bytes, arrival: Arrival, digest: bytes) -> Plan:
        with self._blackbox.holding(digest):
            reading = plan.read(tenant, self.parts.rules, envelope, raw, now=arrival.at)
            asked = content.inside(tenant, envelope, reading)
        reading = await content.look(tenant, envelope, reading, asked, self._inspector)
        found = await look_up(tenant, envelope, reading, arrival.at)
        with self._blackbox.holding(digest):
            return plan.make(tenant, self.parts.rules, envelope, arrival, reading, found)

    def _parcel(self, tenant: Tenant, envelope: Envelope, made: Plan, arrival: Arrival) -> Parcel:
        """What one commit stores of a plan. When nobody gets the message the SMTP reply says it, and no report."""
        message, audit = planned_message(tenant, envelope, made, arrival, self.parts.rules.version)
        reports = [] if message is None else self._reports(_bounces(tenant, envelope, arrival, made))
        return Parcel(message, tuple(m for m, _ in reports), (*audit, *(row for _, row in reports)))

    async def _share(self, tenant: Tenant, made: Plan) -> None:
        """The share ledger comes before the spool. Raises `RegistryUnavailable`."""
        if events := ledger.shares(made, self._clock()):
            await tenant.registry.record(events)

    def _reports(self, bounces: Sequence[Bounce]) -> list[Composed]:
        return [report for bounce in bounces if (report := self._report(bounce)) is not None]

    async def _store(self, tenant: Tenant, made: Plan, parcel: Parcel, size: int) -> Reply:
        message = parcel.message
        self.notes.add(tenant, ledger.contact(made, self._clock()))
        if message is None:
            await self._spool.put((), parcel.audit)
            self._count(tenant, made)
            return whole_refusal(made)
        await self._spool.put((message, *parcel.reports), parcel.audit)
        await ledger.tell(tenant, ledger.announcements(made, self._clock()))
        self._count(tenant, made)
        self._wake()
        maillog.accepted(
            message.id, message.organisation, message.client, message.stream, size,
            queued=sum(r.state is State.QUEUED for r in message.rows),
            held=sum(r.state is State.HELD for r in message.rows),
            refused=len(made.by_action(Action.REFUSE)),
        )  # fmt: skip
        return QUEUED.because(message.id)

    async def _set_aside(
        self, tenant: Tenant, envelope: Envelope, raw: bytes, arrival: Arrival, state: State, reason: str
    ) -> Reply:
        message, audit = raw_message(tenant, envelope, raw, arrival, state, reason, self._software)
        await self._spool.put((message,), audit)
        if state is State.QUARANTINED:
            self._note_quarantine(message.id, message.organisation, reason)
        return QUEUED.because(message.id)

    def _note_quarantine(self, message: str, organisation: str, reason: str) -> None:
        self.vain.add(message)  # this software has seen it
        metrics.QUARANTINED.labels(organisation).inc()
        maillog.quarantined(message, organisation, reason)

    async def _again(self, spool: Spool, rows: Sequence[Entry]) -> bool:
        first, now = rows[0], self._clock()
        quarantined = first.state is State.QUARANTINED
        if first.stream:  # compiled long ago; only its seal was in doubt, and an operator says that this is over
            await spool.update([Update(e.row, State.QUEUED, due=now, reason="") for e in rows if e.due <= now], ())
            self._wake()
            return True
        if quarantined:  # before it is parsed: if it ends this process, the next one leaves it alone
            self.vain.add(first.message)
            await spool.update([Update(e.row, e.state, due=now + QUARANTINE) for e in rows], ())
        opened = await spool.open(first)
        envelope = envelope_from(first, [(await spool.open(e)).row for e in rows], opened.message)
        digest = hashlib.sha256(opened.body).digest()
        if not quarantined and self._blackbox.crashes(digest) >= _POISON:
            await self._keep_aside(spool, rows, _POISONOUS)
            return False
        tenant = self.parts.tenants.get(envelope.client)
        if tenant is None:
            await self._keep_aside(spool, rows, "its client is no longer in the settings")
            return False
        return await self._decide_again(spool, tenant, envelope, opened.body, rows)

    async def _decide_again(
        self, spool: Spool, tenant: Tenant, envelope: Envelope, raw: bytes, rows: Sequence[Entry]
    ) -> bool:
        entry = rows[0]
        arrival = Arrival(entry.message, entry.reference, entry.received)
        try:
            made = await self._plan(tenant, envelope, raw, arrival, hashlib.sha256(raw).digest())
            parcel = self._parcel(tenant, envelope, made, arrival)
            await self._share(tenant, made)
            if parcel.message is None:
                everyone = _everyone(tenant, envelope, arrival, made, whole_refusal(made))
                parcel = Parcel.ended(entry, self._reports([everyone]), parcel.audit)
        except InspectorUnavailable:
            later = self._clock() + _INSPECTOR_AGAIN
            await spool.update([Update(e.row, e.state, due=later) for e in rows], ())
            return False
        except RegistryUnavailable:
            if entry.state is State.QUARANTINED:  # not its fault: with the registry it gets its turn
                await spool.update([Update(e.row, State.UNDECIDED, due=self._clock()) for e in rows], ())
            return False
        except Refused as refused:
            everyone = _everyone(tenant, envelope, arrival, None, refused.reply)
            audit = refusals_audit(tenant, envelope, arrival, refused.reply)
            parcel, made = Parcel.ended(entry, self._reports([everyone]), audit), None
            _count_unplanned(tenant, envelope, refused)
        except Exception as error:  # noqa: BLE001 same boundary, on a later visit: it stays set aside
            metrics.FAULTS.labels("pipeline").inc()
            await self._keep_aside(spool, rows, maillog.fault_place(error))
            return False
        await self._swap(spool, tenant, made, parcel)
        return True

    async def _swap(self, spool: Spool, tenant: Tenant, made: Plan | None, parcel: Parcel) -> None:
        """Reports first: a crash between the two commits then says a thing twice, never not at all."""
        if parcel.reports:
            await self._spool.put(parcel.reports, ())
        assert parcel.message is not None, "what was set aside is replaced by something"
        await spool.replace(parcel.message.id, parcel.message, parcel.audit)
        if made is not None:
            self.notes.add(tenant, ledger.contact(made, self._clock()))
            await ledger.tell(tenant, ledger.announcements(made, self._clock()))
            self._count(tenant, made)
        self._wake()

    async def _keep_aside(self, spool: Spool, rows: Sequence[Entry], reason: str) -> None:
        """Quarantined from now on, or still: until an operator's retry, or an upgrade."""
        now, first = self._clock(), rows[0]
        updates = [Update(e.row, State.QUARANTINED, due=now + QUARANTINE, reason=reason) for e in rows]
        what = State.QUARANTINED.value
        audit = [AuditRow(now, e.organisation, e.message, what, e.person_exact, {"reason": reason}) for e in rows]
        await spool.update(updates, audit)
        self._note_quarantine(first.message, first.organisation, reason)

    def _count(self, tenant: Tenant, made: Plan) -> None:
        name, stream = tenant.organisation.name, made.classification.stream.value
        count_content(made, name)
        for copy in made.copies:
            decision = copy.decision
            metrics.DECISIONS.labels(name, stream, decision.action.value, decision.rule).inc()
            for tried in decision.tried:
                if tried.observed:
                    metrics.OBSERVED.labels(name, made.read.client.name, stream, tried.rule).inc()
        for rendition in made.renditions.values():
            for edit in rendition.draft.edits:
                metrics.EDITS.labels(name, edit.by, edit.kind).inc()
            for outcome in rendition.outcomes:
                metrics.OUTCOMES.labels(name, outcome.filter, outcome.kind, outcome.action.value).inc(outcome.times)
                if outcome.kind == "one-click-unsigned":
                    metrics.ONE_CLICK_UNSIGNED.labels(name).inc()


def _away(error: Exception) -> str:
    return "inspector away" if isinstance(error, InspectorUnavailable) else "registry away"


def _count_unplanned(tenant: Tenant, envelope: Envelope, refused: Refused) -> None:
    """Mail without a stream is decided before there is a plan; it counts for every recipient all the same (S-17)."""
    if refused.rule:
        labels = (tenant.organisation.name, Stream.UNCLASSIFIED.value, Action.REFUSE.value, refused.rule)
        metrics.DECISIONS.labels(*labels).inc(len(envelope.recipients))


def count_content(made: Plan, organisation: str) -> None:
    """What was found in the content: kinds, numbers and what could not be read, never a value."""
    inspection = made.read.inspection
    found = Counter(kind.value for kind, _ in {(f.kind, f.mark) for f in inspection.findings})
    for kind, number in found.items():
        metrics.CONTENT_FOUND.labels(organisation, kind).inc(number)
    for unread in inspection.unread:
        reason = unread.why.rpartition(": ")[2]  # without the name of a file inside
        metrics.CONTENT_UNREAD.labels(organisation, reason).inc()
    if found or inspection.unread:
        maillog.inspected(made.id, organisation, len(inspection.unread), found)


def whole_refusal(made: Plan) -> Reply:
    """The reply when nobody gets the message: the filter's, else that of the first recipient."""
    if made.stop is not None and made.stop.reply is not None:
        return made.stop.reply
    return next(c.decision.reply for c in made.copies if c.decision.reply is not None)


def _bounces(tenant: Tenant, envelope: Envelope, arrival: Arrival, made: Plan) -> list[Bounce]:
    """Reports about recipients whose fate is known now: refused ones, and SUCCESS asked of a split (R-111)."""
    refused = tuple((i, c.decision.reply) for i, c in enumerate(made.copies) if c.decision.reply is not None)
    split = len(envelope.recipients) > 1
    success = tuple(
        (i, RECIPIENT_OK)
        for i, c in enumerate(made.copies)
        if split and "SUCCESS" in c.recipient.notify and c.decision.action is not Action.REFUSE
    )
    told = (("failed", refused), ("delivered", success))
    return [Bounce(tenant, envelope, arrival, made, action, about) for action, about in told if about]


def _everyone(tenant: Tenant, envelope: Envelope, arrival: Arrival, made: Plan | None, reply: Reply) -> Bounce:
    about = tuple((i, reply) for i in range(len(envelope.recipients)))
    return Bounce(tenant, envelope, arrival, made, "failed", about)
