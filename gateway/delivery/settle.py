"""What an outcome means for the row, the audit and the submitter.

what:       outcome + schedule + NOTIFY → new state, audit rows, report
takes→gives: `Job`, `Outcome`, provider, now → `Settlement`
knows not:  sockets, SQL, how a DSN is written
fails by:   nothing
standard:   R-014, R-015, R-017, R-018, R-111..R-113; I-11; tension 1c-1 (blocked is never silent)
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.address import Address
from gateway.audit.protocol import AuditRow
from gateway.delivery.letter import NOTICED
from gateway.delivery.outcome import Job, Kind, Outcome
from gateway.delivery.report import Report, ReportAction, relay_notice, wanted
from gateway.delivery.schedule import Schedule
from gateway.spool.protocol import State, Update

_ERASURE = "erasure"  # the rule that stops mail to erased people


@dataclass(frozen=True, slots=True)
class Settlement:
    """All that follows from one outcome; `report` None where nobody may or must be told."""

    update: Update
    audit: tuple[AuditRow, ...]
    report: Report | None

    @property
    def state(self) -> State:
        return self.update.state


@dataclass(frozen=True, slots=True)
class Place:
    """Where the attempt was made: provider name ("" if none), its host, and how long this organisation holds mail."""

    provider: str
    host: str
    hold_for: float


def settle(job: Job, outcome: Outcome, place: Place, schedule: Schedule, now: float) -> Settlement:
    """Total over `Kind`. `now` is Unix seconds; `job` must be unsealed, except for a postponement."""
    entry = job.entry
    match outcome.kind:
        case Kind.DELIVERED:
            return _delivered(job, outcome, place, now)
        case Kind.POSTPONED:
            update = Update(entry.row, State.QUEUED, due=now + outcome.wait, reason=entry.still(outcome.reason))
            return Settlement(update, (), None)
        case Kind.RETRY:
            return _retry(job, outcome, place, schedule, now)
        case Kind.HELD:
            update = Update(entry.row, State.HELD, until=now + place.hold_for, reason=outcome.reason)
            return Settlement(update, (_audit(job, "held", outcome, place, now),), None)
        case Kind.BLOCKED | Kind.FAILED:
            return _final(job, outcome, place, now)


def _delivered(job: Job, outcome: Outcome, place: Place, now: float) -> Settlement:
    letter = job.opened_letter
    update = Update(
        job.entry.row,
        State.DELIVERED,
        attempts=job.entry.attempts + 1,
        variant=outcome.variant,
        provider=place.provider,
        reason="",
    )
    owed = relay_notice(
        letter.path.notify, hop_dsn=outcome.hop_dsn, split=letter.path.split, null_sender=not letter.submitter
    )
    report = _report(job, outcome, place, ReportAction.RELAYED, now) if owed else None
    return Settlement(update, (_audit(job, "delivered", outcome, place, now),), report)


def _retry(job: Job, outcome: Outcome, place: Place, schedule: Schedule, now: float) -> Settlement:
    entry, letter = job.entry, job.opened_letter
    attempts = entry.attempts + 1
    audit = _audit(job, "uncertain" if outcome.uncertain else "deferred", outcome, place, now)
    due = schedule.next_attempt(attempts, entry.received, now)
    if due is None:
        expired = Outcome(
            Kind.FAILED,
            f"not delivered in time; last: {outcome.reason}",
            "5.7.10" if outcome.status == "4.7.10" else "5.4.7",  # no encryption to be had (S-25)
            outcome.answer,
            decision=outcome.decision,
            variant=outcome.variant,
        )
        final = _final(job, expired, place, now)
        return Settlement(final.update, (audit, *final.audit), final.report)
    report, sealed = None, None
    if schedule.late(entry.received, now) and not letter.noticed:
        report = _wanted(job, outcome, place, ReportAction.DELAYED, now, retry_until=schedule.end(entry.received))
        sealed = {**letter.row, NOTICED: True} if report else None
    update = Update(
        entry.row, State.QUEUED, due=due, attempts=attempts, reason=entry.still(outcome.reason), sealed=sealed
    )
    return Settlement(update, (audit,), report)


def _final(job: Job, outcome: Outcome, place: Place, now: float) -> Settlement:
    blocked = outcome.kind is Kind.BLOCKED
    update = Update(
        job.entry.row,
        State.BLOCKED if blocked else State.FAILED,
        attempts=job.entry.attempts + (0 if blocked else 1),
        provider=place.provider,
        reason=outcome.reason,
    )
    audit = _audit(job, str(outcome.kind), outcome, place, now)
    return Settlement(update, (audit,), _wanted(job, outcome, place, ReportAction.FAILED, now))


def _wanted(
    job: Job, outcome: Outcome, place: Place, action: ReportAction, now: float, retry_until: float | None = None
) -> Report | None:
    letter = job.opened_letter
    if not wanted(action, letter.path.notify, null_sender=not letter.submitter):
        return None
    return _report(job, outcome, place, action, now, retry_until)


def _report(
    job: Job, outcome: Outcome, place: Place, action: ReportAction, now: float, retry_until: float | None = None
) -> Report:
    entry, letter, answer = job.entry, job.opened_letter, outcome.answer
    return Report(
        action=action,
        organisation=entry.organisation,
        client=entry.client,
        message=entry.message,
        reference=entry.reference,
        stream=entry.stream,
        submitter=_address(letter.submitter),
        recipient=letter.address,
        status=outcome.status,
        reason=outcome.reason,
        arrival=entry.received,
        at=now,
        orcpt=letter.path.orcpt,
        envid=letter.path.envid,
        ret=letter.path.ret,
        diagnostic=f"smtp; {answer.line}" if answer else "",
        remote_mta=place.host if answer else "",
        retry_until=retry_until,
        headers=letter.headers,
        person=outcome.person,
    )


def _address(text: str) -> Address:
    local, at, domain = text.rpartition("@")
    return Address(local, domain) if at else Address(text, "")


def _audit(job: Job, what: str, outcome: Outcome, place: Place, now: float) -> AuditRow:
    entry, decision, answer = job.entry, outcome.decision, outcome.answer
    detail: dict[str, object] = {
        "stream": entry.stream,
        "provider": place.provider,
        "variant": outcome.variant or entry.variant,
        "reason": outcome.reason,
        "attempt": entry.attempts + 1,
    }
    if decision is not None:
        detail |= {"action": str(decision.action), "rule": decision.rule, "fact": decision.fact}
    if answer is not None:
        detail |= {"code": answer.code, "status": answer.enhanced}
    if outcome.signed and job.letter is not None:
        detail["signed"] = job.letter.from_domain
    # Of an erased person no dated row is made, not even of what was stopped (S-31).
    person = b"" if decision is not None and decision.rule == _ERASURE else entry.person_exact
    return AuditRow(now, entry.organisation, entry.message, what, person, detail)
