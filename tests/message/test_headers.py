"""Parameters and encoded words as other mail programs write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message.headers import decode_words, header_text, parameters


@pytest.mark.parametrize(
    ("value", "main", "values"),
    [
        (b" text/plain", "text/plain", {}),
        (b" Text/HTML; Charset=UTF-8", "text/html", {"charset": "UTF-8"}),
        (
            b' text/plain;\r\n\tcharset = "utf-8" ; format=flowed;',
            "text/plain",
            {"charset": "utf-8", "format": "flowed"},
        ),
        (
            b' a/b; name="met \\"aanhaling\\"; en (geen) toelichting"',
            "a/b",
            {"name": 'met "aanhaling"; en (geen) toelichting'},
        ),
        (b" a/b (een (geneste) toelichting); x=1 (y=2;) ; z=3", "a/b", {"x": "1", "z": "3"}),
        (b" a/b; name*=utf-8'nl'co%C3%B6rdinatie", "a/b", {"name": "coördinatie"}),
        (b' a/b; name*0="een"; name*2=drie; name*1=twee', "a/b", {"name": "eentweedrie"}),
        (b" a/b; name*0*=iso-8859-15''%A4; name*1=%41; name*2*=%41", "a/b", {"name": "€%41A"}),
        (b" a/b; name=plain; name*=utf-8''extended", "a/b", {"name": "extended"}),
        (b" a/b; x; y=1", "a/b", {"y": "1"}),
        (b" a/b; name=met spatie.pdf; y=1", "a/b", {"name": "met spatie.pdf", "y": "1"}),
        ("a/b; name=één".encode(), "a/b", {"name": "één"}),
        (b"", "", {}),
    ],
)
def test_a_value_is_read(value: bytes, main: str, values: dict[str, str]) -> None:
    read = parameters(value)
    assert (read.main, dict(read.values)) == (main, values)


@pytest.mark.parametrize("value", [b'a/b; x="open', b'a/b; x="1"2; y=3', b'a/b; "x"=1'])
def test_what_has_to_be_skipped_is_told(value: bytes) -> None:
    assert not parameters(value).clean


@pytest.mark.parametrize(
    ("value", "repeated"),
    [
        (b"a/b; x=1; X=2", {"x"}),
        (b"a/b; x=1; x*=utf-8''2", {"x"}),
        (b"a/b; x*0=1; x*0=2", {"x"}),
        (b"a/b; x=1; y=1", set()),
    ],
)
def test_a_name_given_twice_is_told(value: bytes, repeated: set[str]) -> None:
    assert parameters(value).repeated == repeated


def test_spans_are_offsets_in_what_was_read() -> None:
    value = b' text/plain (een\r\n toelichting);\r\n charset="utf-8"; x=y'
    assert [value[s.start : s.end] for s in parameters(value).spans] == [b'charset="utf-8"', b"x=y"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("=?utf-8?q?caf=C3=A9_een?=", "café een"),
        ("=?UTF-8?B?w6nDqW4=?= dag", "één dag"),
        ("=?utf-8?q?een?= =?utf-8?q?twee?=", "eentwee"),
        ("=?utf-8?q?=C3?=\r\n =?utf-8?q?=A9?=", "é"),
        ("=?iso-8859-1?q?=E9?= =?utf-8?q?=C3=A9?= los", "éé los"),
        ("een =?utf-8?q?twee?= drie =?utf-8?q?vier?=", "een twee drie vier"),
        ("=?utf-8*nl?q?dag?=", "dag"),
        ("=?x-onbekend?q?dag?=", "=?x-onbekend?q?dag?="),
        ("=?utf-8?b?w6k?=", "é"),
        ("=?utf-8?x?dag?=", "=?utf-8?x?dag?="),
        ("=?punycode?q?dag?=", "=?punycode?q?dag?="),
        ("=?", "=?"),
    ],
)
def test_encoded_words(written: str, read: str) -> None:
    assert header_text(written.encode()) == read


def test_raw_utf8_and_latin1_are_both_read() -> None:
    assert header_text("Reünie".encode()) == "Reünie"
    assert header_text("Reünie".encode("latin-1")) == "Reünie"


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.sampled_from(["=?", "?=", "?", "utf-8", "q", "b", "=C3", "_", " ", "\r\n ", "é", "utf-16", "*", "w6k="]),
        max_size=20,
    )
)
def test_decoding_never_raises_and_never_grows(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert len(decode_words(text)) <= len(text)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.sampled_from(
            [b";", b"=", b'"', b"\\", b"(", b")", b"*", b"0", b"a", b" ", b"\r\n ", b"utf-8''", b"%C3", b"\xe9"]
        ),
        max_size=25,
    )
)
def test_reading_parameters_never_raises_and_spans_stay_inside(pieces: list[bytes]) -> None:
    value = b"".join(pieces)
    for span in parameters(value).spans:
        assert 0 <= span.start < span.end <= len(value)
