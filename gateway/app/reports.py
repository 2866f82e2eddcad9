"""What intake and delivery say about recipients → what the outbox writes down for the submitter.

what:       translation between two rooms that do not know each other
standard:   RFC 3461 5.2, RFC 3464; R-014, R-111..R-114
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.address import Address
from gateway.delivery.report import Report
from gateway.envelope import Notify, Recipient
from gateway.message.report import Action, Outcome
from gateway.outbox import Original
from gateway.pipeline import Bounce
from gateway.reply import Reply
from gateway.stored import returned_header

Told = tuple[str, Address, Original, Sequence[Outcome]]


def from_bounce(bounce: Bounce, now: float) -> Told | None:
    """A report about recipients whose fate was clear at intake; None when nobody may be told (RFC 3461 4.1)."""
    envelope = bounce.envelope
    if envelope.sender is None:
        return None
    outcomes = [
        _outcome(envelope.recipients[index], reply, bounce.action, now)
        for index, reply in bounce.recipients
        if _asked(envelope.recipients[index], bounce.action)
    ]
    if not outcomes:
        return None
    made = bounce.plan
    returned = returned_header(made.read.message, sensitive=made.classification.sensitive) if made else b""
    original = Original(bounce.arrival.id, bounce.arrival.at, envelope.envid, returned)
    return bounce.tenant.organisation.name, envelope.sender, original, outcomes


def from_delivery(report: Report) -> Told:
    """One recipient's report from delivery, which has asked NOTIFY already."""
    outcome = Outcome(
        address=report.recipient,
        action=Action(report.action.value),
        status=report.status,
        orcpt=report.orcpt,
        diagnostic=report.diagnostic or report.reason,
        remote_mta=report.remote_mta,
        last_attempt=int(report.at),
        retry_until=int(report.retry_until or 0),
    )
    original = Original(report.message, report.arrival, report.envid, report.headers.encode("latin-1"))
    return report.organisation, report.submitter, original, [outcome]


def _asked(recipient: Recipient, action: str) -> bool:
    if Notify.NEVER in recipient.notify:
        return False
    if action == "failed":
        return not recipient.notify or Notify.FAILURE in recipient.notify
    return Notify.SUCCESS in recipient.notify


def _outcome(recipient: Recipient, reply: Reply, action: str, now: float) -> Outcome:
    failed = action == "failed"
    return Outcome(
        address=recipient.address,
        action=Action.FAILED if failed else Action.DELIVERED,
        status=reply.enhanced if failed else "2.0.0",
        orcpt=recipient.orcpt,
        diagnostic=str(reply) if failed else "",
        last_attempt=int(now),
    )
