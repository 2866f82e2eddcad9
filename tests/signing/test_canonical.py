"""The canonical forms against RFC 6376's own examples, and against dkimpy on whatever Hypothesis thinks of."""

from __future__ import annotations

import base64
import hashlib

import pytest
from dkim.canonicalization import Relaxed
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import base64_lines
from gateway.signing.canonical import relaxed_body, relaxed_value, split

BITS = st.sampled_from(
    [b" ", b"\t", b"  ", b"\r\n", b"\r\n\r\n", b" \r\n", b"\t \r\n", b"a", b"bc", b".", b"\x0b", b"\xff"]
)
BODY = st.lists(BITS, max_size=40).map(b"".join)
LONE = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b" ", b"a"]), max_size=30).map(b"".join)
VALUE = st.lists(st.sampled_from([b" ", b"\t", b"\r\n ", b"\r\n\t", b"x", b"y:z", b"\xc3\xa9"]), max_size=30).map(
    b"".join
)


def body_hash(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()


@pytest.mark.parametrize("body", [b"", b"\r\n", b"\r\n\r\n\r\n", b" \t\r\n", b"  \r\n\t\r\n"])
def test_an_empty_body_hashes_to_the_known_value(body: bytes) -> None:
    assert body_hash(body) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_the_example_of_rfc_6376_section_3_4_5() -> None:
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"
    message = b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\n"
    fields, body = split(message)
    assert [(name, relaxed_value(value)) for name, value in fields] == [(b"a", b"X"), (b"b", b"Y Z")]
    assert message[body:] == b" C \r\n"


def test_a_body_without_its_last_line_end_is_read_as_the_wire_carries_it() -> None:
    assert relaxed_body(b"a\r\nb ") == relaxed_body(b"a\r\nb \r\n") == b"a\r\nb\r\n"


def test_a_lone_cr_or_lf_at_the_end_is_content() -> None:
    assert relaxed_body(b"a\r\n\n\r\n\r\n") == b"a\r\n\n\r\n"
    assert relaxed_body(b"a\r\r\n\r\n") == b"a\r\r\n"


@settings(deadline=None, max_examples=400)
@given(BODY)
def test_bodies_equal_the_oracle(body: bytes) -> None:
    wire = body if body.endswith(b"\r\n") else body + b"\r\n"
    assert relaxed_body(body) == Relaxed.canonicalize_body(wire)


@settings(deadline=None, max_examples=300)
@given(BODY, st.integers(1, 9))
def test_a_body_in_stretches_equals_the_oracle(body: bytes, stretch: int) -> None:
    wire = body if body.endswith(b"\r\n") else body + b"\r\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base64_lines, "STRETCH", stretch)
        assert relaxed_body(body) == Relaxed.canonicalize_body(wire)


@settings(deadline=None, max_examples=400)
@given(LONE)
def test_bodies_with_lone_line_ends_equal_the_oracle(body: bytes) -> None:
    assert relaxed_body(body + b"\r\n") == Relaxed.canonicalize_body(body + b"\r\n")


@settings(deadline=None, max_examples=400)
@given(VALUE)
def test_values_equal_the_oracle(value: bytes) -> None:
    assert relaxed_value(value) + b"\r\n" == Relaxed.canonicalize_headers([(b"X", value)])[0][1]


@settings(deadline=None, max_examples=200)
@given(BODY)
def test_the_canonical_form_of_a_canonical_form_is_itself(body: bytes) -> None:
    once = relaxed_body(body)
    assert relaxed_body(once) == once


@pytest.mark.parametrize(
    ("piece", "expected"),
    [
        (b" ", b""),
        (b"\t", b""),
        (b"\r\n", b""),
        (b" \t", b""),
        (b"a ", None),
        (b" \r\n", b""),
        (b"\r", None),
        (b"\n", None),
    ],
)
@pytest.mark.timeout(120)
def test_a_megabyte_of_one_piece_is_done_at_once(piece: bytes, expected: bytes | None) -> None:
    """A quadratic form takes minutes on each of these; the time limit catches it without a clock here."""
    body = piece * (1_000_000 // len(piece)) + b"\r\n"
    result = relaxed_body(body)
    assert len(result) <= len(body)
    assert expected is None or result == expected


def test_fields_keep_their_order_and_duplicates() -> None:
    message = b"To: a\r\nX: 1\r\nto: b\r\n c\r\n\r\nbody\r\n\r\nmore"
    fields, body = split(message)
    assert fields == [(b"to", b" a"), (b"x", b" 1"), (b"to", b" b\r\n c")]
    assert message[body:] == b"body\r\n\r\nmore"


@pytest.mark.parametrize(
    ("message", "names", "body"),
    [
        (b"\r\nbody", [], b"body"),
        (b"A: 1\r\n", [b"a"], b""),
        (b"A: 1", [b"a"], b""),
        (b"A: 1\r\nno field\r\nB: 2\r\n\r\n", [b"a", b"b"], b""),
        (b"", [], b""),
        (b" lost\r\nA: 1\r\n\r\n", [b"a"], b""),
    ],
)
def test_what_is_no_field_is_left_out(message: bytes, names: list[bytes], body: bytes) -> None:
    fields, start = split(message)
    assert [name for name, _ in fields] == names
    assert message[start:] == body
