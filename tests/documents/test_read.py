"""Which items there is anything to look into, and that nothing but `Unreadable` ever comes out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents.protocol import ENCRYPTED, UNKNOWN
from gateway.documents.read import readable
from gateway.inspection import Item
from tests.documents import making
from tests.documents.reading import read


@pytest.mark.parametrize(
    ("name", "media_type", "content", "expected"),
    [
        ("foto.png", "image/png", b"\x89PNG\r\n\x1a\n\0", False),
        ("logo.bin", "application/octet-stream", b"\xff\xd8\xff\xe0\0\x10JFIF", False),
        ("leeg.txt", "text/plain", b"\r\n", False),
        ("signature.asc", "application/pgp-signature", b"-----BEGIN PGP SIGNATURE-----", False),
        ("foto.png", "image/png", making.zipped({"a": "x"}), True),
        ("lijst.csv", "text/csv", b"a;b", True),
        ("geheim.7z", "application/x-7z-compressed", b"7z\xbc\xaf\x27\x1c", True),
    ],
)
def test_only_what_can_hold_text_is_looked_into(name: str, media_type: str, content: bytes, expected: bool) -> None:
    assert readable(Item("1.2", name, media_type, content)) is expected


def test_what_nobody_can_open_says_why() -> None:
    assert read(b"\1\2\3\4", "x.dat").why == UNKNOWN
    assert read(b"7z\xbc\xaf\x27\x1c\0\4", "x.7z").why == "a 7-Zip archive"
    assert read(b"-----BEGIN PGP MESSAGE-----\n\nhQEM", "x.asc").why == ENCRYPTED
    assert read(b"0\x82\x10\0\x06\x09*\x86H", "smime.p7m", "application/pkcs7-mime").why == ENCRYPTED
    assert read(b"\x78\x9f\x3e\x22\x01\x00", "winmail.dat", "application/ms-tnef").why == "an Outlook winmail.dat"


def test_asking_whether_loads_no_native_reader() -> None:
    code = (
        "import sys, gateway.documents.read as r, gateway.inspection as i;"
        "r.readable(i.Item('1', 'a.xlsx', '', b'PK\\3\\4'));"
        "sys.exit(any(n in sys.modules for n in ('pypdfium2', 'python_calamine')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0


NAMES = st.sampled_from(["x.csv", "x.html", "x.vcf", "x.json", "x.eml", "x.rtf", "x.xml", "x.docx", "x"])
STARTS = st.sampled_from(
    [b"", b"PK\x03\x04", b"%PDF-1.7\n", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf", b"\x1f\x8b\x08\0"]
)


@given(NAMES, STARTS, st.binary(max_size=600) | st.text(max_size=300).map(str.encode))
@settings(deadline=None, max_examples=400)
def test_any_file_is_read_or_unreadable(name: str, start: bytes, content: bytes) -> None:
    found = read(start + content, name)
    assert all("@" not in text.place(0) for text in found.texts)
    assert "@" not in found.why
