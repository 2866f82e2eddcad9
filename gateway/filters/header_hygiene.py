"""Header fields that must not leave: envelope recipients, forged results, private traces, our own marks.

what:       removes fields by name, and three kinds by value (Authentication-Results, DKIM-Signature, Received)
takes→gives: `Draft` + `Context` → removals, a note for trace fields that named a person, REFUSE for an address that
            leads nowhere
knows not:  the body, receipt requests, list fields
fails by:   nothing; REFUSE is an `Outcome`
standard:   RFC 5322 3.6.3 and 4.5.8, RFC 5321 4.4 and 7.2, RFC 6409 4.2, RFC 8601 5, RFC 6377 5; R-010, R-024, R-026,
            R-033..R-035, R-094
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from gateway.decision import Action
from gateway.filters.context import Context, Filter, Outcome
from gateway.filters.shown import seen_anyway
from gateway.filters.tokens import tokens
from gateway.message.addresses import addresses
from gateway.message.draft import Draft
from gateway.message.headers import header_text
from gateway.message.parse import Field, Message
from gateway.reply import UNQUALIFIED

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
    "X-Originating-Host",
    "X-Originating-Client",
    "X-Origin-IP",
    "X-Orig-IP",
    "X-PHP-Originating-Script",
    "X-PHP-Script",
    "X-PHP-Filename",
    "X-Client-IP",
    "X-Client-Host",
    "X-ClientAddr",
    "X-Client-Addr",
    "X-ClientProxiedBy",
    "X-Remote-IP",
    "X-Remote-Addr",
    "X-Real-IP",
    "X-Forwarded-For",
    "X-User-IP",
    "X-Sender-IP",
    "X-Sender-Host",
    "X-Sending-Host",
    "X-HTTP-User-Agent",
    "X-HTTP-Via",
    "X-HTTP-X-Forwarded-For",
    "X-Source-IP",
    "X-Source",
    "X-Source-Args",
    "X-Source-Auth",
    "X-Source-Cap",
    "X-Source-Dir",
    "X-Source-L",
    "X-Source-Sender",
    "X-Exim-ID",
    "X-Local-Domain",
    "X-Email-Count",
    "X-Org",
    "X-Authenticated-Sender",
    "X-Authenticated-User",
    "X-Authenticated-IP",
    "X-Authenticated-As",
    "X-Authenticated-Info",
    "X-Authentication-Warning",
    "X-AuthUser",
    "X-Auth-User",
    "X-SASL-Username",
    "X-WebMail-UserID",
    "X-Webmail-User",
    "X-Mailer-Host",
    "X-Mail-Host",
    "X-Host",
    "X-Server",
    "X-Get-Message-Sender-Via",
    "X-AntiAbuse",
    "X-OriginalArrivalTime",
    "X-MDRemoteIP",
    "X-MDHelo",
    "X-MDArrival-Date",
    "X-HELO",
    "X-Apparently-From",
    "NNTP-Posting-Host",
)
# What Exchange and its cloud write about the inside: servers, tenant, mailbox, address of the writer's machine.
PRIVATE_BEGINNINGS = (
    b"x-ms-exchange-organization-",
    b"x-ms-exchange-crosstenant-",
    b"x-ms-exchange-crosspremises-",
    b"x-ms-exchange-transport-",
    b"x-ms-exchange-antispam-",
    b"x-ms-publictraffictype",
    b"x-ms-office365-",
    b"x-ms-traffictype",
    b"x-forefront-",
    b"x-microsoft-antispam",
    b"x-proofpoint-",
    b"x-mailscanner-from",
)
# The same as ENVELOPE, in the names that forwarders and mail systems of their own kind give it: X-Zone-Forwarded-To.
_ENVELOPE_LIKE = re.compile(rb"x-(?:[a-z0-9]+-)+(?:forwarded|original|envelope|delivered|rcpt)-(?:to|for|recipients?)")
_MARK = b"briefgeheim-"
_BY_NAME = {
    name.lower().encode(): kind
    for kind, names in (("bcc", BLIND), ("envelope-recipient", ENVELOPE), ("private-trace", PRIVATE))
    for name in names
} | {b"return-path": "return-path"}
_ADDRESSES = ("From", "Sender", "Reply-To", "Resent-From", "Resent-Sender", "Resent-Reply-To")
_RECIPIENTS = ("To", "Cc", "Resent-To", "Resent-Cc")
_COMMENT = re.compile(rb"\((?:[^()\\]|\\.)*+\)")
_DOMAIN_TAG = re.compile(rb"(?:^|;)\s*d\s*=\s*([^;\s]+)")
_ID = re.compile(r"\bid\s+\S+", re.IGNORECASE)


def apply(draft: Draft, context: Context) -> tuple[Outcome, ...]:
    """Plan the removals. Never touches a Received field but one that names a person, on private mail (R-010)."""
    draft.remove_lead(by=NAME, kind="mailbox-line")
    named = 0
    for field in draft.message.root.fields:
        if kind := _kind(draft.message, field, context):
            draft.remove_field(field, by=NAME, kind=kind)
            named += kind == "received"
    if context.rule.edit or context.private:  # mail that no rule edits keeps its bytes (I-5)
        _join_names(draft)
    note = (Outcome(NAME, "received-names-person", detail=f"{named} fields"),) if named else ()
    return (*note, *_unqualified(draft.message, context))


def _kind(message: Message, field: Field, context: Context) -> str:
    """Why this field goes, or ""."""
    name, settings = field.name.lower(), context.organisation.headers
    if name.startswith(_MARK):
        return "mark"
    kind = _BY_NAME.get(name, "")
    if not kind and name.startswith(PRIVATE_BEGINNINGS):
        kind = "private-trace"
    if not kind and _ENVELOPE_LIKE.fullmatch(name):
        kind = "envelope-recipient"
    if kind == "private-trace" and _among(name, settings.keep):
        return ""
    if not kind and _among(name, settings.private):
        return "private-trace"
    judge = _BY_VALUE.get(name)
    return kind or (judge(message, field, context) if judge else "")


def _among(name: bytes, names: tuple[str, ...]) -> bool:
    return any(other.lower().encode() == name for other in names)


def _join_names(draft: Draft) -> None:
    """Some readers take "Subject : x" for no field at all, and the mail for one with another body (RFC 5322 4.5.8)."""
    waiting = [draft.message.root]
    while waiting:
        part = waiting.pop()
        for field in part.fields:
            if field.value - 1 > field.start + len(field.name):
                draft.join_name(field, by=NAME, kind="spaced-name")
        if not part.sealed and not part.content_type.startswith("message/"):  # those keep their bytes
            waiting.extend(part.children)


def _unqualified(message: Message, context: Context) -> Iterator[Outcome]:
    """Who edits a mail answers for its addresses: each domain has a dot, or is a literal (RFC 6409 4.2)."""
    if not (context.rule.edit or context.private):
        return
    for name in _ADDRESSES if context.private else (*_ADDRESSES, *_RECIPIENTS):
        for field in message.fields(name):
            if any(_unqualified_domain(box.text) for box in addresses(message.raw_value(field))):
                why = f"a domain in {name} is not fully qualified (RFC 6409 4.2)"
                yield Outcome(NAME, "unqualified-domain", Action.REFUSE, why, UNQUALIFIED.because(why))
                return


def _unqualified_domain(address: str) -> bool:
    _, sign, domain = address.strip().rpartition("@")
    return bool(sign) and "." not in domain.strip().strip(".") and not domain.strip().startswith("[")


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
