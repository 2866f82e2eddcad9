from __future__ import annotations

import gzip
import json
import zlib
from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.targets import MAX_TEXT, decoded, hosted, packed

PAGE = "https://e.example/a?b=1&c=%20x"


def b64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).decode()


NESTED = json.dumps({"s": "x", "v": 1, "p": json.dumps({"u": 3, "url": PAGE})})


@pytest.mark.parametrize(
    "text",
    [
        PAGE,
        "https%3A%2F%2Fe.example%2Fa%3Fb%3D1%26c%3D%2520x",
        "https%253A%252F%252Fe.example%252Fa%253Fb%253D1%2526c%253D%252520x",
        b64(PAGE.encode()),
        b64(PAGE.encode()).rstrip("="),
        b64encode(PAGE.encode()).decode(),
        PAGE.encode().hex(),
        PAGE.encode().hex().upper(),
        b64(zlib.compress(PAGE.encode())),
        b64(gzip.compress(PAGE.encode(), mtime=0)),
        b64(zlib.compress(json.dumps({"r": "x", "l": PAGE}).encode())),
        b64(json.dumps({"email_id": "x", "href": PAGE}).encode()),
        b64(NESTED.encode()),
        "https-3A__e.example_a-3Fb-3D1-26c-3D-2520x",
        "__https://e.example/a?b=1&c=%20x__;!!Ab!key$",
        "__https:/e.example/a?b=1&c=%20x__;!!Ab!key$",
        "__https://e.example/a*b=1*c=%20x__;PyY!!Ab!key$",
    ],
)
def test_the_address_is_found_however_it_is_written(text: str) -> None:
    assert decoded(text) == PAGE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "javascript:alert(1)",
        "ftp://e.example/",
        "https://",
        "https://e.example/\r\nX: y",
        "https://e.example%zz/",
        b64(b"just some words here"),
        b64(b"\x78\x9cbroken"),
        b64(json.dumps(["https://e.example/"]).encode()),
        b64(("{" * 5000).encode()),
        "__https://e.example/**Ab__;abc!!",
        "https://e.example/" + "a" * MAX_TEXT,
    ],
)
def test_what_is_no_single_address_gives_none(text: str) -> None:
    assert decoded(text) == ""


def test_what_grows_beyond_reason_is_not_read() -> None:
    assert decoded(b64(zlib.compress(b"https://e.example/" + b"a" * 2_000_000))) == ""


def test_octets_beyond_ascii_stay_octets() -> None:
    assert decoded("https://e.example/caf%C3%A9") == "https://e.example/caf%C3%A9"
    assert decoded("https%3A%2F%2Fe.example%2Fcaf%C3%A9") == "https://e.example/caf\xc3\xa9"


def test_a_name_without_scheme_is_read_only_where_asked() -> None:
    assert hosted("www.example.org%2Fa%2Fb") == "https://www.example.org/a/b"
    assert decoded("www.example.org%2Fa%2Fb") == ""
    assert hosted("AbC123") == ""


def test_packed_is_not_what_stands_there_plainly() -> None:
    assert packed(PAGE) == ""
    assert packed(b64(PAGE.encode())) == PAGE


@given(st.text(max_size=300))
def test_any_text_is_read_without_failing(text: str) -> None:
    for read in (decoded, hosted, packed):
        found = read(text)
        assert found == "" or found.lower().startswith(("https://", "http://"))
