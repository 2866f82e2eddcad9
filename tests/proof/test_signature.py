"""Our signature, held against the message by code that did not make it; dkimpy says the same."""

from __future__ import annotations

import dkim
import pytest

from gateway.proof import signature
from gateway.proof.signature import fault
from gateway.signing.dkim import Signer
from gateway.signing.keys import dns_value, generate
from tests.proof.mail import MAIL

PEM = generate()
SIGNER = Signer("school.example", "s1", PEM)
BODIES = [b"", b"\r\n", b"a  b \t\r\n \r\n\r\n", b"no end", b"x\r\n\r\n\r\n", b" leading\r\n\ttab\t \r\n"]


def signed(raw: bytes) -> bytes:
    return SIGNER.sign(raw, now=1_700_000_000) + raw


def oracle(octets: bytes) -> bool:
    record = dns_value(PEM, "school.example", "s1")[1]
    return bool(dkim.verify(octets, dnsfunc=lambda *_, **__: record.encode()))


@pytest.mark.parametrize("body", BODIES)
def test_what_we_sign_holds_and_the_oracle_agrees(body: bytes) -> None:
    octets = signed(MAIL.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body)
    assert fault(octets, SIGNER.public_key) == ""
    assert oracle(octets)


@pytest.mark.parametrize(
    ("was", "is_now", "says"),
    [
        (b"Dag", b"Dug", "the body hash differs"),
        (b"Subject: Nieuws", b"Subject: Nieuw", "the signature does not verify"),
        (b"\r\nSubject:", b"\r\nTo: piet@example.org\r\nSubject:", "the signature does not verify"),
        (b"DKIM-Signature", b"X-Signature", "the first field is no signature"),
        (b"bh=", b"bx=", "the signature has no bh="),
    ],
)
def test_a_change_is_named(was: bytes, is_now: bytes, says: str) -> None:
    octets = signed(MAIL)
    assert was in octets
    changed = octets.replace(was, is_now, 1)
    assert fault(changed, SIGNER.public_key) == says
    assert not oracle(changed)


@pytest.mark.parametrize("body", [*BODIES, b"a\r\n\r\n b \t c\r\n\r\n\r\n" * 3, b"x " + b" \r\n" * 9, b"\t\r\n" * 9])
@pytest.mark.parametrize("block", [1, 2, 3, 4, 7])
def test_a_body_read_in_blocks_holds_as_well(body: bytes, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    octets = signed(MAIL.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body)
    monkeypatch.setattr(signature, "_BLOCK", block)
    assert fault(octets, SIGNER.public_key) == ""
    assert fault(octets + b"more\r\n", SIGNER.public_key) == "the body hash differs"


def test_white_space_that_relaxed_ignores_changes_nothing() -> None:
    octets = signed(MAIL).replace(b"Subject: Nieuws", b"Subject:   Nieuws ", 1)
    assert fault(octets, SIGNER.public_key) == ""


def test_another_key_does_not_hold() -> None:
    assert fault(signed(MAIL), Signer("school.example", "s1", generate()).public_key) == "the signature does not verify"
