"""What follows from personal data in the content of a mail: lists of people, data of many, files nobody can look into.

what:       the outcome of an inspection under the limits of the settings
takes→gives: `Inspection`, `Limits`, who gets the mail → `Outcome` values, the worst first
knows not:  how anything was found, whose it is, values
fails by:   nothing
standard:   S-11, S-53; R-050; I-7 (kinds, numbers and places, never values); UAVG 46 (BSN)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from gateway.config.content import Limits
from gateway.decision import Action
from gateway.filters.context import Outcome
from gateway.inspection import MOST, Finding, Inspection, Kind
from gateway.reply import CANNOT_INSPECT, CONTENT, Reply

NAME = "content_check"
LIST, MANY, NUMBER, UNREAD, PARTY = "name-list", "data-of-many", "bsn", "cannot-inspect", "given-to-party"
_PLACES_NAMED = 4


@dataclass(frozen=True, slots=True)
class Audience:
    """Recipients outside the organisation: `parties` are those of third parties under contract, `strangers` all others.

    `people`: the mail comes from a person, who is told at once; a system's mail waits for one.
    """

    strangers: int
    parties: int
    people: bool


def check(inspection: Inspection, limits: Limits, to: Audience) -> tuple[Outcome, ...]:
    """Refusals, then holds, then notes. The organisation's own data is no longer among the findings."""
    found = sorted(_outcomes(inspection, limits, to), key=lambda o: _ORDER[o.action])
    return tuple(found)


_ORDER = {Action.REFUSE: 0, Action.HOLD: 1, Action.DELIVER: 2}


def _outcomes(inspection: Inspection, limits: Limits, to: Audience) -> Iterator[Outcome]:
    if not to.strangers and not to.parties:
        return
    yield from _numbers(inspection, limits, to)
    if to.strangers:
        yield from _lists(inspection, limits, to)
        yield from _unread(inspection, limits)
    yield from _many(inspection, limits, to)


def _numbers(inspection: Inspection, limits: Limits, to: Audience) -> Iterator[Outcome]:
    found = [f for f in inspection.findings if f.kind is Kind.BSN]
    if len({f.mark for f in found}) > limits.bsn:
        yield _stopped(NUMBER, _said(found), to)


def _lists(inspection: Inspection, limits: Limits, to: Audience) -> Iterator[Outcome]:
    """To one recipient, one value of each kind may be that person's own."""
    if not limits.lists:
        return
    own = 1 if to.strangers + to.parties == 1 else 0
    listed = [f for f in inspection.findings if f.listed and f.kind is not Kind.BSN]
    over = [k for k, marks in _by_kind(listed).items() if len(marks) > limits.most.of(k) + own]
    if over:
        yield _stopped(LIST, _said([f for f in listed if f.kind in over]), to)


def _many(inspection: Inspection, limits: Limits, to: Audience) -> Iterator[Outcome]:
    kinds = {k: marks for k, marks in _by_kind(inspection.findings).items() if len(marks) >= limits.addresses}
    crowded = inspection.crowded if limits.addresses <= MOST else ()
    if not kinds and not crowded:
        return
    said = [_said([f for f in inspection.findings if f.kind in kinds])] if kinds else []
    said += [f"more than {MOST} values in part {', '.join(crowded[:_PLACES_NAMED])}"] if crowded else []
    detail = "; ".join(said)
    if to.strangers:
        yield Outcome(NAME, MANY, Action.HOLD, detail)
    else:
        yield Outcome(NAME, PARTY, Action.DELIVER, detail)


def _unread(inspection: Inspection, limits: Limits) -> Iterator[Outcome]:
    if not inspection.unread:
        return
    said = list(dict.fromkeys(f"part {u.part}: {u.why}" for u in inspection.unread))
    detail = _listing(said)
    yield _VERDICTS[limits.unreadable](detail)


_VERDICTS: Mapping[str, Callable[[str], Outcome]] = {
    "refuse": lambda detail: Outcome(NAME, UNREAD, Action.REFUSE, detail, CANNOT_INSPECT.because(detail)),
    "hold": lambda detail: Outcome(NAME, UNREAD, Action.HOLD, detail),
    "pass": lambda detail: Outcome(NAME, UNREAD, Action.DELIVER, detail),
}


def _stopped(kind: str, detail: str, to: Audience) -> Outcome:
    reply: Reply | None = CONTENT.because(detail) if to.people else None
    return Outcome(NAME, kind, Action.REFUSE if to.people else Action.HOLD, detail, reply)


def _by_kind(findings: Iterable[Finding]) -> dict[Kind, set[bytes]]:
    kinds: dict[Kind, set[bytes]] = {}
    for finding in findings:
        kinds.setdefault(finding.kind, set()).add(finding.mark)
    return kinds


def _said(findings: list[Finding]) -> str:
    """ "3 phone, 3 email in part 2, row 2, column B; part 2, row 2, column C"."""
    counts = ", ".join(f"{len(marks)} {kind.value}" for kind, marks in _by_kind(findings).items())
    return f"{counts} in {_listing(list(dict.fromkeys(f.where for f in findings)))}"


def _listing(places: list[str]) -> str:
    more = " and elsewhere" if len(places) > _PLACES_NAMED else ""
    return "; ".join(places[:_PLACES_NAMED]) + more
