"""Requests for receipts leave the mail: nobody reports to the sender that a person read it.

what:       removes fields that ask for read, delivery or processing reports; finds the request inside S/MIME
takes→gives: `Draft` + `Context` → removals; HOLD for a request that stands inside a signature
knows not:  who asked, trackers
fails by:   nothing
standard:   RFC 8098 2, RFC 2156, RFC 4021, RFC 2634 2; R-051..R-055, S-04, S-47
"""

from __future__ import annotations

from gateway.decision import Action
from gateway.filters.context import Context, Filter, Outcome
from gateway.message.draft import Draft
from gateway.message.parse import Part

NAME = "receipts"

READ = ("Disposition-Notification-To", "Disposition-Notification-Options")
OTHER = (
    "Return-Receipt-To",
    "Return-Receipt-Requested",
    "Read-Receipt-To",
    "Registered-Mail-Reply-Requested-By",
    "X-Confirm-Reading-To",
    "Confirm-Reading-To",
    "X-Confirm-Delivery",
    "X-Confirm-Delivery-To",
    "X-PMRQC",
    "X-Ack",
    "Receipt-Requested",
    "X-Receipt-To",
    "X-TipoRicevuta",
)
X400 = ("Generate-Delivery-Report", "Prevent-NonDelivery-Report", "X400-Content-Return", "Content-Return")
ALWAYS = ("Original-Recipient",)
"""Only the delivering MTA sets it (RFC 8098 2.3); it names a recipient, so no setting keeps it."""

_KINDS = (("read-receipt", READ), ("receipt", OTHER), ("delivery-report", X400))
# DER of 1.2.840.113549.1.9.16.2.1, id-aa-receiptRequest
_RECEIPT_REQUEST = bytes.fromhex("060b2a864886f70d0109100201")
_SMIME = frozenset(f"application/{prefix}pkcs7-{kind}" for prefix in ("", "x-") for kind in ("mime", "signature"))
_SMIME_NAMES = (".p7m", ".p7s")


def apply(draft: Draft, context: Context) -> tuple[Outcome, ...]:
    """Plan the removals, all occurrences in any case."""
    _remove(draft, "original-recipient", ALWAYS)
    if context.rule.receipts == "keep":
        return ()
    for kind, names in _KINDS:
        _remove(draft, kind, names)
    asking = [part.path for part in draft.message.walk() if _asks_inside(draft, part)]
    if not asking:
        return ()
    where = ", ".join(asking[:5])
    return (Outcome(NAME, "signed-receipt-request", Action.HOLD, f"inside the signature of part {where}"),)


def _remove(draft: Draft, kind: str, names: tuple[str, ...]) -> None:
    for name in names:
        for field in draft.message.fields(name):
            draft.remove_field(field, by=NAME, kind=kind)


def _asks_inside(draft: Draft, part: Part) -> bool:
    """R-055: the request is an attribute under the signature, so it can be seen but not taken out."""
    named = part.filename.lower().endswith(_SMIME_NAMES)
    if part.children or not (named or part.content_type in _SMIME):
        return False
    return _RECEIPT_REQUEST in draft.content(part)


FILTER = Filter(NAME, "Removes read, delivery and processing receipt requests; holds those inside a signature.", apply)
