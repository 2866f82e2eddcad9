"""Replies in order, whatever the pieces they come in; everything else ends the connection (R-107)."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.delivery.dialogue import Dialogue, Lost


class Wire:
    """The calls a dialogue makes of a transport."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def set_protocol(self, protocol: object) -> None: ...

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True

    close = abort


def dialogue(loop: asyncio.AbstractEventLoop) -> tuple[Dialogue, Any]:
    wire = Wire()
    return Dialogue(wire, loop), wire  # type: ignore[arg-type]


REPLIES = b"250-first\r\n250 second\r\n354 go\r\n550 5.1.1 no\r\n221\r\n"


@given(st.lists(st.integers(1, len(REPLIES) - 1), max_size=12))
@settings(deadline=None, max_examples=60)
def test_any_chunks_give_the_same_replies(cuts: list[int]) -> None:
    edges = [0, *sorted(set(cuts)), len(REPLIES)]

    async def run() -> list[tuple[int, str]]:
        made, _ = dialogue(asyncio.get_running_loop())
        made.write(b"x", 4)
        for start, end in itertools.pairwise(edges):
            made.data_received(REPLIES[start:end])
        return [await made.read(1.0) for _ in range(4)]

    assert asyncio.run(run()) == [(250, "first second"), (354, "go"), (550, "5.1.1 no"), (221, "")]


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"hello\r\n", "malformed"),
        (b"25\r\n", "malformed"),
        (b"250*x\r\n", "malformed"),
        (b"x" * 5000, "malformed"),
        (b"250-x\r\n" * 20000, "malformed"),
        (b"250 ok\r\n250 more\r\n", "desync"),
    ],
)
async def test_what_is_no_reply_ends_it(octets: bytes, why: str) -> None:
    made, wire = dialogue(asyncio.get_running_loop())
    made.write(b"NOOP\r\n", 1)
    made.data_received(octets)
    assert wire.closed
    assert not made.alive
    with pytest.raises(Lost, match=why):
        made.write(b"x", 1)


async def test_words_nobody_asked_for_make_it_unusable() -> None:
    made, _ = dialogue(asyncio.get_running_loop())
    assert made.alive
    made.data_received(b"421 4.4.2 idle\r\n")
    assert not made.alive


async def test_silence_is_a_timeout() -> None:
    made, wire = dialogue(asyncio.get_running_loop())
    made.write(b"NOOP\r\n", 1)
    with pytest.raises(Lost, match="timeout"):
        await made.read(0.01)
    assert wire.closed


async def test_a_reply_that_came_before_the_end_is_still_read() -> None:
    made, _ = dialogue(asyncio.get_running_loop())
    made.write(b"NOOP\r\n", 1)
    made.data_received(b"250 ok\r\n")
    made.connection_lost(None)
    assert await made.read(1.0) == (250, "ok")
    with pytest.raises(Lost, match="closed"):
        await made.read(1.0)


async def test_a_full_transport_is_waited_for_and_not_for_ever() -> None:
    made, _ = dialogue(asyncio.get_running_loop())
    made.pause_writing()
    asyncio.get_running_loop().call_soon(made.resume_writing)
    await made.drain(1.0)
    made.pause_writing()
    with pytest.raises(Lost, match="timeout"):
        await made.drain(0.01)
