"""Final bytes of one copy: render, check, sign.

what:       the last look at what leaves
takes→gives: `Template`, slot values, signer → `Content`
knows not:  people, connections, MIME, why the text is what it is
fails by:   `Unsendable` for bytes that must not leave
standard:   RFC 5321 2.3.8, 4.5.3.1.6; RFC 1870; I-3, I-8; R-005, R-007, R-106
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway import base64_lines
from gateway.delivery.parameters import Needs
from gateway.message.template import Slot, Template
from gateway.signing.dkim import Signer

LINE_LIMIT = 998  # octets without CRLF (RFC 5322 2.1.1)


class Unsendable(Exception):
    """The bytes break a rule that intake should have kept: a fault of ours. The text names the rule only."""


@dataclass(frozen=True, slots=True)
class Content:
    """`head` is the signature field or empty; both together leave. `variant` names the template they came from."""

    variant: str
    head: bytes = field(repr=False)
    body: bytes = field(repr=False)
    needs: Needs


def prepare(
    variant: str, template: Template, slots: Mapping[Slot, bytes], signer: Signer | None, *, now: int, profile: str
) -> Content:
    """Render, check and sign one copy. `now` is Unix seconds; `profile` the provider's signing profile."""
    body = template.render(slots)
    if fault := why_unsendable(body):
        raise Unsendable(fault)
    head = signer.sign(body, now=now, profile=profile) if signer is not None else b""
    if fault := why_unsendable(head):
        raise Unsendable(f"signature: {fault}")
    return Content(variant, head, body, _needs(template, head, body))


def why_unsendable(octets: bytes) -> str:
    """Empty, or which rule the octets break (I-8, RFC 5322 2.1.1). Linear; by stretches of whole lines."""
    for piece in base64_lines.stretches(octets):
        if not base64_lines.lines(piece) and (fault := _broken_rule(piece)):
            return fault
    return ""


def _broken_rule(octets: bytes) -> str:
    ends = octets.count(b"\r\n")
    if octets.count(b"\r") != ends or octets.count(b"\n") != ends:
        return "bare CR or LF"
    if b"\0" in octets:
        return "NUL"
    return "line over 998 octets" if _long_line(octets) else ""


def _long_line(octets: bytes) -> bool:
    start, total = 0, len(octets)
    while total - start > LINE_LIMIT:
        # The last line end within reach: everything before it is short enough, whatever its lines are.
        end = octets.rfind(b"\r\n", start, start + LINE_LIMIT + 2)
        if end < 0:
            return True
        start = end + 2
    return False


def _needs(template: Template, head: bytes, body: bytes) -> Needs:
    plain = body.isascii()
    top = b"" if plain else body[: body.find(b"\r\n\r\n")]
    return Needs(
        size=len(head) + len(body) + (0 if body.endswith(b"\r\n") else 2),
        eight_bit=not plain,
        utf8=template.utf8_headers or not top.isascii(),
    )
