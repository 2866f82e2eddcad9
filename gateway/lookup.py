"""What one decision needs from the registry, read in as few questions as the mail has reasons to ask.

what:       facts of recipients and of shown addresses in one batched read; publications and the person a mail is about
            only for mail that names them; what other copies of the campaign say
takes→gives: `Tenant`, `Envelope`, `Read`, time → `Found`
knows not:  how the registry stores, what is decided
fails by:   `RegistryUnavailable`, but never for mail that only the own postmaster gets (R-022)
standard:   DESIGN §1 step 3; S-09, S-13; L-31
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.address import Address
from gateway.campaign import Copy
from gateway.compared import NEVER, Compared
from gateway.envelope import Envelope
from gateway.facts import NOBODY, Facts
from gateway.policy import postmaster
from gateway.policy.circumstances import Circumstances, asks_about, observed, publication_ids
from gateway.policy.sharing import strangers
from gateway.pseudonym import Person
from gateway.tenant import Tenant

if TYPE_CHECKING:
    from gateway.plan import Read


@dataclass(frozen=True, slots=True)
class Found:
    """`people` covers recipients and shown addresses. `about` is whom a shared mail is about, when that is known.
    `campaign` is what other copies of this mail say about the addresses in it."""

    people: Mapping[Address, tuple[Person, Facts]]
    around: Circumstances
    about: Person | None = None
    campaign: Compared = NEVER

    def known_others(self) -> set[Address]:
        """Addresses of people in the registry, but not of whom the mail is about: that one stands in it for the third
        party to read (S-13)."""
        about = self.about.exact if self.about is not None else None
        return {a for a, (person, facts) in self.people.items() if facts.known and person.exact != about}


def to_look_up(envelope: Envelope, reading: Read) -> list[Address]:
    """Every address whose facts a plan needs: recipients first, then those the mail shows and those in its files."""
    inside = reading.inspection.addresses if reading.private else ()
    return list(dict.fromkeys([*(r.address for r in envelope.recipients), *reading.shown, *inside]))


async def look_up(tenant: Tenant, envelope: Envelope, reading: Read, now: float) -> Found:
    """Ask the registry. `now` is Unix seconds, for what is observed until a day."""
    addresses = to_look_up(envelope, reading)
    people = tenant.pseudonyms.people(addresses)
    facts = [NOBODY] * len(people) if postmaster.alone(envelope) else await tenant.registry.facts(people)
    about, around = await _around(tenant, envelope, reading, now)
    campaign = await _compared(tenant, envelope, reading, now)  # last: it may go on without an answer
    return Found(dict(zip(addresses, zip(people, facts, strict=True), strict=True)), around, about, campaign)


async def _compared(tenant: Tenant, envelope: Envelope, reading: Read, now: float) -> Compared:
    if tenant.campaigns is None or not reading.seen.places:
        return NEVER
    mail, message = reading.classification, reading.message
    lists = [message.text_value(field).lower() for field in message.fields("list-id")]
    kind = (mail.stream.value, str(mail.list), str(mail.topic))
    sender = (envelope.client, reading.from_address.exact().hex(), *kind, *lists)
    copy = Copy(sender, mail.campaign, reading.seen, [r.address for r in envelope.recipients])
    return await tenant.campaigns.compare(copy, tenant.organisation.campaigns, now)


async def _around(tenant: Tenant, envelope: Envelope, reading: Read, now: float) -> tuple[Person | None, Circumstances]:
    mail, registry = reading.classification, tenant.registry
    named, contact = publication_ids(mail), asks_about(mail)
    published = await registry.published(named) if named else frozenset()
    exact = await registry.contact(envelope.client, contact) if contact else None
    about = Person(exact, exact) if exact is not None else None
    around = Circumstances(
        opt_out_works=tenant.opt_out_works(),
        observed=observed(tenant.organisation, envelope.client, mail, now, before=False),
        published=published,
        about=(await registry.facts([about]))[0] if about is not None else None,
        strangers=strangers(tenant.organisation, mail, (r.address for r in envelope.recipients)),
    )
    return about, around
