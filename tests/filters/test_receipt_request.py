"""Signed attributes, read as what they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.filters.receipt_request import Answer, asks, is_smime
from gateway.message.encodings import decode
from gateway.message.parse import parse

SMIME = Path(__file__).parent / "smime"
OID = bytes.fromhex("060b2a864886f70d0109100201")


def cms(name: str) -> bytes:
    message = parse((SMIME / f"{name}.eml").read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    (part,) = (p for p in message.walk() if is_smime(p))
    return decode(part.encoding, message.raw[slice(*part.body)])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("asks", Answer.YES),
        ("opaque-asks", Answer.YES),
        ("opaque-stream-asks", Answer.YES),
        ("wrapped-asks", Answer.YES),
        ("plain", Answer.NO),
        ("only-octets", Answer.NO),
    ],
)
def test_r055_signatures_made_by_openssl(name: str, expected: Answer) -> None:
    assert asks(cms(name)) is expected


def test_a_damaged_signature_is_unknown_only_where_the_name_is_in_it() -> None:
    whole = cms("asks")
    at = whole.index(OID) + len(OID)
    assert asks(whole[:at]) is Answer.UNKNOWN
    assert asks(whole[: at - len(OID)]) is Answer.NO


def test_what_is_nested_or_large_beyond_reason_is_not_read_to_its_end() -> None:
    assert asks(b"\x30\x80" * 200_000 + OID) is Answer.UNKNOWN
    assert asks(bytes(5 << 20)) is Answer.NO
    assert asks(bytes(5 << 20) + OID) is Answer.UNKNOWN


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200), st.integers(0, 700), st.booleans())
def test_no_octets_raise_anything(noise: bytes, at: int, real: bool) -> None:
    whole = cms("opaque-asks") if real else b""
    assert asks(whole[:at] + noise + whole[at:]) in Answer
