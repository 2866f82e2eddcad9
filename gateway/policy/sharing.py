"""Mail that gives a person's data to a third party, such as the aanbieder of a course.

what:       who may get it, about whom, and what is written into the share ledger
takes→gives: `Case` → `Finding`; settings, addresses → how many are not of the third party; mail → ledger entry
knows not:  the registry, the body: that such mail is marked at all is up to the client
fails by:   nothing; doubt holds
standard:   S-13, S-27, S-39; GDPR 18, 19
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.address import Address, InvalidAddress
from gateway.config.organisation import Organisation, ThirdParty
from gateway.decision import Classification
from gateway.facts import BlockKind
from gateway.policy.case import Case, Finding, holds_back, passes

PURPOSE = "order"
_FROZEN = frozenset({BlockKind.RESTRICTION, BlockKind.ERASURE})


def share(case: Case) -> Finding:
    """Data of a person goes to the third party of that person's order, and to nobody else (S-13)."""
    mail = case.classification
    if not mail.shared_with:
        return passes("share", "gives nobody's data to a third party")
    if case.around.released:
        return passes("share", "released by an operator")
    if wrong := _wrong(case):
        return holds_back("share", wrong)
    return passes("share", f"data goes to {mail.shared_with}" + (" for the order" if mail.reference else ""))


def _wrong(case: Case) -> str:
    mail, about = case.classification, case.around.about
    if mail.shared_with not in case.organisation.by_third_party:
        return "third party is not in the settings"
    if case.around.strangers:
        return f"{case.around.strangers} of the recipients are not of third party {mail.shared_with}"
    if not mail.about:
        return "mark Briefgeheim-About missing"
    if about is None:
        return "nobody is known by the contact in Briefgeheim-About"
    if any(b.kind in _FROZEN for b in about.blocks):
        return "processing of that person's data is restricted"
    if mail.reference and (mail.reference, mail.shared_with) not in about.third_parties:
        return f"the mail's reference is no order at third party {mail.shared_with}"
    return ""


def strangers(organisation: Organisation, mail: Classification, recipients: Iterable[Address]) -> int:
    """How many recipients are not of the third party that the mail names; 0 for mail that names none."""
    if not mail.shared_with:
        return 0
    party = organisation.by_third_party.get(mail.shared_with)
    return sum(1 for r in recipients if party is None or not belongs(party, r))


def belongs(party: ThirdParty, address: Address) -> bool:
    """Whether this is one of the third party's addresses, or in one of its domains."""
    return address.canonical_domain in party.domains or address.exact() in set(_exact(party))


def ledger_entry(mail: Classification, message: str) -> dict[str, str | int | bool | None]:
    """What the share ledger keeps of one mail beside whom it is about and when (S-13, S-39)."""
    return {"third_party": mail.shared_with, "message": message, "purpose": PURPOSE}


def _exact(party: ThirdParty) -> Iterable[bytes]:
    for text in party.addresses:
        try:
            yield Address.parse(text).exact()
        except InvalidAddress:
            continue  # check-config says so
