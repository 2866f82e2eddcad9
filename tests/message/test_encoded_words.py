"""Encoded words and extended parameters: short enough, whole characters, read back by another decoder."""

from __future__ import annotations

import email
import email.policy
from email.header import decode_header, make_header

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message.encoded_words import LEAST, MOST, encoded_words, extended
from gateway.message.headers import decode_words, parameters

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200)


def read(words: list[bytes]) -> str:
    return str(make_header(decode_header(b"\r\n ".join(words).decode("ascii"))))


@pytest.mark.parametrize(
    "text", ["Renée", "één 😀 dag", "😀" * 60, "こんにちは" * 20, "ver" + "e" * 300 + "ë", "a = b_c?", "Ω" * 200]
)
def test_r039_a_word_is_75_octets_at_most_and_splits_no_character(text: str) -> None:
    words = encoded_words(text)
    assert all(len(word) <= MOST for word in words)
    assert "".join(decode_words(word.decode()) for word in words) == text  # each by itself
    assert read(words) == text


@settings(deadline=None, max_examples=200)
@given(TEXTS, st.integers(LEAST, MOST))
def test_r039_any_text_is_read_back_by_another_decoder(text: str, first: int) -> None:
    words = encoded_words(text, first=first)
    assert len(words[0]) <= first
    assert all(len(word) <= MOST for word in words)
    assert read(words) == text
    assert decode_words(" ".join(word.decode() for word in words)) == text


def test_words_stay_readable_unless_that_costs_much() -> None:
    assert encoded_words("Beëindiging")[0].startswith(b"=?utf-8?q?")
    assert encoded_words("één")[0].startswith(b"=?utf-8?b?")
    assert encoded_words("一二三四五")[0].startswith(b"=?utf-8?b?")


def test_r039_only_what_a_phrase_may_hold_stands_as_it_is() -> None:
    (word,) = encoded_words("abcdefghijklmnop é(,)<@>_=?")
    assert word == b"=?utf-8?q?abcdefghijklmnop_=C3=A9=28=2C=29=3C=40=3E=5F=3D=3F?="


@settings(deadline=None, max_examples=200)
@given(TEXTS)
def test_r040_a_long_parameter_is_read_back_from_its_segments(text: str) -> None:
    written = extended(b"filename", text)
    assert all(len(segment) <= 76 for segment in written)
    value = b"attachment;\r\n " + b";\r\n ".join(written)
    assert value.isascii()
    assert parameters(value).values["filename"] == text
    raw = b"Content-Disposition: " + value + b"\r\n\r\n"
    assert email.message_from_bytes(raw, policy=email.policy.compat32).get_filename() == text.strip()


def test_r040_a_segment_ends_with_a_whole_character() -> None:
    for segment in extended(b"name", "é" * 100):
        octets = segment.partition(b"=")[2].removeprefix(b"utf-8''")
        assert octets.count(b"%C3%A9") * 6 == len(octets)
