"""Asks the leak check about one edited message, with all that is known of the people in it.

what:       who gets it, who is known, who may be seen anyway, and whether it goes to third parties under contract alone
takes→gives: `Tenant`, `Envelope`, `Read`, edited `Draft` → outcomes of the leak check
knows not:  how an address is found, what follows from a leak
fails by:   nothing
standard:   DESIGN I-1; S-10, S-53
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.address import Address
from gateway.envelope import Envelope
from gateway.filters import leak_check
from gateway.filters.context import Outcome
from gateway.filters.private_recipients import VISIBLE
from gateway.filters.shown import contacts, named, senders
from gateway.message.draft import Draft
from gateway.policy.sharing import belongs
from gateway.tenant import Tenant

if TYPE_CHECKING:
    from gateway.plan import Read


def leaks(
    tenant: Tenant, envelope: Envelope, reading: Read, draft: Draft, known: set[Address], *, new_id: bytes
) -> tuple[Outcome, ...]:
    """What a private mail would show after its edits. `new_id` is a msg-id for a Message-ID that names somebody."""
    may_be_seen = allowed(tenant, reading)
    inside = reading.inspection.addresses
    recipients, people = {r.address.exact() for r in envelope.recipients}, {a.exact() for a in known}
    came = (reading.shown, inside)
    if len(recipients) > 1:
        again = any(a.exact() not in may_be_seen for found in came for a in found)
    else:  # no fellows, and no edit brings out anybody whom the registry was asked about and who was not there
        again = any(leak_check.shows(found, recipients=recipients, known=people, allowed=may_be_seen) for found in came)
    if not again:
        return ()
    return leak_check.settle(
        draft,
        more=inside,
        recipients=recipients,
        known=people,
        allowed=may_be_seen,
        client=reading.client,
        new_id=new_id,
        to_party=_to_party(tenant, envelope),
        hidden=named(reading.message, VISIBLE),
    )


def allowed(tenant: Tenant, reading: Read) -> frozenset[bytes]:
    """Exact canonical forms of those who are no leak anywhere: who sends, and the organisation's contacts."""
    return senders(reading.message) | contacts(tenant.organisation)


def _to_party(tenant: Tenant, envelope: Envelope) -> bool:
    """Whether all recipients outside are third parties under contract (S-53)."""
    own, parties = tenant.organisation.own_domains, tenant.organisation.third_parties
    outside = [r.address for r in envelope.recipients if r.address.canonical_domain not in own]
    return bool(outside) and all(any(belongs(party, address) for party in parties) for address in outside)
