"""Which spellings are refused because readers disagree, and which real ones are not. What follows: tests/parsers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message.ambiguity import ambiguous_base64, ambiguous_type, transfer_encoding
from gateway.message.headers import parameters


def judged(value: bytes) -> str:
    return ambiguous_type(value, parameters(value))


@pytest.mark.parametrize(
    "value",
    [
        b" text/plain; charset=us-ascii (Plain text)",
        b"\r\n text/html;\r\n\tcharset=utf-8",
        b" html",
        b" text/plain, text/html",
        b' multipart/mixed; boundary="=_?:=(x)\'+_,-./"',
        b' multipart/alternative;\r\n boundary="----=_NextPart_000_0000_01DA.7F"; charset="utf-8"',
        b" multipart/related; boundary = x",
        b" multipart/mixed; boundary*0=b; boundary*1=c",
        b" multipart/mixed",
        b' application/pdf; name="Jaar\\verslag (1).pdf',
        b'multipart/mixed;boundary=\r\n "b"',
    ],
)
def test_what_readers_agree_on_is_not_ambiguous(value: bytes) -> None:
    assert judged(value) == ""


@pytest.mark.parametrize(
    "value",
    [
        b" text/(plain)html",
        b" (text/plain) text/html",
        b' "text/html"',
        b" text/html\xa0",
        b" text/html\x0c",
        b" multipart",
        b" multipart/",
        b" multipart/mixed; boundary=(a) b",
        b' multipart/mixed; boundary="b"c',
        b' multipart/mixed; boundary="b',
        b' multipart/mixed; boundary="\\b"',
        b' multipart/mixed; boundary="b;c"',
        b' multipart/mixed; boundary="b "',
        b' multipart/mixed; boundary=""',
        b' multipart/mixed; boundary="b\r\n c"',
        b' multipart/mixed; boundary="=?utf-8?q?b?="',
        b' multipart/mixed; boundary="\xe9"',
        b" multipart/mixed; boundary=a; boundary=b",
        b" multipart/mixed; (x; boundary=b",
    ],
)
def test_r049_what_shapes_the_tree_in_two_ways_is_ambiguous(value: bytes) -> None:
    assert judged(value)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b" Base64 ", "base64"),
        (b"\r\n quoted-printable", "quoted-printable"),
        (b"", "7bit"),
        (b" 7-bit", "8bit"),
        (b" 8 bits", "8bit"),
        (b" 7bit (as it is)", "7bit"),
        (b" UTF-8", "8bit"),
        (b" none", "8bit"),
        (b" quoted printable", "quoted"),
        (b" x-uuencode", "x-uuencode"),
    ],
)
def test_misspelt_names_of_no_encoding_are_none(value: bytes, name: str) -> None:
    assert transfer_encoding(value) == (name, "")


@pytest.mark.parametrize(
    "value", [b"base64 x", b"base64;", b'"base64"', b"(7bit) base64", b"x-base64", b"quoted-printable (x)"]
)
def test_r049_half_of_the_readers_decode_these(value: bytes) -> None:
    assert transfer_encoding(value)[1]


@pytest.mark.parametrize(
    ("text", "ambiguous"),
    [
        (b"QUJD\r\n", False),
        (b"QUI=\r\n", False),
        (b"QQ==\r\n--\r\n", False),
        (b"QQ==QUJD", True),
        (b"QUI=\r\n\r\n--voet", True),
        (b"=" * 9, False),
    ],
)
def test_r049_base64_that_goes_on_after_its_end_is_ambiguous(text: bytes, ambiguous: bool) -> None:
    assert ambiguous_base64(b"xx" + text, 2, 2 + len(text)) == ambiguous


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=60), st.text(st.sampled_from("multipart/xd; b=\"\\()'*0é\r\n \t"), max_size=60))
def test_any_octets_are_judged(value: bytes, text: str) -> None:
    for octets in (value, text.encode()):
        assert isinstance(judged(octets), str)
        assert isinstance(transfer_encoding(octets)[0], str)
        ambiguous_base64(octets, 0, len(octets))
