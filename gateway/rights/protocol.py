"""What the desk asks of the effects of a right, and what it gets back.

takes→gives: an open `Case` → what was done in registry and spool, whom to tell, what stays
knows not:  how registry, spool and audit do it; how a reply is worded
standard:   GDPR 15-21; S-30..S-33, S-62, S-63, L-18
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from gateway.cases.protocol import Case, Outcome, Paper


class EffectRefused(Exception):
    """This cannot be done as asked; the text says why and what is expected, without an address."""


class NoticeKind(StrEnum):
    """What a third party is told (GDPR 19)."""

    ERASURE = "erasure"
    RECTIFICATION = "rectification"
    RESTRICTION = "restriction"
    RESTRICTION_LIFTED = "restriction-lifted"


@dataclass(frozen=True, slots=True)
class Notice:
    """`third_party` by its name in the settings; `references`: orders or enrolments by which they find the record."""

    third_party: str
    kind: NoticeKind
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays after an erasure, why, and until when (ISO day; "" when an event ends it). In the case's language."""

    what: str
    why: str
    until: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the operator decided. `now` Unix seconds; `grant` False refuses, with `reason`. `lift`: the end of a
    restriction that was in force. `keep`: ids of retained things (partial erasure)."""

    operator: str
    now: int
    reason: str = ""
    grant: bool = True
    lift: bool = False
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """What was done. `report` and `kept` go into the reply, in the case's language; `outside` is the checklist of
    systems that the privacy officer must still do; `papers` go with the reply."""

    outcome: Outcome
    notices: tuple[Notice, ...] = ()
    report: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()
    outside: tuple[str, ...] = ()
    papers: tuple[Paper, ...] = field(default=(), repr=False)


class Effects(Protocol):
    """Of one organisation. Each may be called again for the same case after a crash, and then does no more."""

    async def begin(self, case: Case) -> list[str]:
        """At intake: block sending where the kind asks for it. Called before the case is stored (`number` 0), so that
        a crash leaves a block without a case, never a case without its block. Gives what was done, in words.

        Raises `EffectRefused`, `RegistryUnavailable`.
        """
        ...

    async def notices(self, case: Case) -> tuple[Notice, ...]:
        """Who must be told, read from the share ledger before anything is erased. Changes nothing."""
        ...

    async def complete(self, case: Case, choices: Choices) -> Completion:
        """Carry it out, or with `grant` False undo what `begin` did where that is right.

        Raises `EffectRefused`, `RegistryUnavailable`.
        """
        ...

    async def closed(self, case: Case) -> None:
        """After the closing reply was delivered, right before the case is forgotten: last traces of the handling."""
        ...
