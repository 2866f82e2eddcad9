"""Requests for receipts leave the mail: nobody reports to the sender that a person read it.

what:       removes fields that ask for read, delivery or processing reports; finds the request inside S/MIME
takes→gives: `Draft` + `Context` → removals; HOLD for a request that stands inside a signature
knows not:  who asked, trackers
fails by:   nothing
standard:   RFC 8098 2, RFC 2156, RFC 4021, RFC 2634 2, MS-OXCMAIL 2.2.3.2.14; R-051..R-056, S-04, S-47
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.decision import Action
from gateway.filters.context import Context, Filter, Outcome
from gateway.filters.receipt_request import Answer, asks, is_smime
from gateway.message.draft import Draft

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
    "X-Read-Receipt-To",
    "X-Return-Receipt-To",
    "X-Disposition-Notification-To",
    "Return-Receipt",
    "X-Acknowledge-To",
    "Notice-Requested-Upon-Delivery-To",
    "X-Delivery-Receipt-To",
    "Delivery-Receipt-To",
    "Acknowledge-To",
)
X400 = ("Generate-Delivery-Report", "Prevent-NonDelivery-Report", "X400-Content-Return", "Content-Return")
ALWAYS = ("Original-Recipient",)
"""Only the delivering MTA sets it (RFC 8098 2.3); it names a recipient, so no setting keeps it."""

_KINDS = (("read-receipt", READ), ("receipt", OTHER), ("delivery-report", X400))
SUPPRESS = "X-Auto-Response-Suppress"
_NOTHING_BACK = ("DR", "RN", "NRN")


def apply(draft: Draft, context: Context) -> tuple[Outcome, ...]:
    """Plan the removals, all occurrences in any case. Attached messages keep theirs: nothing answers to them."""
    _remove(draft, "original-recipient", ALWAYS)
    if context.rule.receipts == "keep":
        return ()
    for kind, names in (*_KINDS, ("receipt", context.organisation.headers.receipts)):
        _remove(draft, kind, names)
    if context.organisation.headers.suppress_automatic_replies:
        _suppress(draft)
    answers = [(part.path, asks(draft.content(part))) for part in draft.message.walk() if is_smime(part)]
    return tuple(_held(answers))


def _held(answers: Iterable[tuple[str, Answer]]) -> Iterator[Outcome]:
    for kind, answer, what in (
        ("signed-receipt-request", Answer.YES, "inside the signature of part"),
        ("unreadable-signature", Answer.UNKNOWN, "a request may stand in the damaged signature of part"),
    ):
        where = [path for path, found in answers if found is answer]
        if where:
            yield Outcome(NAME, kind, Action.HOLD, f"{what} {', '.join(where[:5])}")


def _suppress(draft: Draft) -> None:
    """One field that asks Exchange for no delivery and read reports, with what the client asked beside that (R-056)."""
    asked: dict[str, str] = {}
    for field in draft.message.fields(SUPPRESS):
        for word in draft.message.text_value(field).split(","):
            if (word := word.strip()) and word.isascii() and word.isalpha():
                asked.setdefault(word.lower(), word)
        draft.remove_field(field, by=NAME, kind="suppress")
    if "all" not in asked:
        asked.pop("none", None)
        asked.update((word.lower(), word) for word in _NOTHING_BACK)
    value = ", ".join(asked.values() if "all" not in asked else ("All",))
    draft.append_field(SUPPRESS.encode(), (value.encode("ascii"),), by=NAME, kind="suppress")


def _remove(draft: Draft, kind: str, names: Iterable[str]) -> None:
    for name in names:
        for field in draft.message.fields(name):
            if not draft.removed(field):
                draft.remove_field(field, by=NAME, kind=kind)


FILTER = Filter(NAME, "Removes read, delivery and processing receipt requests; holds those inside a signature.", apply)
