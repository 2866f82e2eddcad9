"""Comparing the copies of one campaign: whether, how many must agree, how long what was seen is kept.

what:       the frozen model of `campaigns:` in an organisation's file, with its division of time
takes→gives: Unix seconds ↔ epochs
knows not:  how mail is compared
fails by:   pydantic ValidationError (→ file:line in `load`)
standard:   R-059; DESIGN §4 Trackers
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from gateway.config.base import Duration, Settings

_SHORTEST, _LONGEST = timedelta(days=1), timedelta(days=30)


def _short(value: timedelta) -> timedelta:
    if not _SHORTEST <= value <= _LONGEST:
        raise ValueError("expected a duration from 1d to 30d")
    return value


class Campaigns(Settings):
    """Copies of one campaign are compared, so that an image or link that differs per person is known by that."""

    compare: bool = True
    """Whether to compare. Without, an address is judged by its look and by known facts alone."""
    copies: Annotated[int, Field(ge=2, le=16)] = 3
    """How many different recipients must have had exactly the same address before it counts as common."""
    keep: Annotated[Duration, AfterValidator(_short)] = Field(default="7d", validate_default=True)
    """How long keyed hashes of addresses and recipients are kept at most, 1d to 30d; the key goes with them."""

    @property
    def epoch_seconds(self) -> int:
        """Half of what is kept: all of an epoch goes when the second one after it begins."""
        return int(self.keep.total_seconds()) // 2

    def epoch(self, now: float) -> int:
        """The epoch of a moment in Unix seconds."""
        return int(now) // self.epoch_seconds

    def ends(self, epoch: int) -> int:
        """Unix seconds at which nothing of this epoch is left."""
        return (epoch + 2) * self.epoch_seconds
