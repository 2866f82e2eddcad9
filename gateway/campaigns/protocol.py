"""Where several workers, or nodes, put down what they saw of campaigns, for a few days.

what:       `Entry`, `CampaignStore`
takes→gives: octets under a family → the same octets for whoever reads that family
knows not:  what is in an entry, what a family is; addresses, people, URLs
fails by:   `CampaignsUnavailable`; entries may be lost at any time, and nobody may depend on them
standard:   R-059; DESIGN §4 Trackers; I-7, I-12

Time is divided into epochs of half the time that entries are kept. Each has a secret of its own, which goes with all
that was written under it: nothing is older than two epochs, and nothing that was deleted can be recognised again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

SECRET = 32  # octets
MOST_ENTRIES = 400
"""Of one family and epoch; the oldest go first, a few more may stay."""


class CampaignsUnavailable(Exception):
    """The store is away, locked or broken."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`family`: a keyed hash under which the entry is found. `data` is opaque."""

    epoch: int
    family: bytes
    data: bytes = field(repr=False)


class CampaignStore(Protocol):
    """One organisation's. Every method that waits raises `CampaignsUnavailable`; none waits for another process."""

    def keep_until(self, ends: Callable[[int], int]) -> None:
        """Epoch → Unix seconds at which all of it goes, from now on: a reload may divide time anew."""
        ...

    async def secret(self, epoch: int, *, make: bool) -> bytes:
        """32 octets; where there are none yet they are made, or it is b""."""
        ...

    async def read(self, epoch: int, family: bytes, after: str) -> tuple[list[bytes], str]:
        """Entries of a family behind position `after` ("": all), oldest first, and the position of the last."""
        ...

    async def add(self, entries: Sequence[Entry]) -> None:
        """Store them. Old entries of the same family may go when there are too many."""
        ...

    async def purge(self, first: int, last: int) -> int:
        """Delete secrets and entries of epochs outside `first`..`last`. Gives how many entries went, where known."""
        ...

    async def close(self) -> None:
        """Let go of files and connections."""
        ...
