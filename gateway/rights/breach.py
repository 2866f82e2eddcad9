"""Personal data breaches: what is recorded of one, its 72 hours, and when it may be closed.

what:       `Incident`, its steps, its clock
takes→gives: values of the breach register → `Incident` and back; an act of a named operator → the next `Incident`
knows not:  where the register is kept, how anybody is told
fails by:   `BreachRefused`, saying what is missing; `ValueError` for a row that is none
standard:   GDPR 4(12), 33(1), 33(3), 33(5), 34; L-26, L-37, L-38
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal

OPEN, CLOSED = "open", "closed"
CLOCK = 72 * 3600.0
"""Seconds from becoming aware to the report to the authority (GDPR 33(1))."""
VISIBLE = "visible recipients"
"""The kind that the gateway finds by itself: a mail showed people to each other."""


class BreachRefused(Exception):
    """This step cannot be taken; the text says what is expected."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something a named person added; no address in it."""

    at: str
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Incident:
    """One breach. Moments are ISO 8601 in UTC, "" for "not yet". `discovered` starts the clock.

    `people` is the number of persons it is about; `messages` the mails, by which the audit tells exactly who.
    `sensitivity` is "special" for data of GDPR 9 or what gives it away, "normal", or "unknown".
    """

    discovered: str
    kind: str
    people: int = 0
    categories: tuple[str, ...] = ()
    sensitivity: str = "unknown"
    consequences: str = ""
    measures: str = ""
    cause: str = ""
    messages: tuple[str, ...] = ()
    authority_at: str = ""
    authority_why: str = ""
    people_at: str = ""
    people_why: str = ""
    closed_at: str = ""
    closed_by: str = ""
    found_by: str = ""
    notes: tuple[Note, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.kind.strip() or self.people < 0:
            raise ValueError("a breach has a kind and a number of people")
        moment(self.discovered)

    @property
    def due(self) -> float:
        """Unix seconds until which the authority must have been told."""
        return moment(self.discovered) + CLOCK

    @property
    def settled(self) -> bool:
        """Whether the authority was told, or it was decided and said why not."""
        return bool(self.authority_at or self.authority_why)

    def hours_left(self, now: float) -> float:
        """Until the authority must have been told; negative once it is late."""
        return (self.due - now) / 3600

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Incident:
        """Inverse of `to_json`. Raises `ValueError`."""
        names = {f.name for f in fields(cls)}
        if unknown := set(stored) - names:
            raise ValueError(f"a breach of a newer version: it has {', '.join(sorted(unknown))}")
        values: dict[str, Any] = dict(stored)
        for name in ("categories", "messages"):
            values[name] = tuple(values.get(name, ()))
        values["notes"] = tuple(Note(**note) for note in values.get("notes", ()))
        return cls(**values)


def iso(at: float) -> str:
    """Unix seconds as a moment of the register."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> float:
    """Unix seconds of an ISO 8601 moment; without an offset it is UTC. Raises `ValueError`."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def noted(incident: Incident, now: float, who: str, text: str, **changes: str | int | tuple[str, ...]) -> Incident:
    """With a note, and what it changes. Raises `BreachRefused` for a closed one."""
    _must_be_open(incident)
    made = replace(incident, **changes)  # type: ignore[arg-type]
    return replace(made, notes=(*incident.notes, Note(iso(now), who, text)))


def notified(
    incident: Incident,
    now: float,
    who: str,
    whom: Literal["authority", "people"],
    *,
    at: float | None = None,
    why: str = "",
) -> Incident:
    """`whom` was told `at`, or is not told because of `why`; after the 72 hours `why` says why the authority hears it
    late (GDPR 33(1)). Raises `BreachRefused`."""
    _must_be_open(incident)
    if at is None and not why.strip():
        raise BreachRefused("say when they were told (--at), or why they are not (--reason)")
    if at is not None and at > now:
        raise BreachRefused("--at is in the future: say so once it is done")
    if at is not None and at < moment(incident.discovered):
        raise BreachRefused("--at is before the breach was discovered")
    if whom == "authority" and at is not None and at > incident.due and not why.strip():
        raise BreachRefused("that is later than 72 hours after the discovery: say why with --reason (GDPR 33(1))")
    told = {f"{whom}_at": iso(at) if at is not None else "", f"{whom}_why": why.strip()}
    said = f"{whom} told at {told[f'{whom}_at']}" if at is not None else f"{whom} not told"
    return noted(incident, now, who, said + (f": {why.strip()}" if why.strip() else ""), **told)


def closed(incident: Incident, now: float, who: str, reason: str) -> Incident:
    """Nothing is left to do. Raises `BreachRefused` while something is (GDPR 33(5), 34)."""
    _must_be_open(incident)
    lacks = [
        what
        for what, there in (
            ("whether the authority was told (breach notify --authority)", incident.settled),
            ("whether the people were told (breach notify --people)", incident.people_at or incident.people_why),
            ("its consequences (breach note --consequences)", incident.consequences),
            ("the measures taken (breach note --measures)", incident.measures),
        )
        if not there
    ]
    if lacks:
        raise BreachRefused(f"the register must say first: {'; '.join(lacks)}")
    return replace(noted(incident, now, who, f"closed: {reason}"), closed_at=iso(now), closed_by=who)


def _must_be_open(incident: Incident) -> None:
    if incident.closed_at:
        raise BreachRefused("it is closed; open a new one that refers to it")
