"""Who had which address in one kind of place, and whether everybody had one of their own there.

what:       `Pool`: values and people as hashes, and what their distribution says
takes→gives: value + person → news or not; people → how many others had it, whether it is individual
knows not:  addresses, campaigns, stores, how anything is hashed
fails by:   nothing
standard:   R-059

A pool is filled by the first `SAMPLE` different people; later copies are only held against it. That keeps a campaign
small whatever its size, and after the first copies nothing is written any more.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import chain

SAMPLE = 16
"""Different people whose copies are written down, for each slot."""
_PATIENT = 8  # copies, before an address that does not look individual can be found to be
_NEARLY_ALL = 0.8


@dataclass(slots=True)
class Pool:
    """One slot: who had which address. All are hashes."""

    values: dict[bytes, set[bytes]] = field(default_factory=dict)
    people: set[bytes] = field(default_factory=set)
    _counted: tuple[frozenset[bytes], int, int] | None = None
    _own: Counter[bytes] = field(default_factory=Counter)

    def add(self, value: bytes, person: bytes) -> bool:
        """Whether that was news. A full pool takes no more people."""
        who = self.values.get(value)
        if (who is not None and person in who) or (person not in self.people and len(self.people) >= SAMPLE):
            return False
        self.people.add(person)
        self.values.setdefault(value, set()).add(person)
        self._counted = None
        return True

    def others(self, value: bytes, me: frozenset[bytes]) -> int:
        """How many people beside `me` had this value."""
        who = self.values.get(value)
        return len(who - me) if who else 0

    def full(self, me: frozenset[bytes]) -> bool:
        """Whether it takes nothing more of these people."""
        return len(self.people) >= SAMPLE and self.people.isdisjoint(me)

    def individual(self, me: frozenset[bytes]) -> bool:
        """Whether each of the others has something of their own here.

        Values that some share, but not nearly all, speak for parts of the text that differ between groups of people.
        """
        owners, singles, partial = self._count()
        people, own = len(self.people), len(owners)
        if not self.people.isdisjoint(me):
            people, own = len(self.people - me), len(owners - me)
        return people > 0 and own >= _NEARLY_ALL * people and partial <= singles

    def settled(self, mine: int) -> bool:
        """Whether enough copies were seen to say that something of one's own is what it looks like, whatever its look.

        `mine`: how many I have. Where people have different numbers of them, they are parts of the text.
        """
        owners, singles, partial = self._count()
        constant = singles == mine * len(owners) and all(self._own[who] == mine for who in owners)
        return len(self.people) >= _PATIENT and partial * 8 <= singles and constant

    def _count(self) -> tuple[frozenset[bytes], int, int]:
        """People with a value of their own; how many such values; how many are shared by some but not nearly all."""
        if self._counted is None:
            single = [who for who in self.values.values() if len(who) == 1]
            most = 0.6 * len(self.people)
            partial = sum(1 < len(who) < most for who in self.values.values())
            self._own = Counter(chain.from_iterable(single))
            self._counted = frozenset(self._own), len(single), partial
        return self._counted
