"""How the open requests of an organisation stand: what is late, what falls due, how old they are.

what:       sorting by due day; the numbers for /metrics
takes→gives: organisation, cases, now → cases, gauges
knows not:  where cases are kept, who is told
fails by:   nothing
standard:   S-34, S-59, S-67
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum

from gateway.cases.protocol import Case, CaseKind
from gateway.config.organisation import Organisation
from gateway.observe import metrics
from gateway.rights.deadlines import day_of

_DAY = 86400
_AGES = (1, 3, 7, 14, 21, 28, 30, 60, 90)  # days
_STOPS = (CaseKind.OBJECTION, CaseKind.WITHDRAWAL, CaseKind.LEAVING, CaseKind.ERASURE, CaseKind.RESTRICTION)


class Standing(StrEnum):
    ANSWERED = "answered"  # waits for its mail, or is a restriction in force
    IN_TIME = "in time"
    SOON = "due soon"
    OVERDUE = "overdue"


def standing(organisation: Organisation, case: Case, today: date) -> Standing:
    """Where a case that is not closed stands on `today`, a day in the organisation's time zone."""
    if case.answered:
        return Standing.ANSWERED
    if today > case.due:
        return Standing.OVERDUE
    warn = timedelta(days=organisation.rights.warn.days)
    return Standing.SOON if today >= case.due - warn else Standing.IN_TIME


def pressing(organisation: Organisation, cases: Iterable[Case], now: float) -> tuple[list[Case], list[Case]]:
    """Overdue ones and those that fall due, earliest due first."""
    today = day_of(now, organisation.time_zone)
    found = sorted(cases, key=lambda case: (case.due, case.number))
    by = {case.number: standing(organisation, case, today) for case in found}
    late = [case for case in found if by[case.number] is Standing.OVERDUE]
    return late, [case for case in found if by[case.number] is Standing.SOON]


def measure(organisation: Organisation, cases: Sequence[Case], now: float) -> None:
    """Set the gauges of this organisation; kinds without a case are set to 0."""
    name, today = organisation.name, day_of(now, organisation.time_zone)
    waiting = [case for case in cases if not case.answered]
    held = Counter(case.kind for case in cases)
    late = Counter(c.kind for c in waiting if standing(organisation, c, today) is Standing.OVERDUE)
    for kind in CaseKind:
        metrics.RIGHTS_OPEN.labels(name, kind.value).set(held[kind])
        metrics.RIGHTS_OVERDUE.labels(name, kind.value).set(late[kind])
    ages = [(today - case.received).days for case in waiting]
    for limit in _AGES:
        metrics.RIGHTS_AGE.labels(name, str(limit * _DAY)).set(sum(age <= limit for age in ages))
    metrics.RIGHTS_AGE.labels(name, "+Inf").set(len(ages))
    effect = max((case.effective - case.entered for case in cases if case.kind in _STOPS), default=0.0)
    metrics.RIGHTS_EFFECT.labels(name).set(max(0.0, effect))
