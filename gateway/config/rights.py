"""Requests of people: who handles them, within which terms, and which authority the replies name.

what:       the frozen model of `rights:` in an organisation's file
knows not:  how a term is counted (`rights/deadlines.py`)
fails by:   pydantic ValidationError (→ file:line in `load`)
standard:   S-31, S-34, S-36, S-57, S-59; D-03..D-06; GDPR 12(3)
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from gateway.config.base import Duration, Settings

_TERM = re.compile(r"([1-9]\d{0,2}) (day|week|working day)s?")
_TERM_WANTED = "expected a term such as 30 days, 4 weeks or 20 working days"


def _term(value: object) -> object:
    if isinstance(value, str) and _TERM.fullmatch(value):
        return value
    raise ValueError(_TERM_WANTED)


Term = Annotated[str, BeforeValidator(_term)]
RequestKind = Literal[
    "access",
    "rectification",
    "erasure",
    "restriction",
    "objection",
    "portability",
    "withdrawal",
    "leaving",
    "question",
    "tip",
    "complaint",
]


class Authority(Settings):
    """The supervisory authority that every reply names (S-36, GDPR 12(4))."""

    name: str = "Autoriteit Persoonsgegevens"
    """Its name."""
    postal_address: str = "Postbus 93374, 2509 AJ Den Haag, Nederland"
    """One line."""
    site: str = "https://autoriteitpersoonsgegevens.nl"
    """Where a complaint can be made (https)."""


class Rights(Settings):
    """How requests of people are handled."""

    officer: str | None = None
    """Who gets the daily digest of what falls due, without addresses; default: the postmaster."""
    sender: str | None = None
    """From address of replies and notices, in one of `domains`; default: the controller's contact."""
    authority: Authority = Authority()
    """The supervisory authority."""
    promise: Term | None = None
    """The published term for every kind of request that `promises` does not name, such as `30 days`."""
    promises: dict[RequestKind, Term] = Field(default={})
    """Published terms by kind: `4 weeks`, `20 working days`. The earliest of promise and law counts."""
    extension: bool = True
    """Whether what was promised leaves room for the two months more of GDPR 12(3)."""
    warn: Duration = Field(default="7d", validate_default=True)
    """How long before its last day a request is announced in the digest."""
    leaving_after: Duration = Field(default="30d", validate_default=True)
    """How long after somebody said to want the services no longer their data is purged (S-28)."""
    holidays: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Za-z0-9]{1,12})?$")] = "NL"
    """Country, or country and subdivision (`DE-BY`), whose public holidays are no working days."""
    register_requests: bool = True
    """Whether handled requests are registered (D-06). Erasures always without anything that leads to a person."""
    confirm: bool = True
    """Whether the person is told that a request came in, where their address is known."""

    def promised(self, kind: str) -> Term | None:
        """The published term for this kind, or None."""
        return self.promises.get(kind, self.promise)  # type: ignore[call-overload,no-any-return]


def term_parts(term: Term) -> tuple[int, str]:
    """Number and unit (day, week, working day) of a term."""
    match = _TERM.fullmatch(term)
    if match is None:
        raise ValueError(_TERM_WANTED)
    return int(match[1]), match[2]
