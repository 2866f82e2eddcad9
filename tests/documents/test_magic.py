"""The format is what the content says, whatever the name and the media type claim."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents.magic import Format, of
from tests.documents import making

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.mark.parametrize(
    ("name", "media_type", "content", "expected"),
    [
        ("foto.png", "image/png", making.zipped({"a.txt": "x"}), Format.ZIP),
        ("lijst.csv", "text/csv", making.pdf(["x"]), Format.PDF),
        ("lijst.pdf.exe", "application/pdf", b"MZ\x90\0\x03\0\0\0\x04", Format.UNKNOWN),
        ("setup.exe", "", b"MZ\x90\0\x03\0" + making.zipped({"a.txt": "x"}), Format.ZIP),
        ("foto.jpg", "image/jpeg", PNG + making.zipped({"a.txt": "x"}), Format.ZIP),
        ("foto.png", "image/png", PNG, Format.PICTURE),
        ("x", "application/octet-stream", PNG, Format.PICTURE),
        ("x.heic", "", b"\0\0\0\x18ftypheic\0\0\0\0", Format.PICTURE),
        ("new.img", "image/x-new", b"\x00\x01\x02\x03\x04" * 9, Format.PICTURE),
        ("logo.svg", "image/svg+xml", b"<svg xmlns='x'><text>a</text></svg>", Format.XML),
        (
            "x.gif",
            "",
            b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0!\xf9\4\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;",
            Format.PICTURE,
        ),
        ("lijst.csv", "text/csv", b"ID3;Naam\n1;Jan\n", Format.DELIMITED),
        ("lijst.csv", "", b"GIF8,wOFF\nOggS,fLaC\n", Format.DELIMITED),
        ("lijst.txt", "", b"8BPS Jan\n", Format.PLAIN),
        ("lijst.xls", "application/vnd.ms-excel", b"a;b\nc;d\n", Format.DELIMITED),
        ("lijst.xls", "application/vnd.ms-excel", b"<html><table><tr><td>a</table>", Format.HTML),
        ("lijst", "text/plain", b"\xef\xbb\xbf<?xml version='1.0'?><a/>", Format.XML),
        ("lijst.csv", "", "a;b\r\nc;d\r\n".encode("utf-16"), Format.DELIMITED),
        ("lijst.csv", "", "a;b\r\nc;d\r\n".encode("utf-16-le"), Format.DELIMITED),
        ("x", "application/ms-tnef", b"\x78\x9f\x3e\x22\x01\0\x01\x90\x07\0", Format.UNKNOWN),
        ("smime.p7m", "application/pkcs7-mime", b"0\x82\x10\0\x06\x09*\x86H", Format.ENCRYPTED),
        ("secret.asc", "text/plain", b"-----BEGIN PGP MESSAGE-----\n\nabc", Format.ENCRYPTED),
        ("signature.asc", "application/pgp-signature", b"-----BEGIN PGP SIGNATURE-----", Format.SIGNATURE),
        ("leden.asc", "application/pgp-signature", b"Jan;jan@example.org", Format.PLAIN),
        ("smime.p7s", "application/pkcs7-signature", b"0\x82\6b\6\x09*", Format.SIGNATURE),
        ("x.7z", "", b"7z\xbc\xaf\x27\x1c\0\4", Format.UNKNOWN),
        ("x.rar", "", b"Rar!\x1a\x07\x01\0", Format.UNKNOWN),
        ("empty", "text/plain", b" \r\n\0", Format.EMPTY),
        ("kaart", "text/plain", b"BEGIN:VCARD\nEND:VCARD\n", Format.CARD),
        ("logo.png", "application/octet-stream", b"H\xd2\x0f", Format.PICTURE),
        ("klank", "audio/basic", b"\xf2\xfa{rtosonml\xe6", Format.PICTURE),
        ("leden.png", "image/png", b"Jan;jan@example.org", Format.PLAIN),
        ("certs.p7c", "application/x-pkcs7-mime", b"0\x82\6b\6", Format.SIGNATURE),
        ("song", "", b"ID3\x04\0\0", Format.PICTURE),
        ("x.eml", "application/octet-stream", b"Subject: x\nMIME-Version: 1.0\n\nx", Format.MAIL),
        ("x", "text/plain", b"Zie Message-ID: in de kop\n", Format.PLAIN),
    ],
)
def test_the_content_decides_first(name: str, media_type: str, content: bytes, expected: Format) -> None:
    assert of(name, media_type, content) is expected


@given(st.binary(max_size=3000), st.sampled_from(["a.csv", "a.png", "x", "a.xlsx"]))
@settings(deadline=None, max_examples=200)
def test_every_content_has_a_format(content: bytes, name: str) -> None:
    assert of(name, "application/octet-stream", content) in Format


def test_a_head_of_mail_that_never_ends_is_read_once() -> None:
    assert of("x", "", b"a:\n" * 20_000) is Format.PLAIN
