"""The checklist of an erasure: systems outside the gateway where the officer must still do it.

what:       from the settings and what is known of the person, one sentence per system
takes→gives: organisation, `Facts`, history → sentences in the organisation's language
knows not:  whether somebody did it
fails by:   nothing
standard:   S-27, S-31, S-32; GDPR 17(2), 19, 28(3)(e)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.config.organisation import Client, Organisation
from gateway.facts import Facts
from gateway.registry.protocol import Event, EventKind
from gateway.rights.effects_text import say


def checklist(organisation: Organisation, facts: Facts, history: Sequence[tuple[int, Event]]) -> tuple[str, ...]:
    """Clients with the person's mark there, providers, third parties, backups, earlier exports."""
    return tuple(_lines(organisation, facts, history))


def _lines(organisation: Organisation, facts: Facts, history: Sequence[tuple[int, Event]]) -> Iterator[str]:
    language = organisation.language
    for client in organisation.clients:
        yield _client(client, facts, language)
    for provider in organisation.providers:
        yield say(language, "out-provider", name=provider.name, day=provider.contract.isoformat())
    shared = {str(e.detail["third_party"]) for _, e in history if e.kind is EventKind.SHARED}
    for name in sorted(shared):
        known = organisation.by_third_party.get(name)
        yield say(language, "out-third" if known else "out-third-gone", name=known.title if known else name)
    yield say(language, "out-backup")
    yield say(language, "out-exports")


def _client(client: Client, facts: Facts, language: str) -> str:
    if client.kind == "people":
        return say(language, "out-people", name=client.name)
    contacts = "".join(say(language, "out-contact", id=c) for name, c in sorted(facts.contacts) if name == client.name)
    return say(language, "out-client", name=client.name, contacts=contacts)
