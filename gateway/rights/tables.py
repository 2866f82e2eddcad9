"""The tables of a dossier: one frozen row type each, with plain values only.

what:       row types; `TABLES`, which gives each table its name, in the order in which a person reads them
takes→gives: built by `dossier`, written by `export`; the published schemas are made from them
knows not:  where the values come from, how they are written
fails by:   nothing
standard:   GDPR 15(1)(a)-(h), 20; L-15, S-64. Times are ISO 8601 in UTC; "" means "not known" or "does not apply"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Block:
    """Mail that is stopped now, since when."""

    kind: str
    scope: str
    title: str
    since: str


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent or request in force, and the evidence for it (GDPR 7(1))."""

    kind: str
    scope: str
    title: str
    since: str
    channel: str
    wording: str
    proof: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something else that is known: an enrolment, a purchase, a language."""

    kind: str
    value: str
    third_party: str
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Happening:
    """One event as it was recorded. `who`: the person, a member of staff, an import, the opt-out page."""

    number: int
    at: str
    kind: str
    scope: str
    who: str
    channel: str
    wording: str
    proof: str
    detail: str


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when something was in force that mail could rest on."""

    kind: str
    what: str
    start: str
    end: str
    ended_by: str


@dataclass(frozen=True, slots=True)
class Sending:
    """One mail to this person: what was decided, by which rule, on which basis, and what became of it."""

    at: str
    message: str
    stream: str
    basis: str
    in_force: str
    decision: str
    rule: str
    fact: str
    tracked: str
    provider: str
    outcome: str
    outcome_at: str


@dataclass(frozen=True, slots=True)
class Share:
    """Data of this person given to somebody else."""

    at: str
    recipient: str
    title: str
    purpose: str
    ground: str
    message: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A read or delivery receipt that came back."""

    at: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Retained:
    """What the law keeps."""

    id: str
    reason: str
    until: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets or may get data: providers that carry mail, third parties (GDPR 15(1)(c))."""

    kind: str
    name: str
    title: str
    contract: str
    got_data: str


@dataclass(frozen=True, slots=True)
class Term:
    """How long a class of data is kept (GDPR 15(1)(d))."""

    data: str
    term: str


@dataclass(frozen=True, slots=True)
class Request:
    """An open request of this person."""

    number: int
    kind: str
    received: str
    due: str
    state: str
    channel: str
    text: str


@dataclass(frozen=True, slots=True)
class Look:
    """What a member of staff did with the data, and why."""

    at: str
    what: str
    reason: str


Row = (
    Block
    | Consent
    | Fact
    | Happening
    | Period
    | Sending
    | Share
    | Receipt
    | Retained
    | Recipient
    | Term
    | Request
    | Look
)
TABLES: Mapping[str, type[Row]] = {
    "blocks": Block,
    "consents": Consent,
    "facts": Fact,
    "sendings": Sending,
    "shares": Share,
    "receipts": Receipt,
    "retained": Retained,
    "recipients": Recipient,
    "terms": Term,
    "requests": Request,
    "looks": Look,
    "periods": Period,
    "events": Happening,
}
# What the person gave, under consent or contract: no inferred segments, no logs of ours (S-64, GDPR 20(1)).
PROVIDED = ("consents", "facts")


def columns(table: str) -> tuple[str, ...]:
    """Names of a table's columns, in order."""
    return tuple(f.name for f in fields(TABLES[table]))
