"""The standard library's view of a message: tree, digests, header, texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.proof.reading import Node, Reading
from tests.proof.mail import MAIL


def test_the_tree_is_read_depth_first_with_a_digest_per_leaf() -> None:
    nodes = Reading(MAIL).nodes
    assert [(n.depth, n.media_type) for n in nodes] == [
        (0, "multipart/mixed"),
        (1, "multipart/alternative"),
        (2, "text/plain"),
        (2, "text/html"),
        (1, "application/pdf"),
    ]
    assert [bool(n.digest) for n in nodes] == [False, False, True, True, True]


def test_the_digest_is_that_of_the_content_whatever_its_encoding() -> None:
    plain = b"Content-Type: text/plain\r\n\r\nabc\r\n"
    encoded = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJjDQo=\r\n"
    assert Reading(plain).nodes == Reading(encoded).nodes
    assert Reading(plain.replace(b"abc", b"abd")).nodes != Reading(plain).nodes


def test_addresses_are_found_in_encoded_words_references_and_transfer_encodings() -> None:
    octets = (
        b"From: x@school.example\r\nSubject: =?utf-8?q?piet=40example=2Eorg?=\r\nContent-Type: text/html\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\nan=\r\nna@example.org kees&#64;example.org\r\n"
    )
    assert {"piet@example.org", "anna@example.org", "kees@example.org"} <= Reading(octets).addresses()


def test_recipients_in_sight_come_from_to_and_cc_alone() -> None:
    octets = b"From: a@x.example\r\nTo: B <b@x.example>, c@x.example\r\nResent-Cc: d@x.example\r\n\r\ne@x.example\r\n"
    assert Reading(octets).header_addresses() == {"b@x.example", "c@x.example", "d@x.example"}


@pytest.mark.parametrize("charset", ["x-unknown", "rot13", "utf-16", "idna", "\xff", '"'])
def test_a_label_that_means_nothing_is_no_error(charset: str) -> None:
    octets = f"Content-Type: text/plain; charset={charset}\r\n\r\njan@example.org".encode("latin-1")
    assert list(Reading(octets).texts())
    assert Reading(octets).nodes


@given(st.binary(max_size=400))
def test_nothing_makes_it_raise(octets: bytes) -> None:
    reading = Reading(b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" + octets)
    assert reading.nodes[0] == Node(0, "multipart/mixed", "") or reading.nodes
    reading.addresses()
    reading.header_addresses()
