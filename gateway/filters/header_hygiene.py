"""Header fields that must not leave: envelope recipients, forged results, private traces, our own marks.

what:       removes fields by name, and three kinds by value (Authentication-Results, DKIM-Signature, Received)
takes→gives: `Draft` + `Context` → removals, and a note for each trace field that named a person
knows not:  the body, receipt requests, list fields
fails by:   nothing
standard:   RFC 5322 3.6.3, RFC 5321 4.4 and 7.2, RFC 8601 5, RFC 6377 5; R-010, R-024, R-026, R-033, R-034, R-094
"""

from __future__ import annotations

import re
from collections.abc import Callable

from gateway.filters.context import Context, Filter, Outcome
from gateway.filters.shown import seen_anyway
from gateway.filters.tokens import tokens
from gateway.message.draft import Draft
from gateway.message.headers import header_text
from gateway.message.parse import Field, Message

NAME = "header_hygiene"

BLIND = ("Bcc", "Resent-Bcc", "X-Bcc")
ENVELOPE = (
    "Apparently-To",
    "X-Envelope-To",
    "Envelope-To",
    "Delivered-To",
    "X-Original-To",
    "X-Rcpt-To",
    "X-Forwarded-To",
    "X-Failed-Recipients",
    "Disclose-Recipients",
    "Alternate-Recipient",
)
PRIVATE = (
    "X-Originating-IP",
    "X-Originating-Email",
    "X-PHP-Originating-Script",
    "X-PHP-Script",
    "X-Client-IP",
    "X-Source-IP",
    "X-Source",
    "X-Source-Args",
    "X-Source-Dir",
    "X-Authenticated-Sender",
    "X-Authenticated-User",
    "X-Get-Message-Sender-Via",
)
_MARK = b"briefgeheim-"
_BY_NAME = {
    name.lower().encode(): kind
    for kind, names in (("bcc", BLIND), ("envelope-recipient", ENVELOPE), ("private-trace", PRIVATE))
    for name in names
} | {b"return-path": "return-path"}
_COMMENT = re.compile(rb"\((?:[^()\\]|\\.)*+\)")
_DOMAIN_TAG = re.compile(rb"(?:^|;)\s*d\s*=\s*([^;\s]+)")
_ID = re.compile(r"\bid\s+\S+", re.IGNORECASE)


def apply(draft: Draft, context: Context) -> tuple[Outcome, ...]:
    """Plan the removals. Never touches a Received field but one that names a person, on private mail (R-010)."""
    named = 0
    for field in draft.message.root.fields:
        name = field.name.lower()
        kind = "mark" if name.startswith(_MARK) else _BY_NAME.get(name, "")
        if not kind and (judge := _BY_VALUE.get(name)):
            kind = judge(draft.message, field, context)
            named += kind == "received"
        if kind:
            draft.remove_field(field, by=NAME, kind=kind)
    return (Outcome(NAME, "received-names-person", detail=f"{named} fields"),) if named else ()


def _results(message: Message, field: Field, context: Context) -> str:
    """Results that claim to be ours, though they came in with the mail (RFC 8601 5)."""
    value = message.raw_value(field).replace(b"\r\n", b"")
    authority = _COMMENT.sub(b" ", value).partition(b";")[0].split()
    name = authority[0].strip(b'"').decode("latin-1").lower() if authority else ""
    return "authentication-results" if name == context.authserv_id.lower() else ""


def _signature(message: Message, field: Field, context: Context) -> str:
    """A signature by a domain of the organisation: we edit and sign anew, so it would fail (R-094)."""
    found = _DOMAIN_TAG.search(message.raw_value(field).replace(b"\r\n", b""))
    domain = found[1].decode("latin-1").lower().rstrip(".") if found else ""
    own = any(domain == d or domain.endswith(f".{d}") for d in context.organisation.by_domain)
    return "own-signature" if own else ""


def _received(message: Message, field: Field, context: Context) -> str:
    """A trace field with somebody in it, by `for` or in a comment. The `id` word only looks like an address."""
    raw = message.raw_value(field)
    if not context.private or b"@" not in raw:
        return ""
    text = _ID.sub(" ", header_text(raw))
    others = {token.address.exact() for token in tokens(text) if token.sure} - seen_anyway(message, context)
    return "received" if others else ""


_BY_VALUE: dict[bytes, Callable[[Message, Field, Context], str]] = {
    b"authentication-results": _results,
    b"dkim-signature": _signature,
    b"domainkey-signature": _signature,
    b"received": _received,
}

FILTER = Filter(
    NAME,
    "Removes Bcc, envelope recipients, forged results, private traces, own old signatures and our marks.",
    apply,
)
