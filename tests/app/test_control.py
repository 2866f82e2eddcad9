"""The wire between parent and child, over a real socket pair."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.app.control import Wire, texts_in, texts_out


async def pair() -> tuple[Wire, Wire]:
    one, other = socket.socketpair()
    return await Wire.over(one), await Wire.over(other)


async def test_signals_arrive_whole_and_in_order() -> None:
    ours, theirs = await pair()
    await ours.send(do="prepare", texts={"a": "é\n"})
    await ours.send(do="commit")
    assert await theirs.receive() == {"do": "prepare", "texts": {"a": "é\n"}}
    assert await theirs.receive() == {"do": "commit"}
    ours.close()
    theirs.close()


async def test_settings_of_many_organisations_fit() -> None:
    ours, theirs = await pair()
    text = "x" * 5_000_000
    _, received = await asyncio.gather(ours.send(text=text), theirs.receive())
    assert received == {"text": text}
    ours.close()
    theirs.close()


@pytest.mark.parametrize("cut", [b"", b'{"do": "com'])
async def test_a_process_that_is_gone_is_an_error_and_half_a_signal_is_none(cut: bytes) -> None:
    one, other = socket.socketpair()
    wire = await Wire.over(one)
    other.sendall(cut)
    other.close()
    with pytest.raises(ConnectionError):
        await wire.receive()
    wire.close()


@given(st.dictionaries(st.from_regex(r"/[a-z]{1,8}\.yaml", fullmatch=True).map(Path), st.binary(max_size=50)))
def test_settings_come_out_octet_for_octet_in_their_order(texts: dict[Path, bytes]) -> None:
    assert list(texts_in(texts_out(texts)).items()) == list(texts.items())
