"""Who may submit: clients by credential or by network.

what:       `ClientDirectory`, an immutable view on the clients of all organisations
takes→gives: a name or an address → one `ClientEntry`
knows not:  how a secret is checked, sockets
fails by:   `ValueError` when two clients share a name; None or `Ambiguous` for a peer that is nobody's
standard:   RFC 6409 3.3, 8; R-001, S-26, I-12
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from gateway.config.organisation import Organisation
from gateway.ingress.limits import IP


@dataclass(frozen=True, slots=True)
class ClientEntry:
    """One client: its organisation, where it may come from, and what it proves itself with.

    `secret` is the stored form of its credential (a digest, see `config/credentials.py`); None means by network only.
    """

    name: str
    organisation: str
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    secret: str | None = None
    refuse: Literal["dot", "rcpt"] = "dot"
    max_recipients: int = 1000

    def __post_init__(self) -> None:
        if self.secret is None and not self.networks:
            raise ValueError(f"client {self.name}: expected a secret or at least one network")

    def may_come_from(self, address: IP | None) -> bool:
        """No networks: from anywhere."""
        return not self.networks or (address is not None and any(address in network for network in self.networks))


class Ambiguous(Exception):
    """Two clients claim a peer with networks of the same length; guessing would mix organisations (I-12)."""


class ClientDirectory(Mapping[str, ClientEntry]):
    """Name → client. Names are unique over all organisations: they are also what a client logs in with."""

    def __init__(self, entries: Iterable[ClientEntry]) -> None:
        self._entries: dict[str, ClientEntry] = {}
        for entry in entries:
            if entry.name in self._entries:
                raise ValueError(f"client {entry.name}: expected a name that no other client has")
            self._entries[entry.name] = entry

    @classmethod
    def from_organisations(
        cls, organisations: Iterable[Organisation], secret: Callable[[str, str], str]
    ) -> ClientDirectory:
        """From the settings; `secret(organisation, name)` gives the stored form of a credential."""
        return cls(
            ClientEntry(
                name=client.name,
                organisation=organisation.name,
                networks=client.networks,
                secret=None if client.secret is None else secret(organisation.name, client.secret),
                refuse=client.refuse,
                max_recipients=client.max_recipients,
            )
            for organisation in organisations
            for client in organisation.clients
        )

    def by_network(self, address: IP | None) -> ClientEntry | None:
        """The client whose most specific network holds `address`. Raises `Ambiguous`.

        For relay listeners, where the network is the only proof: nobody asks for the credential a client has besides.
        """
        claims = [
            (network.prefixlen, entry)
            for entry in self._entries.values()
            if address is not None
            for network in entry.networks
            if address in network
        ]
        if not claims:
            return None
        longest = max(length for length, _ in claims)
        winners = {entry.name: entry for length, entry in claims if length == longest}
        if len(winners) > 1:
            raise Ambiguous
        return next(iter(winners.values()))

    def secrets(self) -> Iterator[str]:
        """The stored form of every credential."""
        return (entry.secret for entry in self._entries.values() if entry.secret is not None)

    def __getitem__(self, name: str) -> ClientEntry:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
