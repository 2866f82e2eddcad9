"""What stays of a person whatever they ask, and who got their data: read out of their history.

what:       things the law keeps, orders that still run, the share ledger
takes→gives: history, `Facts` → ids with why and until when; third parties with the orders they know
knows not:  what the operator decides about them
fails by:   nothing
standard:   S-13, S-29, S-32, S-62; GDPR 17(3), 19; L-40
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.facts import Facts
from gateway.registry.protocol import Event, EventKind
from gateway.rights.effects_text import day

LEGAL = "legal"  # purpose of a share that the law demanded
CLOCK = "purge-clock"  # id of what keeps the facts of somebody who left: not the law, but the days until their purge


def kept_by_law(history: Sequence[tuple[int, Event]], now: int) -> dict[str, tuple[str, str]]:
    """Id → (why, ISO day of its end) of what is retained at `now` (Unix seconds); the latest word on an id counts."""
    latest = {str(e.detail["id"]): e for _, e in history if e.kind is EventKind.RETAINED and e.detail["id"] != CLOCK}
    found = {i: (str(e.detail["reason"]), int(e.detail["until"] or 0)) for i, e in latest.items()}
    return {i: (why, day(until)) for i, (why, until) in found.items() if until > now}


def open_references(facts: Facts) -> frozenset[str]:
    """References of orders and enrolments that still run."""
    return facts.contracts | facts.enrolments


def shared_with(history: Sequence[tuple[int, Event]]) -> dict[str, tuple[str, ...]]:
    """Third party → references of its orders, for all in the share ledger but authorities (S-39)."""
    names = {str(e.detail["third_party"]) for _, e in history if e.kind is EventKind.SHARED and not _legal(e)}
    return {name: tuple(sorted(_orders(history, name))) for name in names}


def _legal(event: Event) -> bool:
    return event.detail.get("purpose") == LEGAL


def _orders(history: Sequence[tuple[int, Event]], third_party: str) -> set[str]:
    kinds = (EventKind.CONTRACT, EventKind.ENROLMENT)
    return {
        str(e.detail["reference"]) for _, e in history if e.kind in kinds and e.detail.get("third_party") == third_party
    }
