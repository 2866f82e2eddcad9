"""Delivery status notifications: what became of a mail, for the one who handed it in.

what:       one multipart/report as bytes: text in Dutch and English, machine-readable status, the sender's own header
takes→gives: `Report` → message with CRLF line ends
knows not:  who asked for it, how it is sent, the clock (times are given)
fails by:   `ValueError` when built wrongly
standard:   RFC 3461 6, RFC 3464, RFC 6522, RFC 6533, RFC 3834 5
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum

from gateway.address import Address
from gateway.message.encodings import LINE_LIMIT, encode_quoted_printable
from gateway.message.parse import MalformedMessage, parse

# What the sender wrote about the mail itself. Nothing that can name another recipient (To, Cc, Received ... for).
_RETURNED = frozenset(
    {"from", "sender", "reply-to", "date", "subject", "message-id", "in-reply-to", "references", "list-id"}
    | {"mime-version", "content-type", "content-transfer-encoding"}
)
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_DOMAIN = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9.-]{1,60}")
_XTEXT = re.compile(rb"\+([0-9A-F]{2})")
_WIDTH = 76
_LONGEST = 2000  # octets of a remote server's words that are passed on


class Action(StrEnum):
    """RFC 3464 2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one recipient.

    `orcpt` as received ("rfc822;user+40example.org", xtext) or ""; `status` e.g. "5.1.1"; `diagnostic` the SMTP reply
    that decided, or ""; `remote_mta` the server that gave it; `last_attempt` and `retry_until` Unix seconds or 0.
    """

    address: Address
    action: Action
    status: str
    orcpt: str = ""
    diagnostic: str = ""
    remote_mta: str = ""
    last_attempt: int = 0
    retry_until: int = 0

    def __post_init__(self) -> None:
        if not _STATUS.fullmatch(self.status):
            raise ValueError("status: expected class.subject.detail (RFC 3463)")
        if (self.action is Action.FAILED) != self.status.startswith("5"):
            raise ValueError(f"action {self.action} with status {self.status}: they disagree (RFC 3464 2.3.3)")
        if self.remote_mta and not _DOMAIN.fullmatch(self.remote_mta):
            raise ValueError("remote_mta: expected a host name or address literal")


@dataclass(frozen=True, slots=True)
class Report:
    """Input of `build_dsn`. Times are Unix seconds.

    `identifier` makes Message-ID and boundary; `sender` is the From address with an ASCII local part, `to` the original
    return path; `returned` the original header (the message's start up to its blank line), or b"".
    """

    identifier: str
    reporting_mta: str
    sender: Address
    to: Address
    date: int
    arrival: int
    outcomes: tuple[Outcome, ...]
    envid: str = ""
    returned: bytes = b""

    def __post_init__(self) -> None:
        if not self.outcomes:
            raise ValueError("a report is about at least one recipient")
        if not _IDENTIFIER.fullmatch(self.identifier) or not _DOMAIN.fullmatch(self.reporting_mta):
            raise ValueError("identifier and reporting_mta: expected letters, digits, dots and hyphens")


def build_dsn(report: Report) -> bytes:
    """The notification. ASCII unless an address or a returned field is not (then 8bit and RFC 6533 types)."""
    status = _status(report)
    parts = [
        _entity("text/plain; charset=utf-8", "quoted-printable", encode_quoted_printable(_text(report))),
        _entity(f"message/{'' if status.isascii() else 'global-'}delivery-status", _bits(status), status),
    ]
    if header := _returned(report.returned):
        kind = "text/rfc822-headers" if header.isascii() else "message/global-headers"
        parts.append(_entity(kind, _bits(header), header))
    boundary = _boundary(report.identifier, parts)
    body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"
    return _header(report, boundary, _bits(body)) + b"\r\n" + body


def _header(report: Report, boundary: bytes, bits: str) -> bytes:
    lines = [
        f"From: Briefgeheim <{report.sender.reveal()}>",
        f"To: <{report.to.reveal()}>",
        f"Subject: {_SUBJECTS[_gravest(report.outcomes)]}",
        f"Date: {_date(report.date)}",
        f"Message-ID: <{report.identifier}@{report.reporting_mta}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="{boundary.decode()}"',
        *([f"Content-Transfer-Encoding: {bits}"] if bits == "8bit" else []),
    ]
    return "".join(line + "\r\n" for line in lines).encode()


def _entity(content_type: str, encoding: str, content: bytes) -> bytes:
    return f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + content


def _bits(content: bytes) -> str:
    return "7bit" if content.isascii() else "8bit"


def _boundary(identifier: str, parts: Sequence[bytes]) -> bytes:
    boundary = b"=_" + identifier.encode()
    while any(b"--" + boundary in part for part in parts):
        boundary += b"_"
    return boundary


def _date(seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC))


def _status(report: Report) -> bytes:
    """RFC 3464 2: fields per message, then a block per recipient."""
    message = [("Reporting-MTA", f"dns; {report.reporting_mta}"), ("Arrival-Date", _date(report.arrival))]
    if report.envid:
        message.insert(0, ("Original-Envelope-Id", _unxtext(report.envid)))
    blocks = [message, *(list(_recipient(outcome)) for outcome in report.outcomes)]
    return b"\r\n".join(b"".join(_folded(name, value) for name, value in block) for block in blocks)


def _recipient(outcome: Outcome) -> Iterator[tuple[str, str]]:
    if outcome.orcpt:
        kind, _, address = outcome.orcpt.partition(";")
        yield "Original-Recipient", f"{kind}; {_unxtext(address)}"
    kind = "rfc822" if outcome.address.ascii_only else "utf-8"
    yield "Final-Recipient", f"{kind}; {outcome.address.reveal()}"
    yield "Action", outcome.action.value
    yield "Status", outcome.status
    if outcome.remote_mta:
        yield "Remote-MTA", f"dns; {outcome.remote_mta}"
    if outcome.diagnostic:
        yield "Diagnostic-Code", f"smtp; {_clean(outcome.diagnostic, ascii_only=True)}"
    if outcome.last_attempt:
        yield "Last-Attempt-Date", _date(outcome.last_attempt)
    if outcome.retry_until and outcome.action is Action.DELAYED:
        yield "Will-Retry-Until", _date(outcome.retry_until)


def _unxtext(text: str) -> str:
    """RFC 3461 4: +XX is one octet. What cannot stand in a field is shown as "?"."""
    octets = _XTEXT.sub(lambda m: bytes([int(m[1], 16)]), text.encode("utf-8", "replace"))
    return _clean(octets.decode("utf-8", "replace"), ascii_only=False)


def _clean(text: str, *, ascii_only: bool) -> str:
    """One line of printable text: a remote server's words can never start a field or a part."""
    one_line = " ".join(text[:_LONGEST].split())
    return "".join(c if c.isprintable() and (c.isascii() or not ascii_only) else "?" for c in one_line)


def _folded(name: str, value: str) -> bytes:
    """A field folded at white space; a word that is too long for any line is cut."""
    lines = [f"{name}:"]
    for word in value.split(" "):
        if len(lines[-1]) + 1 + len(word) > _WIDTH and not (lines[-1].endswith(":") and len(lines) == 1):
            lines.append("")
        lines[-1] += " " + word[: LINE_LIMIT // 4]
    return "".join(line + "\r\n" for line in lines).encode()


def _returned(header: bytes) -> bytes:
    """The fields that are safe to give back (RFC 6522 4: text/rfc822-headers); b"" when there are none."""
    try:
        message = parse(header)
    except MalformedMessage:
        return b""
    kept = [f for f in message.root.fields if f.name.decode("ascii").lower() in _RETURNED]
    return b"".join(header[f.start : f.end].removesuffix(b"\r\n") + b"\r\n" for f in kept)


_GRAVITY = (Action.FAILED, Action.DELAYED, Action.EXPANDED, Action.RELAYED, Action.DELIVERED)
_SUBJECTS = {
    Action.FAILED: "Niet bezorgd / Not delivered",
    Action.DELAYED: "Vertraagd / Delayed",
    Action.DELIVERED: "Bezorgd / Delivered",
    Action.RELAYED: "Doorgegeven / Relayed",
    Action.EXPANDED: "Verspreid / Expanded",
}
_DUTCH = {
    Action.FAILED: "Deze mail is niet bezorgd. Er wordt niet meer geprobeerd.",
    Action.DELAYED: "Deze mail is nog niet bezorgd. Er wordt later opnieuw geprobeerd; u hoeft niets te doen.",
    Action.DELIVERED: "Deze mail is bezorgd bij de mailserver van de ontvanger.",
    Action.RELAYED: "Deze mail is doorgegeven aan een mailserver die geen bezorgberichten kent.",
    Action.EXPANDED: "Deze mail is doorgegeven aan meer ontvangers.",
}
_ENGLISH = {
    Action.FAILED: "This mail was not delivered. No further attempt will be made.",
    Action.DELAYED: "This mail has not been delivered yet. It will be tried again; you need not do anything.",
    Action.DELIVERED: "This mail was delivered to the recipient's mail server.",
    Action.RELAYED: "This mail was relayed to a mail server that does not report deliveries.",
    Action.EXPANDED: "This mail was passed on to more recipients.",
}


def _gravest(outcomes: Sequence[Outcome]) -> Action:
    return min((o.action for o in outcomes), key=_GRAVITY.index)


def _text(report: Report) -> bytes:
    """For people: Dutch, then English, each with every recipient and the reason given."""
    name = report.reporting_mta
    blocks = [
        f"Dit is een automatisch bericht van de mailgateway {name}.",
        *_told(report.outcomes, _DUTCH, ("Reden", "Antwoord van {}")),
        "-- English --",
        f"This is an automatic message from the mail gateway {name}.",
        *_told(report.outcomes, _ENGLISH, ("Reason", "Answer of {}")),
    ]
    return "\r\n\r\n".join(blocks).encode() + b"\r\n"


def _told(outcomes: Sequence[Outcome], words: dict[Action, str], labels: tuple[str, str]) -> Iterator[str]:
    for action in _GRAVITY:
        concerned = [o for o in outcomes if o.action is action]
        if concerned:
            yield words[action]
            yield "\r\n".join(_person(o, labels) for o in concerned)


def _person(outcome: Outcome, labels: tuple[str, str]) -> str:
    line = f"  {outcome.address.reveal()} ({outcome.status})"
    if not outcome.diagnostic:
        return line
    label = labels[1].format(outcome.remote_mta) if outcome.remote_mta else labels[0]
    return f"{line}\r\n    {label}: {_clean(outcome.diagnostic, ascii_only=True)}"
