"""The last look at what leaves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.prepare import LINE_LIMIT, Unsendable, prepare, why_unsendable
from gateway.message.draft import Draft, Slot
from gateway.message.parse import parse
from gateway.message.template import Template, compile
from tests.delivery.rig import MAIL, signer


def template(raw: bytes) -> Template:
    return compile(Draft(parse(raw)), seven_bit=False)


@given(st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"\0", b"x", b"x" * 900, b"x" * 98, b"x"]), max_size=12))
def test_exactly_what_breaks_a_rule_is_found(pieces: list[bytes]) -> None:
    octets = b"".join(pieces)
    rest = octets.replace(b"\r\n", b"")
    bad = any(c in rest for c in b"\r\n\0") or any(len(line) > LINE_LIMIT for line in octets.split(b"\r\n"))
    assert bool(why_unsendable(octets)) == bad


@pytest.mark.parametrize("length", [997, 998])
def test_a_line_may_have_998_octets(length: int) -> None:
    assert why_unsendable(b"x" * length + b"\r\n" + b"y" * length) == ""
    assert why_unsendable(b"ok\r\n" + b"x" * 999 + b"\r\n") != ""


def test_size_counts_signature_and_line_ends_but_no_stuffing() -> None:
    made = prepare("nl/untracked", template(MAIL + b".\r\n..x\r\n"), {}, signer(), now=1, profile="plain")
    assert made.needs.size == len(made.head) + len(made.body)
    assert made.head.startswith(b"DKIM-Signature:")
    assert "Hello" not in repr(made)


def test_eight_bit_body_and_utf8_header_are_told_apart() -> None:
    body = prepare("v", template(MAIL + "\u00e9\r\n".encode()), {}, None, now=1, profile="plain").needs
    top = MAIL.replace(b"Hello", "\u00e9".encode(), 1)
    header = prepare("v", template(top), {}, None, now=1, profile="plain").needs
    assert (body.eight_bit, body.utf8, header.eight_bit, header.utf8) == (True, False, True, True)


def test_what_intake_should_have_refused_does_not_leave() -> None:
    class Odd:
        eight_bit = utf8_headers = False

        def render(self, slots: dict[Slot, bytes]) -> bytes:
            return b"Subject: x\r\n\r\nbare\nline\r\n"

    with pytest.raises(Unsendable, match="bare"):
        prepare("v", Odd(), {}, None, now=1, profile="plain")  # type: ignore[arg-type]
