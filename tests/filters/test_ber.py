"""Elements of BER, from as much of it as is there."""

from __future__ import annotations

import pytest
from asn1crypto import core
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.filters.ber import Reader, Unreadable, octets


class Two(core.Sequence):  # type: ignore[misc]
    _fields = [("number", core.Integer), ("text", core.OctetString)]  # noqa: RUF012 the library's way


def read(data: bytes) -> list[tuple[int, bytes]]:
    reader = Reader(data)
    return [(e.tag, data[e.start : e.end]) for e in reader.children(reader.root())]


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 70_000])
def test_definite_lengths_of_every_form(size: int) -> None:
    data = Two({"number": 5, "text": b"x" * size}).dump()
    assert read(data) == [(0x02, b"\x05"), (0x04, b"x" * size)]


def test_indefinite_lengths_nest() -> None:
    inner = b"\x24\x80" + b"\x04\x02ab" + b"\x04\x01c" + b"\0\0"
    data = b"\x30\x80" + inner + b"\x02\x01\x07" + b"\0\0"
    assert read(data) == [(0x24, b"\x04\x02ab\x04\x01c"), (0x02, b"\x07")]
    reader = Reader(data)
    assert octets(reader, next(iter(reader.children(reader.root())))) == b"abc"


def test_a_prefix_gives_what_is_there_and_says_that_it_is_not_whole() -> None:
    data = Two({"number": 5, "text": b"x" * 1000}).dump()[:100]
    reader = Reader(data)
    number, text = reader.children(reader.root())
    assert (number.whole, text.whole, text.end) == (True, False, 100)


@pytest.mark.parametrize("data", [b"", b"\x3f\x81\x01\x00", b"\x04\x80\x00\x00"])
def test_what_is_no_ber_is_said(data: bytes) -> None:
    with pytest.raises(Unreadable):
        list(Reader(data).children(Reader(data).root()))


def test_nesting_without_end_is_given_up() -> None:
    with pytest.raises(Unreadable):
        Reader(b"\x30\x80" * 5000).root()
    deep = b"\x24\x04" + b"\x24\x02" * 1
    for _ in range(100):
        deep = b"\x24" + bytes([len(deep)]) + deep if len(deep) < 128 else b"\x24\x82" + len(deep).to_bytes(2) + deep
    reader = Reader(deep)
    with pytest.raises(Unreadable):
        octets(reader, reader.root())


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_any_octets_are_read_or_said_to_be_unreadable(data: bytes) -> None:
    reader = Reader(data)
    try:
        for element in reader.children(reader.root()):
            assert 0 <= element.start <= element.end <= len(data)
            octets(reader, element)
    except Unreadable:
        pass
