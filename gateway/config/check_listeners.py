"""Checks of the gateway's own settings: listeners, their TLS, who can come in.

takes→gives: `Gateway`, organisations → findings (place, "what is wrong, what is expected")
knows not:  files, sockets
standard:   S-26; RFC 8314 3.3, R-001, R-097
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence

from gateway.config.gateway import Gateway, Listener
from gateway.config.organisation import Organisation
from gateway.config.source import Loc

Finding = tuple[Loc, str]

_HOST = re.compile(
    r"(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)


def is_loopback(host: str) -> bool:
    """Whether `host` (name or address literal) can only be this machine."""
    if host.lower() in ("localhost", "ip6-localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_listeners(settings: Gateway, organisations: Sequence[Organisation]) -> Iterator[Finding]:
    """Everything in gateway.yaml that one key alone cannot tell."""
    if not _HOST.fullmatch(settings.name):
        yield ("name",), f"is {settings.name!r}, expected a host name such as mail.example.org"
    if not settings.listen:
        yield ("listen",), "no listener, expected at least one"
    yield from _unique(settings)
    for index, listener in enumerate(settings.listen):
        yield from _tls(listener, ("listen", index))
        yield from _reachable(listener, ("listen", index), organisations)
    yield from _addresses(settings)
    yield from _times(settings)


def _unique(settings: Gateway) -> Iterator[Finding]:
    names: set[str] = set()
    sockets: set[tuple[str, int]] = set()
    for index, listener in enumerate(settings.listen):
        if listener.name in names:
            yield ("listen", index, "name"), f"{listener.name!r} stands here a second time, expected each name once"
        socket = (listener.address, listener.port)
        if listener.port and socket in sockets:
            yield (
                ("listen", index, "port"),
                f"{socket[0]}:{socket[1]} is taken by another listener, expected a free one",
            )
        names.add(listener.name)
        sockets.add(socket)


def _tls(listener: Listener, loc: Loc) -> Iterator[Finding]:
    if listener.role == "submission" and listener.tls == "none":
        yield (*loc, "tls"), "is 'none' on a submission listener, expected starttls or implicit (RFC 8314, S-26)"
    if listener.tls != "none":
        for key in ("certificate", "key"):
            if getattr(listener, key) is None:
                yield (*loc, key), f"missing, expected a PEM file, because tls is {listener.tls!r}"
    elif listener.certificate or listener.key:
        yield (*loc, "tls"), "is 'none' beside a certificate or key, expected starttls or implicit"


def _reachable(listener: Listener, loc: Loc, organisations: Sequence[Organisation]) -> Iterator[Finding]:
    if _not_an_address(listener.address):
        yield (*loc, "address"), f"is {listener.address!r}, expected an IP address such as 127.0.0.1 or ::"
    elif listener.role == "relay" and not is_loopback(listener.address) and not _networks(organisations):
        yield (
            (*loc, "address"),
            f"is {listener.address}, which other machines reach, and no client has networks, "
            f"expected loopback, or a client with networks (R-001)",
        )


def _networks(organisations: Sequence[Organisation]) -> bool:
    return any(client.networks for organisation in organisations for client in organisation.clients)


def _not_an_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return True
    return False


def _addresses(settings: Gateway) -> Iterator[Finding]:
    for key in ("web", "observe"):
        text = getattr(settings, key).address
        if _not_an_address(text):
            yield (key, "address"), f"is {text!r}, expected an IP address such as 127.0.0.1 or ::1"
    for index, proxy in enumerate(settings.web.trusted_proxies):
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            yield ("web", "trusted_proxies", index), f"is {proxy!r}, expected an IP address or network"


def _times(settings: Gateway) -> Iterator[Finding]:
    delivery = settings.delivery
    if not delivery.retry or any(not wait for wait in delivery.retry):
        yield ("delivery", "retry"), "no wait or a wait of zero, expected at least one, each above zero (R-017)"
    if delivery.give_up <= delivery.delay_notice:
        yield ("delivery", "give_up"), "not after delay_notice, expected a longer time (R-017: 4 to 5 days)"
    if not delivery.decision_age:
        yield ("delivery", "decision_age"), "is zero, expected a time such as 100ms (I-2)"
