"""Checks over several keys and several files, after each file is well-formed by itself.

what:       the whole list of cross checks; each is a generator of findings
takes→gives: frozen settings → findings (place in the file, "what is wrong, what is expected")
knows not:  files, lines
fails by:   nothing: findings are values
standard:   S-02, S-12, S-26, S-27, S-41; DESIGN §5
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from pathlib import Path

from gateway.config.check_api import check_webhooks
from gateway.config.check_classify import check_classify
from gateway.config.check_content import check_content
from gateway.config.check_domains import check_domains, check_identity
from gateway.config.check_inspector import check_inspector
from gateway.config.check_listeners import check_listeners
from gateway.config.check_observe import check_observe
from gateway.config.check_probe import check_probe
from gateway.config.check_providers import check_providers, check_routes
from gateway.config.check_rights import check_rights
from gateway.config.check_store import check_store
from gateway.config.check_streams import check_footer, check_streams
from gateway.config.check_third_parties import check_third_parties
from gateway.config.gateway import Gateway
from gateway.config.organisation import MailingList, Organisation, Source, Topic
from gateway.config.source import Loc

Finding = tuple[Loc, str]


def gateway(settings: Gateway, organisations: Sequence[Organisation]) -> Iterator[Finding]:
    """Findings in gateway.yaml."""
    yield from check_listeners(settings, organisations)
    yield from check_store(settings)
    yield from check_inspector(settings)


def organisation(settings: Organisation) -> Iterator[Finding]:
    """Findings in one organisation's file."""
    return chain(
        _unique(settings),
        _references(settings),
        _clients(settings),
        check_identity(settings),
        check_domains(settings),
        check_providers(settings),
        check_routes(settings),
        check_probe(settings),
        check_streams(settings),
        check_footer(settings),
        check_rights(settings),
        check_classify(settings),
        check_observe(settings, date.today()),
        check_third_parties(settings),
        check_content(settings),
        check_webhooks(settings),
    )


def across(organisations: Mapping[Path, Organisation]) -> dict[Path, list[Finding]]:
    """Findings that need all organisations: what must be unique on the whole gateway (I-12)."""
    findings: dict[Path, list[Finding]] = {path: [] for path in organisations}
    seen: dict[tuple[str, object], Path] = {}
    for path, settings in organisations.items():
        for what, value, loc in _gateway_wide(settings):
            if (first := seen.setdefault((what, value), path)) != path:
                text = f"{what} {value!r} is also in {first}, expected it in one organisation only"
                findings[path].append((loc, text))
    for path, loc, text in _ambiguous_networks(organisations):
        findings[path].append((loc, text))
    return findings


def _gateway_wide(settings: Organisation) -> Iterator[tuple[str, object, Loc]]:
    yield "organisation id", settings.id, ("id",)
    yield "organisation name", settings.name, ("name",)
    for index, client in enumerate(settings.clients):
        yield "client", client.name, ("clients", index, "name")


def _ambiguous_networks(organisations: Mapping[Path, Organisation]) -> Iterator[tuple[Path, Loc, str]]:
    """The narrowest network tells a client without a credential; two with the same one could not be told apart."""
    taken: dict[object, str] = {}
    for path, settings in organisations.items():
        for index, client in enumerate(settings.clients):
            for place, network in enumerate(client.networks if client.secret is None else ()):
                first = taken.setdefault(network, client.name)
                if first != client.name:
                    loc = ("clients", index, "networks", place)
                    yield (
                        path,
                        loc,
                        f"is also a network of {first!r}, and neither has a secret, expected one or a secret",
                    )


_UNIQUE = (
    ("domains", "domain"),
    ("sources", "name"),
    ("sources", "id"),
    ("lists", "name"),
    ("lists", "id"),
    ("lists", "list_id"),
    ("topics", "name"),
    ("topics", "id"),
    ("categories", "name"),
    ("categories", "id"),
    ("clients", "name"),
    ("providers", "name"),
    ("classify", "name"),
)


def _unique(settings: Organisation) -> Iterator[Finding]:
    for group, key in _UNIQUE:
        seen: set[object] = set()
        for index, item in enumerate(getattr(settings, group)):
            value = getattr(item, key)
            if value in seen and value is not None:
                yield (group, index, key), f"{value!r} stands here a second time, expected each {key} once"
            seen.add(value)


def _references(settings: Organisation) -> Iterator[Finding]:
    sources = _in_use(settings.sources)
    for index, client in enumerate(settings.clients):
        yield from known(client.source, sources, "source", ("clients", index, "source"))
    domains = set(settings.by_domain)
    for index, route in enumerate(settings.routes):
        yield from known(route.provider, settings.by_provider, "provider", ("routes", index, "provider"))
        for place, domain in enumerate(route.domains):
            yield from known(domain, domains, "domain", ("routes", index, "domains", place))
    for index, entry in enumerate(settings.classify):
        yield from known(entry.when.client, settings.by_client, "client", ("classify", index, "when", "client"))
        yield from known(entry.list, _in_use(settings.lists), "list", ("classify", index, "list"))
        yield from known(entry.topic, _in_use(settings.topics), "topic", ("classify", index, "topic"))


def known(name: str | None, names: Iterable[str], what: str, loc: Loc) -> Iterator[Finding]:
    """Nothing when `name` is None or among `names`, else a finding that lists them."""
    if name is not None and name not in names:
        listed = ", ".join(sorted(names)) or f"a {what} to be defined first"
        yield loc, f"no {what} {name!r}, expected one of: {listed}"


def _in_use(items: Iterable[Source | MailingList | Topic]) -> set[str]:
    return {item.name for item in items if not item.retired}


def _clients(settings: Organisation) -> Iterator[Finding]:
    for index, client in enumerate(settings.clients):
        if client.secret is None and not client.networks:
            yield ("clients", index), "neither secret nor networks, expected at least one of them (S-26)"
