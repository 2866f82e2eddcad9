"""What one worker takes at once: connections, octets in flight, and how slow a transfer may be.

what:       `Occupancy`, `Budget`, `Pace`
takes→gives: an address or a number of octets → yes or no; octets and a time → a deadline
knows not:  sockets, SMTP, clocks (times are passed in)
fails by:   answering no; `ValueError` on more given back than taken
standard:   RFC 5321 4.5.3.2, 7.8; LIBRARIES §6
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

IP = IPv4Address | IPv6Address

MINIMUM_RATE = 500
"""Octets a second that DATA must reach in the long run; slower is a client that only holds a place."""


def peer_address(peername: object) -> IP | None:
    """The address of a socket's peer name; IPv4 seen through a dual-stack socket is IPv4. None for anything else."""
    if not isinstance(peername, tuple) or not peername:
        return None
    try:
        address = ip_address(str(peername[0]).split("%", 1)[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


@dataclass(slots=True)
class Occupancy:
    """Open connections, in total and per address. An IPv6 /64 counts as one address: one host owns all of it."""

    total: int
    per_address: int
    count: int = 0
    _by_place: Counter[str] = field(default_factory=Counter)

    def enter(self, address: IP | None) -> bool:
        """Whether one more may come in; if so it is counted."""
        place = _place(address)
        if self.count >= self.total or self._by_place[place] >= self.per_address:
            return False
        self.count += 1
        self._by_place[place] += 1
        return True

    def leave(self, address: IP | None) -> None:
        """One that came in is gone."""
        place = _place(address)
        if self._by_place[place] < 1:
            raise ValueError("more connections left than came")
        self.count -= 1
        self._by_place[place] -= 1
        if not self._by_place[place]:
            del self._by_place[place]


def _place(address: IP | None) -> str:
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return str(address)


@dataclass(slots=True)
class Budget:
    """Octets of messages in flight over all sessions of one worker."""

    limit: int
    used: int = 0

    @property
    def exhausted(self) -> bool:
        return self.used >= self.limit

    def take(self, octets: int) -> bool:
        """Reserve, or answer False and reserve nothing."""
        if self.used + octets > self.limit:
            return False
        self.used += octets
        return True

    def give_back(self, octets: int) -> None:
        if octets > self.used:
            raise ValueError("more octets given back than taken")
        self.used -= octets


@dataclass(frozen=True, slots=True)
class Pace:
    """How long DATA may wait for its next octets: `idle` seconds each time, and `MINIMUM_RATE` over the whole."""

    start: float
    idle: float

    def deadline(self, now: float, octets: int) -> float:
        """When to give up, after `octets` came until `now` (same clock as `start`)."""
        return min(now + self.idle, self.start + self.idle + octets / MINIMUM_RATE)
