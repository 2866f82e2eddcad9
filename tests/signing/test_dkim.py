"""Signatures, verified by an implementation that did not make them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.signing.dkim import REWRITTEN, SIGNED, Signer
from gateway.signing.keys import dns_record, generate

PEM = generate()
SIGNER = Signer("example.org", "bg1", PEM)
NOW = 1_700_000_000

MESSAGE = (
    b"Received: from a by b; now\r\n"
    b"From: Anna <anna@example.org>\r\n"
    b"To: Bob <bob@example.net>\r\n"
    b"Subject: =?utf-8?q?caf=C3=A9?=\r\n\tand  more\r\n"
    b"Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
    b"Message-ID: <1@example.org>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n"
    b"List-Unsubscribe: <https://stop.example.org/x/y>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"\r\n"
    b"Hello  Bob, \r\n\r\n caf\xc3\xa9\t\r\n\r\n\r\n"
)


def txt(pem: bytes = PEM) -> Callable[..., bytes]:
    """What DNS would answer: the strings of the record we tell people to publish, joined."""
    _, data = dns_record(pem, "example.org", "bg1")
    return lambda *_, **__: "".join(re.findall(r'"([^"]*)"', data)).encode()


def valid(message: bytes, pem: bytes = PEM) -> bool:
    return bool(dkim.verify(message, dnsfunc=txt(pem)))


def tags(field: bytes) -> dict[str, str]:
    text = re.sub(r"\s+", "", field.decode().partition(":")[2])
    return dict(part.split("=", 1) for part in text.split(";"))


def signed(message: bytes = MESSAGE, profile: str = "plain") -> bytes:
    return SIGNER.sign(message, now=NOW, profile=profile) + message


def test_the_oracle_accepts_it() -> None:
    assert valid(signed())


def test_another_key_does_not_verify() -> None:
    assert not valid(signed(), generate())


@pytest.mark.parametrize("name", SIGNED)
def test_adding_one_more_of_a_signed_field_breaks_the_signature(name: str) -> None:
    extra = name.encode() + b": added@example.com\r\n"
    assert not valid(extra + signed())
    assert not valid(signed().replace(b"\r\n\r\n", b"\r\n" + extra + b"\r\n", 1))


@pytest.mark.parametrize("name", [name for name in SIGNED if name.encode() in MESSAGE.lower()])
def test_changing_or_removing_a_signed_field_breaks_the_signature(name: str) -> None:
    field = re.compile(rb"(?im)^" + name.encode() + rb":.*\r\n(?:[ \t].*\r\n)*")
    head, _, rest = signed().partition(b"Received:")
    changed = field.sub(lambda found: found[0].rstrip() + b"x\r\n", rest, count=1)
    removed = field.sub(b"", rest, count=1)
    assert changed != rest
    assert not valid(head + b"Received:" + changed)
    assert not valid(head + b"Received:" + removed)


def test_changing_the_body_breaks_the_signature() -> None:
    assert not valid(signed().replace(b"Hello", b"Hallo"))
    assert not valid(signed() + b"more\r\n")


def test_what_others_add_on_the_way_does_not_break_it() -> None:
    trace = b"Return-Path: <a@example.org>\r\nReceived: from x by y; z\r\nAuthentication-Results: y; dkim=pass\r\n"
    assert valid(trace + signed())


def test_refolding_and_spaces_on_the_way_do_not_break_it() -> None:
    assert valid(signed().replace(b"\r\n\tand  more", b"  and\r\n more").replace(b"Bob, \r\n", b"Bob,\r\n"))


def test_a_message_without_body_and_one_without_header_can_be_signed() -> None:
    assert valid(signed(b"From: a@example.org\r\n\r\n"))
    assert tags(SIGNER.sign(b"\r\n", now=NOW))["bh"] == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_the_tags_are_those_we_promise() -> None:
    found = tags(SIGNER.sign(MESSAGE, now=NOW))
    assert {key: found[key] for key in ("v", "a", "c", "d", "s", "t")} == {
        "v": "1",
        "a": "rsa-sha256",
        "c": "relaxed/relaxed",
        "d": "example.org",
        "s": "bg1",
        "t": str(NOW),
    }
    assert set(found) == {"v", "a", "c", "d", "s", "t", "h", "bh", "b"}, "no l=, no x="


def test_each_signed_field_is_named_once_more_than_it_is_present() -> None:
    message = b"To: more@example.net\r\n" + MESSAGE
    named = tags(SIGNER.sign(message, now=NOW))["h"].split(":")
    present = [line.split(b":")[0].decode().lower() for line in message.split(b"\r\n\r\n")[0].split(b"\r\n")]
    assert {name: named.count(name) for name in SIGNED} == {name: present.count(name) + 1 for name in SIGNED}
    assert set(named) == set(SIGNED)


def test_several_fields_of_one_name_are_taken_from_the_bottom_up() -> None:
    assert valid(signed(b"To: one@example.net\r\nTo: two@example.net\r\n" + MESSAGE))


@pytest.mark.parametrize("profile", sorted(REWRITTEN))
def test_a_provider_may_rewrite_the_fields_of_its_profile_and_no_others(profile: str) -> None:
    message = signed(profile=profile)
    assert valid(message)
    rewritten = message.replace(b"<1@example.org>", b"<2@provider.example>").replace(b"22:13:20", b"22:13:21")
    assert valid(rewritten) is (profile == "ses")
    assert not valid(message.replace(b"Bob <bob@", b"Eve <eve@"))


def test_covers_says_what_the_signature_holds() -> None:
    assert SIGNER.covers("List-Unsubscribe-Post", "plain")
    assert SIGNER.covers("Message-ID", "plain")
    assert not SIGNER.covers("Message-ID", "ses")
    assert not SIGNER.covers("Received", "plain")
    for profile in REWRITTEN:
        names = set(tags(SIGNER.sign(MESSAGE, now=NOW, profile=profile))["h"].split(":"))
        assert names == {name for name in SIGNED if SIGNER.covers(name, profile)}


def test_an_unknown_profile_is_an_error() -> None:
    with pytest.raises(ValueError, match="profile"):
        SIGNER.sign(MESSAGE, now=NOW, profile="other")


def test_the_field_is_folded_ascii_and_ends_its_line() -> None:
    long = Signer("a" * 60 + ".example.org", "s" * 60, PEM)
    for signer in (SIGNER, long):
        lines = signer.sign(MESSAGE, now=NOW).split(b"\r\n")
        assert lines[-1] == b""
        assert lines[0].startswith(b"DKIM-Signature: ")
        assert all(line.startswith(b"\t") for line in lines[1:-1])
        assert max(map(len, lines)) <= 998
    assert max(map(len, SIGNER.sign(MESSAGE, now=NOW).split(b"\r\n"))) <= 78


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_key_of_1024_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="1024 bits; expected 2048"):
        Signer("example.org", "bg1", _pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)))


def test_other_keys_and_things_that_are_no_key_are_refused_without_showing_them() -> None:
    key = load_pem_private_key(PEM, password=None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    for pem in (b"SECRET", locked, _pem(ec.generate_private_key(ec.SECP256R1()))):
        with pytest.raises(ValueError, match=r"bg1\._domainkey\.example\.org") as caught:
            Signer("example.org", "bg1", pem)
        assert "SECRET" not in str(caught.value)


def test_a_key_damaged_anywhere_is_refused() -> None:
    key = load_pem_private_key(PEM, password=None)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for at in range(30, len(der), 17):
        damaged = bytearray(der)
        damaged[at] ^= 1
        pem = base64.encodebytes(damaged)
        with pytest.raises(ValueError, match=r"damaged|not an unencrypted"):
            Signer("example.org", "bg1", b"-----BEGIN PRIVATE KEY-----\n" + pem + b"-----END PRIVATE KEY-----\n")


@pytest.mark.parametrize("right", ["p", "q"])
def test_a_key_whose_exponent_fits_one_of_its_primes_only_is_refused(right: str) -> None:
    key = load_pem_private_key(PEM, password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    n = key.private_numbers()
    d = n.d + (getattr(n, right) - 1) * 2
    numbers = rsa.RSAPrivateNumbers(n.p, n.q, d, n.dmp1, n.dmq1, n.iqmp, n.public_numbers)
    with pytest.raises(ValueError, match="damaged"):
        Signer("example.org", "bg1", _pem(numbers.private_key(unsafe_skip_rsa_key_validation=True)))


def test_printing_a_signer_shows_no_key() -> None:
    assert repr(SIGNER) == "Signer(bg1._domainkey.example.org)"


BODIES = st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"=20", b"\xe2\x82\xac"]), max_size=30).map(b"".join)
VALUES = st.lists(st.sampled_from([b" ", b"\t", b"\r\n ", b"x", b";", b"=?utf-8?q?=20?="]), max_size=12).map(b"".join)


@settings(deadline=None, max_examples=60)
@given(BODIES, VALUES, VALUES)
def test_whatever_is_signed_verifies(body: bytes, subject: bytes, to: bytes) -> None:
    message = b"From: a@example.org\r\nSubject:s" + subject + b"\r\nTo:t" + to + b"\r\n\r\n" + body + b"\r\n"
    assert valid(signed(message))


def test_r056_a_wish_for_silence_is_signed_where_it_stands_and_may_be_added_elsewhere() -> None:
    belt = b"X-Auto-Response-Suppress: DR, RN, NRN\r\n"
    assert not valid(signed(belt + MESSAGE).replace(b"DR, RN", b"None"))
    assert valid(signed(belt + MESSAGE))
    assert valid(belt + signed())
