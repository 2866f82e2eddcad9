"""Settings and credentials → the parts that work with them, one organisation at a time.

what:       `Tenant` values for the real thing and for `explain`
takes→gives: `Loaded`, `Credentials` → tenants by organisation; clients → tenant
knows not:  sockets, mail
fails by:   `CredentialsError` with every missing or damaged key named
standard:   I-12; DESIGN §4 People, Signing
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from gateway.app.probe_gate import Gate
from gateway.campaign import Campaigns
from gateway.campaigns.backend import open_campaigns
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.load import Loaded
from gateway.config.organisation import Organisation
from gateway.content import InProcess, Inspector
from gateway.documents.protocol import Bounds
from gateway.facts import NOBODY, Facts
from gateway.pipeline import Parts
from gateway.plan import Rules
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry.backend import open_registry
from gateway.registry.places import places
from gateway.registry.protocol import Event, PeopleRegistry, Registry
from gateway.signing import keys
from gateway.signing.dkim import Signer
from gateway.tenant import Tenant
from gateway.token import TokenKeys


def rules(loaded: Loaded) -> Rules:
    """What all organisations share."""
    return Rules(
        loaded.gateway.name, loaded.gateway.limits, loaded.trackers, loaded.version, loaded.gateway.delivery.self_check
    )


def signers(organisation: Organisation, credentials: Credentials) -> dict[str, Signer]:
    """One per domain that says `dkim: yes`."""
    return {
        d.domain: Signer(d.domain, d.selector, credentials.dkim(organisation.name, d.selector, d.domain))
        for d in organisation.domains
        if d.dkim and d.selector
    }


def tenant(
    organisation: Organisation,
    credentials: Credentials,
    registry: Registry,
    opt_out_works: Callable[[], bool] | None = None,
    campaigns: Campaigns | None = None,
) -> Tenant:
    """One organisation with everything that is its own. `opt_out_works`: what the probe says, where it is asked."""
    return Tenant(
        organisation,
        credentials.pseudonyms(organisation),
        credentials.token_keys(organisation.name),
        registry,
        signers(organisation, credentials),
        opt_out_works or unprobed,
        campaigns,
    )


def unprobed() -> bool:
    """No probe has found the opt-out broken."""
    return True


def open_registries(
    loaded: Loaded, credentials: Credentials, seen: Callable[[str, float], None]
) -> dict[str, PeopleRegistry]:
    """One per organisation; never creates one, never raises for one in trouble (I-13)."""
    return {
        o.name: open_registry(
            o,
            loaded.gateway,
            credentials.pseudonyms(o),
            lambda seconds, name=o.name: seen(name, seconds),  # type: ignore[misc]
        )
        for o in loaded.organisations
    }


def campaigns(loaded: Loaded) -> dict[str, Campaigns]:
    """What this process learns of campaigns, one per organisation (I-12); never raises for a store in trouble."""
    return {o.name: Campaigns(o.name, open_campaigns(o, loaded.gateway)) for o in loaded.organisations}


def tenants(
    loaded: Loaded,
    credentials: Credentials,
    registries: Mapping[str, Registry],
    compared: Mapping[str, Campaigns] | None = None,
) -> dict[str, Tenant]:
    """By organisation name. Without `compared` no mail is held against other copies of it."""
    state, of = loaded.gateway.state, compared or {}
    return {
        o.name: tenant(o, credentials, registries[o.name], Gate(state, o.name, o.probe), of.get(o.name))
        for o in loaded.organisations
    }


def parts(loaded: Loaded, found: Mapping[str, Tenant]) -> Parts:
    """What the pipeline works with, by client."""
    by_client = {c.name: t for t in found.values() for c in t.organisation.clients}
    return Parts(rules(loaded), by_client)


@dataclass(frozen=True, slots=True)
class Dry:
    """What `explain` works with. `dns`: owner name → TXT value of each key; `notes`: what is not the real thing."""

    tenant: Tenant
    rules: Rules
    dns: dict[str, str]
    inspector: Inspector
    notes: Sequence[str] = field(default_factory=list)
    spare: tuple[str, bytes] | None = field(default=None, repr=False)
    """Selector and PEM of one of the organisation's keys, for a domain that only this run takes for its own."""

    def lend(self, domain: str) -> Signer | None:
        """A signer for a domain not of the organisation; its record joins `dns`. None where nothing is signed."""
        if self.spare is None:
            return None
        selector, pem = self.spare
        self.dns.update([keys.dns_value(pem, domain, selector)])
        return Signer(domain, selector, pem)


class EmptyRegistry:
    """A registry in which nobody is known, for explaining before one was made."""

    async def facts(self, people: Sequence[Person]) -> list[Facts]:
        return [NOBODY] * len(people)

    async def record(self, events: Sequence[Event]) -> list[int]:
        raise TypeError("explaining stores nothing")

    async def contact(self, client: str, contact: str) -> bytes | None:
        return None

    async def published(self, ids: Collection[str]) -> frozenset[str]:
        return frozenset()

    def trouble(self) -> str:
        return ""

    def close(self) -> None:
        pass


def dry(loaded: Loaded, client: str, wrong: Callable[..., NoReturn]) -> Dry:
    """The client's organisation for explaining; what is missing is made up for this one run and said so."""
    found = next((o for o in loaded.organisations if client in o.by_client), None)
    if found is None:
        names = sorted(c for o in loaded.organisations for c in o.by_client)
        wrong(f"--client {client}: no such client, expected one of {', '.join(names)}")
    credentials, notes = Credentials.of(loaded.gateway), list[str]()
    pseudonyms, tokens, pems = _keys(found, credentials, notes)
    registry: Registry = EmptyRegistry()
    if places(loaded.gateway.state, found.name).node.exists() and not notes:
        registry = open_registry(found, loaded.gateway, pseudonyms)
    else:
        notes.append(f"no registry of {found.name} with these keys: nobody is known, so nobody consented or stopped")
    made = {d: Signer(d, s, pem) for (d, s), pem in pems.items()}
    dns = dict(keys.dns_value(pem, d, s) for (d, s), pem in pems.items())
    spare = next(((s, pem) for (_, s), pem in pems.items()), None)
    seen = Campaigns(found.name, open_campaigns(found, loaded.gateway, read_only=True), writes=False)
    tenant = Tenant(found, pseudonyms, tokens, registry, made, unprobed, seen)
    return Dry(tenant, rules(loaded), dns, InProcess(Bounds.of(loaded.gateway.inspector)), notes, spare)


def _keys(
    organisation: Organisation, credentials: Credentials, notes: list[str]
) -> tuple[Pseudonyms, TokenKeys, dict[tuple[str, str], bytes]]:
    signed = [(d.domain, d.selector) for d in organisation.domains if d.dkim and d.selector]
    try:
        pems = {(d, s): credentials.dkim(organisation.name, s, d) for d, s in signed}
        return credentials.pseudonyms(organisation), credentials.token_keys(organisation.name), pems
    except CredentialsError as error:
        notes.append(f"keys made up for this run: {error.errors[0]}")
    pem = keys.generate()
    made_up = Pseudonyms((secrets.token_bytes(32),), frozenset(organisation.block_wide_domains))
    return made_up, TokenKeys({1: secrets.token_bytes(64)}), dict.fromkeys(signed, pem)
