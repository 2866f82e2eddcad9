"""Checks of providers and routes.

takes→gives: `Organisation` → findings (place, "what is wrong, what is expected")
knows not:  connections, credentials' content
standard:   S-12, S-14, S-27, S-52; R-097, R-098
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from gateway.config.check_listeners import is_loopback
from gateway.config.complaint import routes_of
from gateway.config.organisation import Organisation, Provider, Route
from gateway.config.source import Loc

Finding = tuple[Loc, str]


def check_providers(settings: Organisation) -> Iterator[Finding]:
    """A contract with a rights clause (S-27), and no password or mail over a line that others can read."""
    routes = [route.model_dump() for route in settings.routes]
    for index, provider in enumerate(settings.providers):
        if not provider.rights_clause:
            yield (
                ("providers", index, "rights_clause"),
                f"is no, expected a contract that says what happens when people use their rights (S-27)"
                f"{routes_of(provider.name, routes)}",
            )
        yield from _tls(provider, ("providers", index))
        yield from _login(provider, ("providers", index))


def _tls(provider: Provider, loc: Loc) -> Iterator[Finding]:
    if provider.tls == "none" and not is_loopback(provider.host):
        yield (*loc, "tls"), f"is 'none' for {provider.host}, expected verify or implicit (none: this machine only)"
    if provider.tls == "opportunistic" and provider.username is not None:
        yield (*loc, "tls"), "is 'opportunistic' with a username, expected verify or implicit (R-098)"
    if provider.tls in ("none", "opportunistic") and provider.ca_file is not None:
        yield (*loc, "ca_file"), f"stands beside tls {provider.tls!r}, expected verify or implicit"


def _login(provider: Provider, loc: Loc) -> Iterator[Finding]:
    if (provider.username is None) != (provider.secret is None):
        there, missing = ("username", "secret") if provider.secret is None else ("secret", "username")
        yield (*loc, there), f"stands without {missing}, expected both or neither"
    if not provider.host.strip() or any(c.isspace() for c in provider.host):
        yield (*loc, "host"), f"is {provider.host!r}, expected a host name or address"


def check_routes(settings: Organisation) -> Iterator[Finding]:
    """Each route can be taken; each stream in it has a rule."""
    for index, route in enumerate(settings.routes):
        for place, stream in enumerate(route.streams):
            if stream not in settings.streams:
                yield (
                    ("routes", index, "streams", place),
                    f"no rule for stream {stream.value!r}, expected it in streams",
                )
    for (_, earlier), (index, later) in combinations(enumerate(settings.routes), 2):
        if _covers(earlier, later):
            yield (
                ("routes", index),
                f"can never be taken, an earlier route to {earlier.provider!r} matches all of it, "
                f"expected narrower routes first",
            )


def _covers(earlier: Route, later: Route) -> bool:
    domains = not earlier.domains or (bool(later.domains) and set(later.domains) <= set(earlier.domains))
    streams = not earlier.streams or (bool(later.streams) and set(later.streams) <= set(earlier.streams))
    return domains and streams
