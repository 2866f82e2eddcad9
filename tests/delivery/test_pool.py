"""Spare connections: reused while healthy, closed when they idle or their hop is renewed."""

from __future__ import annotations

import asyncio

import pytest

from gateway.delivery.pool import Pool
from gateway.delivery.relay import Connection, Hop, Timers
from tests.delivery.sink import Sink

TIMERS = Timers(command=20.0, data_start=20.0, block=20.0, final=20.0)


def pool(sink: Sink, idle: float = 30.0) -> Pool:
    return Pool(lambda: Hop("127.0.0.1", sink.port, "none", "gateway.example"), TIMERS, idle)


async def send(connection: Connection) -> None:
    await connection.transact(b"MAIL FROM:<>\r\n", b"RCPT TO:<b@y.example>\r\n", b"", b"A: b\r\n\r\n")


async def test_a_connection_given_back_is_taken_again() -> None:
    with Sink() as sink:
        made = pool(sink)
        first = await made.take(fresh=False)
        await send(first)
        made.give_back(first)
        assert await made.take(fresh=False) is first
        first.abort()


async def test_a_fresh_one_is_new_whatever_is_spare() -> None:
    with Sink() as sink:
        made = pool(sink)
        first = await made.take(fresh=False)
        made.give_back(first)
        second = await made.take(fresh=True)
        assert second is not first
        second.abort()
        await made.close()


async def test_what_died_while_it_was_kept_is_not_handed_out() -> None:
    with Sink() as sink:
        made = pool(sink)
        first = await made.take(fresh=False)
        made.give_back(first)
        first.abort()
        second = await made.take(fresh=False)
        assert second is not first
        second.abort()
        assert made.spare == 0


async def test_an_idle_connection_says_goodbye_by_itself() -> None:
    with Sink() as sink:
        made = pool(sink, idle=0.02)
        made.give_back(await made.take(fresh=False))
        await asyncio.to_thread(sink.wait_for, lambda: sink.open == 0)
        assert made.spare == 0
        assert sink.verbs()[-1] == "QUIT"


async def test_closing_says_goodbye_on_all() -> None:
    with Sink() as sink:
        made = pool(sink)
        taken = [await made.take(fresh=True) for _ in range(3)]
        for connection in taken:
            made.give_back(connection)
        await made.close()
        assert sink.verbs().count("QUIT") == 3


async def test_a_hop_that_cannot_be_made_is_tried_anew_each_time() -> None:
    made = Pool(_missing, TIMERS, 1.0)
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            await made.take(fresh=False)


def _missing() -> Hop:
    raise FileNotFoundError("no such credential")
