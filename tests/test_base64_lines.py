"""gateway/base64_lines.py: the quick answer is never another one than counting gives."""

from __future__ import annotations

import base64
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.base64_lines import STRETCH, lines, stretches


def coded(octets: int, width: int = 76) -> bytes:
    text = base64.b64encode(os.urandom(octets))
    return b"".join(text[at : at + width] + b"\r\n" for at in range(0, len(text), width))


@pytest.mark.parametrize("width", [1, 2, 60, 64, 72, 76, 998])
def test_lines_of_one_width_are_counted_from_any_octet_on(width: int) -> None:
    text = b"".join(b"A" * width + b"\r\n" for _ in range(9))
    assert lines(text) == 9
    assert lines(text[width // 2 :]) == 9
    assert lines(text + b"Q") == 9


@pytest.mark.parametrize(
    "spoiled",
    [b"\r", b"\n", b"\0", b" ", b"\t", b".", b"-", b"@", b"=", b"\r\n", b"\xe9", b"A"],
)
@pytest.mark.parametrize("at", [0, 5, 40, 76, 77, 78, 100, -1, -2, -3])
def test_one_octet_more_anywhere_and_nothing_is_said(spoiled: bytes, at: int) -> None:
    text = coded(5000).replace(b"=", b"")
    position = at % len(text)
    changed = text[:position] + spoiled + text[position:]
    number = lines(changed)
    assert number in (0, changed.count(b"\r\n"))
    assert not number or (changed.count(b"\r"), changed.count(b"\n")) == (number, number)
    assert not number or spoiled in (b"A", b"\r\n")


def test_a_line_over_998_octets_is_none_of_them() -> None:
    assert lines((b"A" * 999 + b"\r\n") * 3) == 0
    assert lines(b"A" * 999 + b"\r\n" + b"A" * 3 + b"\r\n") == 0


def test_a_pair_cut_off_at_either_end_is_left_to_others() -> None:
    text = coded(570)
    assert lines(text[:-1]) == 0
    assert lines(b"\n" + text) == 0
    assert lines(b"") == lines(b"\r\n") == lines(b"AAAA") == 0


@given(st.lists(st.sampled_from([b"A", b"AAAA", b"\r\n", b"\r", b"\n", b".", b"\0"]), max_size=12))
@settings(deadline=None, max_examples=300)
def test_what_it_counts_is_what_there_is(pieces: list[bytes]) -> None:
    octets = b"".join(pieces)
    if number := lines(octets):
        assert octets.count(b"\r\n") == octets.count(b"\r") == octets.count(b"\n") == number
        assert max(map(len, octets.split(b"\r\n"))) <= 998
        assert not set(b".\0") & set(octets)


@pytest.mark.parametrize("octets", [b"", b"a", b"a\r\n", b"a" * 3 * STRETCH, coded(2 * STRETCH), b"\r\n" * STRETCH])
def test_stretches_are_the_octets_again_and_end_at_line_ends(octets: bytes) -> None:
    found = list(stretches(octets))
    assert b"".join(found) == octets
    assert all(piece.endswith(b"\r\n") for piece in found[:-1])
    assert b"".join(stretches(octets, 1)) == octets[1:]
