"""Addresses in words that only programs read."""

from __future__ import annotations

import base64
import binascii
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.filters.encoded import embedded, revealed

ANNA = "anna@example.org"
B64 = base64.b64encode(ANNA.encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        B64,
        B64.rstrip("="),
        f"https://x.example/u?e={B64}&v=1",
        f"<{B64}.17@x.example>",
        f"{base64.urlsafe_b64encode(ANNA.encode()).decode()}_8a7b",
        base64.b64encode(b'{"id": 3, "mail": "anna@example.org"}').decode(),
        f"x-{ANNA.encode().hex()}",
        ANNA.encode().hex().upper(),
    ],
)
def test_base64_and_hex_say_what_they_hold(text: str) -> None:
    assert ANNA in revealed(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anna",
        "WordsThatPeopleWriteTogether",
        "70617373776f7264",
        "d41d8cd98f00b204e9800998ecf8427e",
        "QUJDREVGR0hJSktM",
    ],
)
def test_other_words_say_nothing(text: str) -> None:
    assert revealed(text) == ""


def test_octets_that_are_no_text_say_nothing() -> None:
    assert revealed(base64.b64encode(b"\x89PNG@@@@" * 50).decode()) == ""


_NAMES = st.text(string.ascii_letters + string.digits + "._-+", min_size=3, max_size=30)


@settings(deadline=None, max_examples=300)
@given(_NAMES, _NAMES)
def test_every_ascii_address_is_recognised(local: str, domain: str) -> None:
    address = f"{local}@{domain}.org"
    assert address in revealed(base64.b64encode(address.encode()).decode())
    assert address in revealed(binascii.hexlify(address.encode()).decode())


@settings(deadline=None, max_examples=300)
@given(st.text(string.ascii_letters + string.digits + "=/ ", max_size=300))
def test_any_text_is_read_to_the_end(text: str) -> None:
    revealed(text)
    list(embedded(text))


@pytest.mark.parametrize(
    "local",
    [
        "anna=example.org",
        "bounce+anna=example.org",
        "bounces-17-anna=example.org",
        "b_anna=example.org-8a7b",
        "SRS0=HHH=TT=example.org=anna",
        "SRS1=HHH=other.example==HHH=TT=example.org=anna",
    ],
)
def test_return_paths_hold_an_address(local: str) -> None:
    assert ANNA in {a.reveal() for a in embedded(local)}


def test_names_with_dashes_are_whole_too() -> None:
    assert {"jan-pieter@example.org", "pieter@example.org"} <= {
        a.reveal() for a in embedded("b+jan-pieter=example.org")
    }


@pytest.mark.parametrize("local", ["", "anna", "a=b", "key=value=more", "=example.org", "x=1.2"])
def test_other_local_parts_hold_none(local: str) -> None:
    assert [a.reveal() for a in embedded(local)] == []
