"""The register of handled requests: what is kept of a case that ended.

takes→gives: `Case` → `Registered`, or None where the organisation keeps no register
knows not:  SQL, how it is printed
fails by:   nothing
standard:   S-35, D-06; DESIGN §4 Audit
"""

from __future__ import annotations

from gateway.cases.protocol import Case, CaseKind, Outcome, Registered
from gateway.config.organisation import Organisation
from gateway.rights.deadlines import band, day_of, quarter


def registered(organisation: Organisation, case: Case, now: float) -> Registered | None:
    """The row of a case that ends at `now` (Unix seconds). Of an erasure: quarter, outcome and a band of days."""
    if not organisation.rights.register_requests:
        return None
    closed = day_of(now, organisation.time_zone)
    answered = day_of(case.answered, organisation.time_zone) if case.answered else closed
    days, late = max(0, (answered - case.received).days), answered > case.due
    outcome = case.outcome or Outcome.ANSWERED
    if case.kind is CaseKind.ERASURE:
        return Registered(case.kind, quarter(closed), outcome, band(days), late)
    return Registered(
        kind=case.kind,
        quarter=quarter(closed),
        outcome=outcome,
        days=days,
        late=late,
        number=case.number,
        received=case.received,
        closed=closed,
        channel=case.channel,
    )
