"""What other copies of the same campaign say about the addresses in this one.

what:       `Sameness` of an address, and the form that all copies share
takes→gives: made by a conductor from short-lived keyed hashes, read by the tracker filters
knows not:  where the hashes are, who received the other copies
fails by:   nothing: what was never compared is UNKNOWN
standard:   R-059; DESIGN §4 Trackers
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Sameness(StrEnum):
    """UNKNOWN: too few copies so far. COMMON: enough recipients got exactly this. INDIVIDUAL: others got another."""

    UNKNOWN = "unknown"
    COMMON = "common"
    INDIVIDUAL = "individual"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`common` is the address without what differs, where cutting query parameters is enough; "" where it is not."""

    sameness: Sameness
    common: str = ""


_UNKNOWN = Verdict(Sameness.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Compared:
    """Addresses as they stand in the mail after character references are resolved, with what is known of each."""

    verdicts: Mapping[str, Verdict] = field(default_factory=dict)

    def of(self, address: str) -> Verdict:
        return self.verdicts.get(address, _UNKNOWN)


NEVER = Compared()
