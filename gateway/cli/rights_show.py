"""Cases and the register as lines of text and as values for JSON.

takes→gives: `Case`, `Step`, `Outgoing`, `Registered` → lines, dicts
knows not:  where they are kept; addresses and texts unless it is told to reveal them
fails by:   nothing
standard:   I-7, S-34, S-35
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from gateway.cases.protocol import Case, Outgoing, Registered, Step
from gateway.config.organisation import Organisation
from gateway.registry.scopes import scope_text
from gateway.rights.standing import Standing, standing

_ORDER = (Standing.OVERDUE, Standing.SOON, Standing.IN_TIME, Standing.ANSWERED)


def sorted_cases(organisation: Organisation, cases: Iterable[Case], today: date) -> list[tuple[Standing, Case]]:
    """Overdue first, then by last day."""
    found = [(standing(organisation, case, today), case) for case in cases]
    return sorted(found, key=lambda item: (_ORDER.index(item[0]), item[1].due, item[1].number))


def line(how: Standing, case: Case) -> str:
    return (
        f"{case.number:6}  due {case.due.isoformat()}  {how.value:9}  {case.kind.value:13}  {case.state.value:16}  "
        f"received {case.received.isoformat()} by {case.channel.value}"
    )


def values(case: Case, how: Standing | None, organisation: Organisation) -> dict[str, object]:
    """A case without what is sealed."""
    return {
        "number": case.number,
        "kind": case.kind.value,
        "state": case.state.value,
        "standing": how.value if how else "closed",
        "channel": case.channel.value,
        "received": case.received.isoformat(),
        "due": case.due.isoformat(),
        "extended": case.extended,
        "ceiling": case.ceiling.isoformat() if case.ceiling else None,
        "outcome": case.outcome.value if case.outcome else None,
        "scope": scope_text(case.scope, organisation) if case.scope else None,
        "entered": moment(case.entered),
        "effective": moment(case.effective),
        "completed": moment(case.completed),
        "answered": moment(case.answered),
        "outside": list(case.content.outside),
    }


def revealed(case: Case) -> dict[str, object]:
    """What is sealed, for a named operator with a reason."""
    content = case.content
    return {
        "address": content.address,
        "name": content.name,
        "language": content.language,
        "new_address": content.new_address,
        "text": content.text,
        "notes": list(content.notes),
        "report": list(content.report),
        "kept": [list(item) for item in content.kept],
    }


def step_values(step: Step, *, reveal: bool) -> dict[str, object]:
    found: dict[str, object] = {"at": moment(step.at), "who": step.who, "what": step.what}
    return found | {"note": step.note} if reveal and step.note else found


def mail_values(row: Outgoing) -> dict[str, object]:
    return {
        "id": row.id,
        "kind": row.kind.value,
        "third_party": row.third_party,
        "state": row.state.value,
        "created": moment(row.created),
        "final": moment(row.final),
        "status": row.status,
    }


def register_values(row: Registered) -> dict[str, object]:
    """The same keys for every row; an erasure has nothing behind most of them."""
    return {
        "kind": row.kind.value,
        "quarter": row.quarter,
        "outcome": row.outcome.value,
        "days": row.days,
        "late": row.late,
        "number": row.number,
        "received": row.received.isoformat() if row.received else None,
        "closed": row.closed.isoformat() if row.closed else None,
        "channel": row.channel.value if row.channel else None,
    }


def register_line(row: Registered) -> str:
    days = f"{row.days} days" if row.number is not None else f"at most {row.days} days"
    where = f"  case {row.number}, {row.received} to {row.closed}" if row.number is not None else ""
    return f"{row.quarter}  {row.kind.value:13}  {row.outcome.value:10}  {days}{', late' if row.late else ''}{where}"


def as_text(shown: dict[str, object]) -> Iterator[str]:
    """`values` and what was added to them, one line each; lists below their name."""
    for name, value in shown.items():
        if isinstance(value, list):
            if value:
                yield f"{name}:"
            yield from (f"  {_flat(item)}" for item in value)
        elif value not in (None, "", False):
            yield f"{name}: {value}"


def _flat(item: object) -> str:
    if isinstance(item, dict):
        return "  ".join(str(value) for value in item.values() if value)
    return (
        ", ".join(str(part) for part in item if part)
        if isinstance(item, Sequence) and not isinstance(item, str)
        else str(item)
    )


def moment(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) if at else ""
