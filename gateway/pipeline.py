"""(Envelope, bytes) → Reply: the order of steps, and what each failure means.

what:       look up, plan, store; undecided and quarantined mail; deciding it later
takes→gives: one accepted transaction → one `Reply`; 250 only after the commit
knows not:  sockets, SQL, MIME details, settings files
fails by:   nothing: every failure is a reply, and mail is stored or still the client's
standard:   I-2, I-3, I-4; R-013, R-014; DESIGN §4 Refusing
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from gateway import plan
from gateway.address import Address
from gateway.audit.protocol import AuditRow
from gateway.decision import Action
from gateway.envelope import Envelope
from gateway.facts import Facts
from gateway.observe import maillog, metrics
from gateway.plan import Arrival, Plan, Refused, Rules
from gateway.policy.reach import blocked_everywhere
from gateway.pseudonym import Person
from gateway.registry.protocol import RegistryUnavailable
from gateway.reply import QUEUED, RECIPIENT_OK, STORE_UNAVAILABLE, UNDECIDED, Reply
from gateway.spool.protocol import Entry, NewMessage, Spool, SpoolUnavailable, State
from gateway.stored import (
    envelope_from,
    planned_message,
    raw_message,
    refusals_audit,
)
from gateway.tenant import Tenant

_POISON = 2  # after this many dead workers a message is set aside before it is parsed again (I-3)


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


class Pipeline:
    """One per worker. `notify` composes and stores reports (outbox); `wake` tells delivery that rows are due."""

    def __init__(
        self,
        parts: Parts,
        spool: Spool,
        blackbox: Blackbox,
        *,
        notify: Callable[[Bounce], Awaitable[None]],
        wake: Callable[[], None],
        clock: Callable[[], float],
        software: str,
    ) -> None:
        self.parts = parts
        self._spool = spool
        self._blackbox = blackbox
        self._notify = notify
        self._wake = wake
        self._clock = clock
        self._software = software

    async def accept(self, envelope: Envelope, raw: bytes) -> Reply:
        """Answer one transaction. 250 means durable (I-4)."""
        tenant = self.parts.tenants[envelope.client]
        envelope = _home(tenant, envelope)
        arrival = Arrival(secrets.token_hex(10), secrets.randbits(32), self._clock())
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

    async def revisit(self, entries: Sequence[Entry]) -> int:
        """Decide stored undecided or quarantined messages again; gives how many got decided."""
        done = 0
        for message in dict.fromkeys(e.message for e in entries):
            rows = [e for e in entries if e.message == message]
            done += await self._again(rows)
        return done

    async def _answer(self, tenant: Tenant, envelope: Envelope, raw: bytes, arrival: Arrival) -> Reply:
        digest = hashlib.sha256(raw).digest()
        if self._blackbox.crashes(digest) >= _POISON:
            return await self._set_aside(tenant, envelope, raw, arrival, State.QUARANTINED, "ended a worker twice")
        try:
            made = await self._plan(tenant, envelope, raw, arrival, digest)
        except Refused as refused:
            await self._spool.put((), refusals_audit(tenant, envelope, arrival, refused.reply))
            return refused.reply
        except RegistryUnavailable as error:
            if tenant.organisation.by_client[envelope.client].when_registry_away == "defer":
                return UNDECIDED
            maillog.undecided(arrival.id, tenant.organisation.name, type(error).__name__)
            return await self._set_aside(tenant, envelope, raw, arrival, State.UNDECIDED, "registry away")
        except Exception as error:  # noqa: BLE001 the boundary between DATA and 250: a fault of ours sets the mail aside
            metrics.FAULTS.labels("pipeline").inc()
            metrics.QUARANTINED.labels(tenant.organisation.name).inc()
            maillog.quarantined(arrival.id, tenant.organisation.name, maillog.fault_place(error))
            return await self._set_aside(tenant, envelope, raw, arrival, State.QUARANTINED, maillog.fault_place(error))
        return await self._store(tenant, envelope, made, arrival, len(raw))

    async def _plan(self, tenant: Tenant, envelope: Envelope, raw: bytes, arrival: Arrival, digest: bytes) -> Plan:
        with self._blackbox.holding(digest):
            reading = plan.read(tenant, self.parts.rules, envelope, raw)
        people = await look_up(tenant, plan.to_look_up(envelope, reading))
        with self._blackbox.holding(digest):
            return plan.make(tenant, self.parts.rules, envelope, arrival, reading, people)

    async def _store(self, tenant: Tenant, envelope: Envelope, made: Plan, arrival: Arrival, size: int) -> Reply:
        message, audit = planned_message(tenant, envelope, made, arrival, self.parts.rules.version)
        if message is None:
            await self._spool.put((), audit)
            self._count(tenant, made)
            return whole_refusal(made)
        await self._spool.put((message,), audit)
        self._count(tenant, made)
        self._wake()
        maillog.accepted(
            message.id, message.organisation, message.client, message.stream, size,
            queued=sum(r.state is State.QUEUED for r in message.rows),
            held=sum(r.state is State.HELD for r in message.rows),
            refused=len(made.by_action(Action.REFUSE)),
        )  # fmt: skip
        await self._tell(tenant, envelope, arrival, made)
        return QUEUED.because(message.id)

    async def _tell(self, tenant: Tenant, envelope: Envelope, arrival: Arrival, made: Plan) -> None:
        """Reports about recipients whose fate is known now: refused ones, and SUCCESS asked of a split (R-111)."""
        refused = tuple((i, c.decision.reply) for i, c in enumerate(made.copies) if c.decision.reply is not None)
        if refused:
            await self._notify(Bounce(tenant, envelope, arrival, made, "failed", refused))
        split = len(envelope.recipients) > 1
        success = tuple(
            (i, RECIPIENT_OK)
            for i, c in enumerate(made.copies)
            if split and "SUCCESS" in c.recipient.notify and c.decision.action is not Action.REFUSE
        )
        if success:
            await self._notify(Bounce(tenant, envelope, arrival, made, "delivered", success))

    async def _set_aside(
        self, tenant: Tenant, envelope: Envelope, raw: bytes, arrival: Arrival, state: State, reason: str
    ) -> Reply:
        message, audit = raw_message(tenant, envelope, raw, arrival, state, reason, self._software)
        await self._spool.put((message,), audit)
        return QUEUED.because(message.id)

    async def _again(self, rows: Sequence[Entry]) -> bool:
        opened = await self._spool.open(rows[0])
        envelope = envelope_from(rows[0], [(await self._spool.open(e)).row for e in rows], opened.message)
        tenant = self.parts.tenants[envelope.client]
        arrival = Arrival(rows[0].message, rows[0].reference, rows[0].received)
        digest = hashlib.sha256(opened.body).digest()
        try:
            made = await self._plan(tenant, envelope, opened.body, arrival, digest)
        except RegistryUnavailable:
            return False
        except Refused as refused:
            await self._give_back(tenant, envelope, opened.body, rows[0], arrival, refused.reply)
            return True
        except Exception as error:  # noqa: BLE001 same boundary, on a later visit: it stays set aside
            maillog.fault("revisit", error)
            return False
        await self._swap(tenant, envelope, made, rows[0], arrival)
        return True

    async def _swap(self, tenant: Tenant, envelope: Envelope, made: Plan, entry: Entry, arrival: Arrival) -> None:
        message, audit = planned_message(tenant, envelope, made, arrival, self.parts.rules.version)
        if message is None:
            reply = whole_refusal(made)
            everyone = tuple((i, reply) for i in range(len(envelope.recipients)))
            await self._notify(Bounce(tenant, envelope, arrival, made, "failed", everyone))
            await self._finish(tenant, entry, audit)
            return
        await self._tell(tenant, envelope, arrival, made)
        await self._spool.replace(entry.message, message, audit)
        self._count(tenant, made)
        self._wake()

    async def _give_back(
        self, tenant: Tenant, envelope: Envelope, raw: bytes, entry: Entry, arrival: Arrival, reply: Reply
    ) -> None:
        everyone = tuple((i, reply) for i in range(len(envelope.recipients)))
        await self._notify(Bounce(tenant, envelope, arrival, None, "failed", everyone))
        await self._finish(tenant, entry, refusals_audit(tenant, envelope, arrival, reply))

    async def _finish(self, tenant: Tenant, entry: Entry, audit: Sequence[AuditRow]) -> None:
        """A message that was set aside and is now refused: nothing of it stays but the audit."""
        ended = NewMessage(
            id=entry.message, reference=entry.reference, organisation=entry.organisation, client=entry.client,
            stream=entry.stream, received=entry.received, facts=entry.facts, sealed={}, body=b"", rows=(),
        )  # fmt: skip
        await self._spool.replace(entry.message, ended, audit)

    def _count(self, tenant: Tenant, made: Plan) -> None:
        name, stream = tenant.organisation.name, made.classification.stream.value
        for copy in made.copies:
            decision = copy.decision
            metrics.DECISIONS.labels(name, stream, decision.action.value, decision.rule).inc()
        for rendition in made.renditions.values():
            for edit in rendition.draft.edits:
                metrics.EDITS.labels(name, edit.by, edit.kind).inc()
            for outcome in rendition.outcomes:
                metrics.OUTCOMES.labels(name, outcome.filter, outcome.kind, outcome.action.value).inc()
                if outcome.kind == "one-click-unsigned":
                    metrics.ONE_CLICK_UNSIGNED.labels(name).inc()


async def look_up(tenant: Tenant, found: Sequence[Address]) -> dict[Address, tuple[Person, Facts]]:
    """One batched read for all addresses. Raises `RegistryUnavailable`."""
    people = tenant.pseudonyms.people(found)
    facts = await tenant.registry.facts(people)
    return dict(zip(found, zip(people, facts, strict=True), strict=True))


def whole_refusal(made: Plan) -> Reply:
    """The reply when nobody gets the message: the filter's, else that of the first recipient."""
    if made.stop is not None and made.stop.reply is not None:
        return made.stop.reply
    return next(c.decision.reply for c in made.copies if c.decision.reply is not None)


def _home(tenant: Tenant, envelope: Envelope) -> Envelope:
    """`postmaster` without a domain is this organisation's own (RFC 5321 4.5.1, R-022)."""
    if all(r.address.domain for r in envelope.recipients):
        return envelope
    own = Address.parse(tenant.organisation.postmaster)
    recipients = tuple(r if r.address.domain else replace(r, address=own) for r in envelope.recipients)
    return replace(envelope, recipients=recipients)
