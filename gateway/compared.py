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
    """`common` is the address without what differs, where cutting query parameters is enough; "" where it is not.

    It is written as `of` was asked: references resolved, one character per octet. Of a link it is given only where the
    page it leads to is named by what stays: nothing else of the path is individual, and what is cut is carried along on
    other links too. It is the sender's server that decides whether that page opens.
    """

    sameness: Sameness
    common: str = ""


_UNKNOWN = Verdict(Sameness.UNKNOWN)
_IGNORED = str.maketrans("", "", "\t\r\n")


@dataclass(frozen=True, slots=True)
class Compared:
    """Addresses as they stand in the mail after character references are resolved, with what is known of each.

    The keys are as `written` makes them; `of` takes an attribute's value as it is. One address of a srcset or a style
    is asked for by itself, without descriptor, quotes or url().
    """

    verdicts: Mapping[str, Verdict] = field(default_factory=dict)

    def of(self, address: str) -> Verdict:
        """What is known of one address. Costs nothing where nothing was compared."""
        if not self.verdicts:
            return _UNKNOWN
        return self.verdicts.get(address) or self.verdicts.get(written(address), _UNKNOWN)

    def count(self, sameness: Sameness) -> int:
        """How many addresses were found so."""
        return sum(verdict.sameness is sameness for verdict in self.verdicts.values())


def written(address: str) -> str:
    """An address as a browser reads it: no space around it, no tab or line end within (WHATWG URL 4.4)."""
    address = address.strip(" \t\r\n\f\0")
    return address if address.isprintable() else address.translate(_IGNORED)


NEVER = Compared()
