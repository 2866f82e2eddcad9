"""Who may ask: one token per client system.

what:       `Authorization: Bearer CLIENT.SECRET` → the client and its organisation
takes→gives: header text → `Caller`, or None
knows not:  HTTP answers, files
fails by:   nothing: anything wrong is None, told from anything else wrong by nothing
standard:   RFC 6750; DESIGN §4 Client secrets
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.config.client_secret import check_secret
from gateway.config.organisation import Client, Organisation
from gateway.pseudonym import Pseudonyms
from gateway.registry.protocol import PeopleRegistry

_SCHEME = "bearer "


@dataclass(frozen=True, slots=True)
class House:
    """One organisation as the API needs it."""

    organisation: Organisation
    pseudonyms: Pseudonyms
    registry: PeopleRegistry


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and for which organisation."""

    client: Client
    house: House


@dataclass(frozen=True, slots=True)
class Directory:
    """`stored(organisation, client)` gives a token's stored form, or None where the client has none."""

    houses: Mapping[str, House]
    stored: Callable[[str, str], str | None]

    def caller(self, authorization: str) -> Caller | None:
        """The client whose token this is."""
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            return None
        name, _, secret = authorization[len(_SCHEME) :].strip().partition(".")
        for house in self.houses.values():
            client = house.organisation.by_client.get(name)
            if client is not None:
                stored = self.stored(house.organisation.name, name)
                return Caller(client, house) if stored and check_secret(stored, secret) else None
        return None
