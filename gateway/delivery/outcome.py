"""What one attempt led to, before anything is written down.

what:       `Job` (a claimed row on its way) and `Outcome`
knows not:  SQL, sockets, what the row looked like before
fails by:   nothing
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.decision import Decision
from gateway.delivery.answers import Answer
from gateway.delivery.letter import Letter
from gateway.pseudonym import Pseudonyms
from gateway.spool.protocol import Entry, Opened, Spool


class Kind(StrEnum):
    DELIVERED = "delivered"
    RETRY = "retry"  # counted as an attempt
    POSTPONED = "postponed"  # nothing was tried: not counted
    FAILED = "failed"
    BLOCKED = "blocked"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`reason` is for people and logs and names nobody. `status` as RFC 3463. `wait` seconds of a postponement.

    `trouble` is the kind of provider trouble, or ""; `uncertain` says that the final reply was lost (R-018);
    `fault` that we ourselves are wrong; `hop_dsn` whether the hop took over the DSN request; `seconds` its length.
    `away` that the registry could not be read.
    """

    kind: Kind
    reason: str = ""
    status: str = ""
    answer: Answer | None = None
    trouble: str = ""
    person: bool = False
    uncertain: bool = False
    wait: float = 0.0
    decision: Decision | None = None
    variant: str = ""
    hop_dsn: bool = False
    signed: bool = False
    fault: bool = False
    away: bool = False
    seconds: float = 0.0


@dataclass(slots=True)
class Job:
    """A claimed row. `opened` and `letter` are filled once it is unsealed; `settled` once its end is handed over."""

    spool: Spool
    entry: Entry
    opened: Opened | None = None
    letter: Letter | None = None
    settled: bool = False

    async def unseal(self, pseudonyms: Pseudonyms) -> None:
        """Fill `opened` and `letter`. Raises what `Spool.open` and `Letter.read` raise."""
        self.opened = await self.spool.open(self.entry)
        self.letter = Letter.read(self.entry, self.opened, pseudonyms)

    @property
    def body(self) -> bytes:
        assert self.opened is not None  # unseal comes first
        return self.opened.body

    @property
    def opened_letter(self) -> Letter:
        assert self.letter is not None  # unseal comes first
        return self.letter
