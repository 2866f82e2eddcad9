"""Checks of who else may get data of a person: a contract with a rights clause, addresses that can be told apart.

takes→gives: `Organisation` → findings (place, "what is wrong, what is expected")
knows not:  messages, people
standard:   S-13, S-27, S-32; GDPR 19, 28
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.address import Address, InvalidAddress
from gateway.config.organisation import Organisation, ThirdParty
from gateway.config.source import Loc

Finding = tuple[Loc, str]


def check_third_parties(settings: Organisation) -> Iterator[Finding]:
    """Each by itself; every name once."""
    seen: set[str] = set()
    for index, party in enumerate(settings.third_parties):
        loc: Loc = ("third_parties", index)
        if party.name in seen:
            yield (*loc, "name"), f"{party.name!r} stands here a second time, expected each name once"
        seen.add(party.name)
        yield from _contract(party, loc)
        yield from _places(settings, party, loc)


def _contract(party: ThirdParty, loc: Loc) -> Iterator[Finding]:
    if not party.rights_clause:
        text = "is no, expected yes: who gets data of a person must promise to follow that person's rights (S-27)"
        yield (*loc, "rights_clause"), text


def _places(settings: Organisation, party: ThirdParty, loc: Loc) -> Iterator[Finding]:
    if not party.addresses:
        yield (*loc, "addresses"), "empty, expected at least one: notices of erasure go to the first (S-32)"
    for index, text in enumerate(party.addresses):
        try:
            Address.parse(text)
        except InvalidAddress:
            yield (*loc, "addresses", index), f"is {text!r}, expected a mail address"
    for index, domain in enumerate(party.domains):
        if domain in settings.own_domains:
            yield (*loc, "domains", index), f"{domain!r} is the organisation's own, expected one of the third party"
