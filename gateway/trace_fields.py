"""When and as what a message arrived, and the fields that say so.

what:       `Arrival`; one Received field, and Date and Message-ID where they are missing or empty
takes→gives: `Draft`, envelope, arrival → header edits
knows not:  people, decisions
fails by:   nothing
standard:   RFC 5321 4.4, RFC 5322 3.6, RFC 3848, RFC 6531 4.3; R-010, R-011, R-032
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from gateway.address import Address
from gateway.envelope import Envelope
from gateway.message.draft import Draft


@dataclass(frozen=True, slots=True)
class Arrival:
    """When and as what a message arrived: id for people, 32-bit reference for tokens, Unix seconds."""

    id: str
    reference: int
    at: float


def own_id(arrival: Arrival, author: Address) -> bytes:
    """A Message-ID of our own, without angle brackets."""
    return f"{arrival.id}@{author.canonical_domain}".encode()


def add_trace(draft: Draft, name: str, envelope: Envelope, arrival: Arrival, author: Address) -> None:
    """One Received field without `for` (R-010, R-011), and Date and Message-ID where missing (R-032)."""
    when = format_datetime(datetime.fromtimestamp(arrival.at, UTC))
    peer = envelope.peer
    literal = f"IPv6:{peer.address}" if ":" in peer.address else peer.address
    helo = "".join(c for c in peer.helo if c.isascii() and c.isprintable() and c not in " ()<>;") or "unknown"
    value = f"from {helo} ([{literal}])\r\n\tby {name} with {_protocol(envelope)} id {arrival.id};\r\n\t{when}"
    draft.prepend_field(b"Received", (value.encode("ascii"),), by="trace", kind="received")
    _complete(draft, b"Date", when.encode(), kind="date")
    _complete(draft, b"Message-ID", b"<" + own_id(arrival, author) + b">", kind="message-id")


def _complete(draft: Draft, name: bytes, value: bytes, *, kind: str) -> None:
    """Add a field that is missing, or that says nothing; any other is kept."""
    present = draft.message.fields(name.decode())
    for item in present:
        if not draft.message.raw_value(item).strip():
            draft.replace_value(item, (value,), by="trace", kind=kind)
    if not present:
        draft.append_field(name, (value,), by="trace", kind=kind)


def _protocol(envelope: Envelope) -> str:
    """RFC 3848, RFC 6531 4.3."""
    peer = envelope.peer
    base = "UTF8SMTP" if envelope.smtputf8 else ("ESMTP" if peer.esmtp else "SMTP")
    if base == "SMTP":
        return base
    return base + ("S" if peer.tls else "") + ("A" if peer.authenticated else "")
