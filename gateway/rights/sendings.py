"""The sending log of one person out of the audit: one row per mail, with the basis that was in force.

what:       audit rows of one person → `tables.Sending`
takes→gives: rows, oldest first; what a stream rests on; what was in force when → one row per message
knows not:  where the audit is, the registry
fails by:   nothing
standard:   S-65, L-07, L-15, L-31; I-11
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from gateway.audit.protocol import AuditRow
from gateway.decision import Basis
from gateway.registry.intervals import Ground
from gateway.rights.tables import Sending

_DECIDED = frozenset({"accepted", "refused", "held", "undecided", "quarantined", "composed"})
_SHOWN = "shown"  # a mail to others that shows this person
# Which facts each basis rests on (GDPR 6; soft opt-in: Telecommunicatiewet 11.7).
_RESTS_ON: Mapping[str, frozenset[Ground]] = {
    Basis.CONSENT: frozenset({Ground.CONSENT, Ground.REQUEST}),
    Basis.CONTRACT: frozenset({Ground.CONTRACT, Ground.ENROLMENT, Ground.SUBSCRIPTION}),
    Basis.SOFT_OPT_IN: frozenset({Ground.PURCHASE, Ground.SUBSCRIPTION}),
}
Grounds = Callable[[float, frozenset[Ground]], str]


def sendings(rows: Sequence[AuditRow], basis_of: Callable[[str], str], grounds: Grounds) -> Iterator[Sending]:
    """One per message, in the order of their first row. `grounds(at, kinds)` says what was in force then."""
    by_message: dict[str, list[AuditRow]] = {}
    for row in rows:
        by_message.setdefault(row.message, []).append(row)
    for message, mine in by_message.items():
        to_them = [row for row in mine if row.what != _SHOWN]
        yield _sending(message, to_them or mine, basis_of, grounds)


def _sending(message: str, rows: Sequence[AuditRow], basis_of: Callable[[str], str], grounds: Grounds) -> Sending:
    first, last = rows[0], rows[-1]
    decided = next((r for r in rows if r.what in _DECIDED), first)
    stream = str(next((r.detail["stream"] for r in rows if r.detail.get("stream")), ""))
    basis = str(decided.detail.get("basis") or basis_of(stream))
    variant = str(next((r.detail["variant"] for r in reversed(rows) if r.detail.get("variant")), ""))
    return Sending(
        at=_when(first.at),
        message=message,
        stream=stream,
        basis=basis,
        in_force=grounds(first.at, _RESTS_ON.get(basis, frozenset())),
        decision=decided.what,
        rule=str(decided.detail.get("rule", "")),
        fact=str(decided.detail.get("fact") or decided.detail.get("reason", "")),
        tracked={"tracked": "yes", "untracked": "no"}.get(variant.partition("/")[2], ""),
        provider=str(next((r.detail["provider"] for r in reversed(rows) if r.detail.get("provider")), "")),
        outcome=last.what,
        outcome_at=_when(last.at),
    )


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
