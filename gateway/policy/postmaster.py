"""Mail to the organisation's own postmaster: always taken, never blocked, left as it is.

what:       which recipients are the own postmaster, and what mail is that says nothing else about itself
takes→gives: settings, envelope → the envelope with its postmasters marked
knows not:  the registry: nothing that could be known of the postmaster stops this mail
fails by:   nothing
standard:   RFC 5321 4.5.1; R-022. A stranger's postmaster is a person like any other: their blocks hold (I-2)
"""

from __future__ import annotations

from dataclasses import replace

from gateway.address import Address, InvalidAddress
from gateway.config.organisation import Organisation, StreamRule
from gateway.decision import Basis, Classification, Stream
from gateway.envelope import Envelope, Recipient

MAIL = Classification(Stream.PERSONAL, entry="postmaster", basis=Basis.LEGITIMATE_INTEREST)
"""What mail that fits no `classify:` entry is handled as when the postmaster gets it."""
RULE = StreamRule(basis=(Basis.LEGITIMATE_INTEREST,), private=False, edit=False, receipts="keep")
"""How mail that only the postmaster gets is treated: no filter may stop it."""


def marked(organisation: Organisation, envelope: Envelope) -> Envelope:
    """Own postmasters get their flag; one without a domain becomes the address the settings name."""
    if not any(r.address.is_postmaster for r in envelope.recipients):
        return envelope
    return replace(envelope, recipients=tuple(_marked(organisation, r) for r in envelope.recipients))


def alone(envelope: Envelope) -> bool:
    """Whether nobody but the own postmaster gets this mail."""
    return all(r.postmaster for r in envelope.recipients)


def among(envelope: Envelope) -> bool:
    """Whether the own postmaster is one of the recipients."""
    return any(r.postmaster for r in envelope.recipients)


def _marked(organisation: Organisation, recipient: Recipient) -> Recipient:
    address = recipient.address
    if not address.is_postmaster:
        return recipient
    if not address.domain:
        try:
            return replace(recipient, address=Address.parse(organisation.postmaster), postmaster=True)
        except InvalidAddress:
            return recipient
    return replace(recipient, postmaster=address.canonical_domain in _own(organisation))


def _own(organisation: Organisation) -> frozenset[str]:
    return organisation.own_domains | {organisation.postmaster.rpartition("@")[2].lower()}
