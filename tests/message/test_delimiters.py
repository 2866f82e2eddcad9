"""Where the parts of a multipart begin and end, also where nothing says so."""

from __future__ import annotations

import pytest

from gateway.message.delimiters import AFTER, TooMany, closing, ends_message, split, stands_alone


def parts(body: bytes, *, boundary: bytes = b"b", most: int = 100) -> list[bytes]:
    raw = b"\r\n" + body
    return [raw[start:end] for start, end in split(raw, boundary, 2, len(raw), most=most).spans]


def test_a_closed_multipart_ends_at_its_boundary() -> None:
    body = b"voor\r\n--b\r\neen\r\n--b \t\r\ntwee\r\n--b--\r\nna\r\n"
    assert parts(body) == [b"een", b"twee"]
    found = split(b"\r\n" + body, b"b", 2, len(body) + 2, most=9)
    assert (found.wrong, found.unclosed, found.lookalikes) == ("", False, False)


@pytest.mark.parametrize(
    ("end", "last"), [(b"", b"twee"), (b"\r\n", b"twee"), (b"\r\n\r\n", b"twee\r\n"), (b"\n", b"twee\n")]
)
def test_the_last_line_end_of_the_message_belongs_to_the_boundary_that_is_missing(end: bytes, last: bytes) -> None:
    assert parts(b"--b\r\neen\r\n--b\r\ntwee" + end) == [b"een", last]


def test_what_does_not_end_the_message_keeps_its_line_end() -> None:
    raw = b"\r\n--b\r\neen\r\n\r\n--buiten--\r\n"
    end = raw.index(b"\r\n--buiten")
    found = split(raw, b"b", 2, end, most=9)
    assert found.unclosed
    assert [raw[a:z] for a, z in found.spans] == [b"een\r\n"]
    assert closing(raw, "b", end) == b"\r\n--b--"
    assert closing(raw, "buiten", len(raw)) == b"--buiten--\r\n"
    assert (ends_message(raw, len(raw)), ends_message(raw, end), ends_message(b"x", 1)) == (True, False, False)


def test_a_part_of_nothing_at_the_end_stays_one() -> None:
    assert parts(b"--b\r\neen\r\n--b\r\n") == [b"een", b""]
    assert parts(b"--b\r\neen\r\n--b") == [b"een", b""]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b"geen", "no boundary line"),
        (b"--b--\r\n", "no body part between boundaries"),
        (b"--b\r\neen\r\n--b--\r\n--b\r\ntwee\r\n--b--\r\n", AFTER),
        (b"--b\r\neen\r\n--b--\r\nwoorden\r\n--b--\r\n", AFTER),
        (b"--b\r\neen\r\n--b--\r\n \r\n--b--\r\n--b--\r\n", ""),
    ],
)
def test_what_is_wrong_is_said(body: bytes, wrong: str) -> None:
    found = split(b"\r\n" + body, b"b", 2, len(body) + 2, most=9)
    assert (found.wrong, found.unclosed) == (wrong, False)


def test_lines_that_only_begin_with_the_boundary_are_told_and_counted() -> None:
    assert split(b"\r\n--b\r\nx\r\n--bc\r\n", b"b", 2, 18, most=9).lookalikes
    with pytest.raises(TooMany, match="look like a boundary"):
        parts(b"--b\r\n" + b"--bc\r\n" * 2000, most=1)
    with pytest.raises(TooMany, match="parts"):
        parts(b"--b\r\nx\r\n" * 11, most=9)


def test_a_boundary_that_comes_back_behind_the_end_is_seen() -> None:
    raw = b"x\r\n--out\r\n\r\n--inner\r\n"
    assert not stands_alone(raw, b"in", 1)
    assert stands_alone(raw, b"in", 14)
    assert stands_alone(raw, b"ut", 0)
