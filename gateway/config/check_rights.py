"""Checks of `rights:` of an organisation.

takes→gives: `Organisation` → findings (place, "what is wrong, what is expected")
knows not:  how a request is handled
standard:   S-12, S-36, S-59; D-03
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import holidays
from holidays.registry import EntityLoader

from gateway.address import Address, InvalidAddress
from gateway.config.organisation import Organisation, Route
from gateway.config.source import Loc
from gateway.decision import Stream

Finding = tuple[Loc, str]


def check_rights(settings: Organisation) -> Iterator[Finding]:
    """Addresses that can be written to and from, a site that can be visited, holidays that are known."""
    rights = settings.rights
    if rights.officer is not None and _parsed(rights.officer) is None:
        yield ("rights", "officer"), f"{rights.officer!r} is no mail address, expected one such as officer@example.nl"
    yield from _sender(settings)
    site = urlsplit(rights.authority.site)
    if site.scheme != "https" or not site.hostname:
        yield ("rights", "authority", "site"), f"{rights.authority.site!r}, expected an https address"
    if not _calendar_known(rights.holidays):
        yield ("rights", "holidays"), f"no public holidays known for {rights.holidays!r}, expected such as NL or DE-BY"


def _calendar_known(place: str) -> bool:
    country, _, subdivision = place.partition("-")
    if country not in EntityLoader.get_country_codes():
        return False
    # A subdivision asks the country, and then the calendars of all countries are imported.
    return not subdivision or subdivision in getattr(holidays, country).subdivisions


def _sender(settings: Organisation) -> Iterator[Finding]:
    """Replies leave from a domain of the organisation, by a route for the stream `rights` (S-12)."""
    if settings.rights.sender is None:
        return
    sender = _parsed(settings.rights.sender)
    loc = ("rights", "sender")
    if sender is None:
        yield loc, f"{settings.rights.sender!r} is no mail address, expected one such as privacy@example.nl"
    elif sender.canonical_domain not in settings.by_domain:
        yield loc, f"is in {sender.canonical_domain}, expected one of `domains`: {', '.join(settings.by_domain)}"
    elif not any(_carries(route, sender.canonical_domain) for route in settings.routes):
        yield loc, f"no route carries stream rights from {sender.canonical_domain}, expected one in `routes` (S-12)"


def _carries(route: Route, domain: str) -> bool:
    return (not route.domains or domain in route.domains) and (not route.streams or Stream.RIGHTS in route.streams)


def _parsed(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except InvalidAddress:
        return None
