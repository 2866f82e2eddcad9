"""Counts and logs what became of one attempt.

what:       outcome → metrics and mail-log lines
knows not:  addresses; it is given none
fails by:   nothing
standard:   I-7; R-018; DESIGN §3 observe
"""

from __future__ import annotations

from gateway.delivery.outcome import Job, Kind, Outcome
from gateway.delivery.settle import Settlement
from gateway.observe import maillog, metrics
from gateway.spool.protocol import State


def tally(job: Job, outcome: Outcome, settlement: Settlement, provider: str, now: float) -> None:
    """`now` is Unix seconds, `provider` its name or ""."""
    entry = job.entry
    organisation, message, person = entry.organisation, entry.message, entry.person_exact
    if outcome.answer is not None:
        metrics.PROVIDER_ANSWERS.labels(organisation, provider, str(outcome.answer.code)).inc()
    if outcome.uncertain:
        metrics.UNCERTAIN.labels(organisation).inc()
        maillog.uncertain(message, organisation, person, provider)
    if outcome.fault:
        metrics.FAULTS.labels("delivery").inc()
    match settlement.state:
        case State.DELIVERED:
            metrics.DELIVERY_SECONDS.labels(organisation).observe(max(0.0, now - entry.received))
            code = outcome.answer.code if outcome.answer else 0
            maillog.sent(message, organisation, person, provider, code, outcome.seconds)
        case State.FAILED:
            maillog.failed(message, organisation, person, provider, outcome.reason)
        case State.BLOCKED:
            _blocked(job, outcome)
        case State.HELD:
            maillog.held(message, organisation, outcome.reason)
        case _:
            if outcome.kind is Kind.RETRY:
                maillog.deferred(message, organisation, person, provider, outcome.reason, entry.attempts + 1)


def _blocked(job: Job, outcome: Outcome) -> None:
    entry, decision = job.entry, outcome.decision
    rule, fact = (decision.rule, decision.fact) if decision else ("", "")
    metrics.BLOCKED_LATE.labels(entry.organisation, entry.stream, rule).inc()
    maillog.blocked(entry.message, entry.organisation, entry.person_exact, rule, fact)
