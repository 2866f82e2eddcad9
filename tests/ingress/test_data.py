from __future__ import annotations

import base64
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import reply
from gateway.ingress.data import DataReader
from gateway.ingress.limits import Budget

LARGE = 2**20


def read(
    octets: bytes, sizes: list[int] | None = None, limit: int = LARGE, budget: int = LARGE
) -> tuple[DataReader, bytes]:
    """Feed `octets` in pieces of `sizes` (repeated). Gives the reader and what lay behind the end."""
    reader = DataReader(limit, Budget(budget))
    at, turn = 0, 0
    while at < len(octets):
        size = sizes[turn % len(sizes)] if sizes else len(octets)
        used = reader.feed(octets[at : at + size])
        if used >= 0:
            return reader, octets[at + used :]
        at += size
        turn += 1
    raise AssertionError("no end found")


def stuffed(content: bytes) -> bytes:
    """What a correct client sends for `content` (RFC 5321 4.5.2), made line by line."""
    lines = content.split(b"\r\n")
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)


line = st.binary(max_size=12).map(lambda b: bytes(c for c in b if c not in (0, 10, 13))) | st.sampled_from(
    [b"", b".", b"..", b"...", b".x"]
)
message = st.lists(line, max_size=12).map(lambda lines: b"".join(item + b"\r\n" for item in lines))


@given(message, st.lists(st.integers(1, 9), min_size=1, max_size=8), st.binary(max_size=8))
@settings(deadline=None, max_examples=300)
def test_any_message_in_any_chunks_comes_out_as_it_was(content: bytes, sizes: list[int], behind: bytes) -> None:
    reader, rest = read(stuffed(content) + b".\r\n" + behind, sizes)
    assert reader.refusal is None
    assert reader.content() == content
    assert rest == behind


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"x", b"\0"]), max_size=14), st.integers(1, 5))
@settings(deadline=None, max_examples=500)
def test_chunks_never_change_the_verdict(pieces: list[bytes], size: int) -> None:
    octets = b"".join(pieces) + b"\r\n.\r\n"
    whole, rest = read(octets)
    chunked, chunked_rest = read(octets, [size])
    assert (whole.refusal, rest) == (chunked.refusal, chunked_rest)
    body = octets[: len(octets) - len(rest) - 3]
    strict = body.replace(b"\r\n", b"")
    assert (whole.refusal is None) == (not any(c in strict for c in b"\r\n\0"))
    if whole.refusal is None:
        assert whole.content() == chunked.content()


@pytest.mark.parametrize("content", [b"", b".\r\n", b"..\r\n", b".x\r\n", b"a\r\n.b\r\n", b"\r\n", b"\r\n.\r\n.\r\n"])
def test_dots_come_back_as_written(content: bytes) -> None:
    for size in range(1, 8):
        assert read(stuffed(content) + b".\r\n", [size])[0].content() == content


FALSE_ENDS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r\r\n.\r\r\n", b"\r\n\0.\r\n"]


@pytest.mark.parametrize("end", FALSE_ENDS)
def test_no_other_end_is_an_end_and_the_whole_is_refused(end: bytes) -> None:
    octets = b"Subject: one\r\n\r\nfirst" + end + b"MAIL FROM:<evil@example.org>\r\nsecond\r\n.\r\n"
    for size in (1, 2, 3, 1000):
        reader, rest = read(octets, [size])
        assert reader.refusal is reply.BARE_LINE_END
        assert reader.ambiguous
        assert rest == b""


def test_the_limit_counts_the_message_as_it_will_be() -> None:
    content = b".\r\n" * 10  # 30 octets; 40 on the wire
    for size in range(1, 50):
        assert read(stuffed(content) + b".\r\n", [size], limit=30)[0].refusal is None
        assert read(stuffed(content) + b".\r\n", [size], limit=29)[0].refusal is reply.TOO_BIG


def test_a_message_over_the_limit_is_read_to_its_end_and_keeps_nothing() -> None:
    budget = Budget(LARGE)
    reader = DataReader(100, budget)
    for _ in range(50):
        assert reader.feed(b"x" * 8 + b"\r\n") == -1
    assert budget.used == 0
    assert reader.feed(b".\r\nQUIT\r\n") == 3
    assert reader.refusal is reply.TOO_BIG


def test_a_message_without_end_becomes_hopeless_only_far_over_the_limit() -> None:
    reader = DataReader(100, Budget(LARGE))
    reader.feed(b"x" * 300)
    assert not reader.hopeless
    reader.feed(b"x" * (2**20))
    assert reader.hopeless


def test_without_memory_left_the_client_is_asked_to_try_later() -> None:
    budget = Budget(100)
    budget.take(95)
    reader = DataReader(LARGE, budget)
    reader.feed(b"12345678\r\n")
    reader.feed(b".\r\n")
    assert reader.refusal is reply.CONGESTED
    assert budget.used == 95


def test_reserved_octets_come_back_with_release() -> None:
    budget = Budget(100)
    reader = DataReader(LARGE, budget)
    reader.feed(b"12345678\r\n.\r\n")
    assert budget.used == reader.reserved > 0
    reader.release()
    assert budget.used == 0


def test_a_large_message_in_random_chunks_is_exact() -> None:
    chance = random.Random(7)
    content = b"".join(bytes(chance.choices(b"abc.", k=chance.randrange(80))) + b"\r\n" for _ in range(3000))
    sizes = [chance.randrange(1, 2000) for _ in range(50)]
    assert read(stuffed(content) + b".\r\n", sizes)[0].content() == content


CODED = b"".join(base64.b64encode(random.Random(n).randbytes(57)) + b"\r\n" for n in range(60))


@given(
    st.lists(
        st.sampled_from([CODED, CODED[78:156], b".\r\n", b"\r\n.", b"\r\n", b"AA", b"\r", b"\n", b"\0"]), max_size=7
    ),
    st.lists(st.integers(1, 700), min_size=1, max_size=6),
)
@settings(deadline=None, max_examples=300)
def test_lines_of_an_attachment_are_read_as_octet_by_octet(pieces: list[bytes], sizes: list[int]) -> None:
    octets = b"".join(pieces) + b"\r\n.\r\n"
    slow, slow_rest = read(octets, [1])
    quick, quick_rest = read(octets, sizes)
    assert (slow.refusal, slow_rest) == (quick.refusal, quick_rest)
    if slow.refusal is None:
        assert (slow.octets, slow.content()) == (quick.octets, quick.content())
