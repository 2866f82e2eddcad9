from __future__ import annotations

import asyncio

import pytest

from gateway.ingress import linger
from tests.ingress.setting import Certificates, Dialogue, Site, running


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing ends by itself while a busy machine does other work, unless a test says when."""
    monkeypatch.setattr(linger, "_SECONDS", 1000)


async def _gone(site: Site) -> None:
    while site.server.connections:
        await asyncio.sleep(0.01)


async def _send_for_ever(client: Dialogue) -> None:
    while True:
        await client.send(b"x" * 100)
        await asyncio.sleep(0.001)


async def _let_go(site: Site) -> None:
    while site.server.lingering:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("last", [b"NOOP\n", b"GET / HTTP/1.0\r\n"])
async def test_a_client_that_is_still_sending_reads_the_last_reply(site: Site, last: bytes) -> None:
    client = await site.greeted()
    await client.send(last)
    await _gone(site)  # the session is over, and the client does not know
    for _ in range(20):
        await client.send(b"x" * 1000 + b"\r\n")
        await asyncio.sleep(0)
    assert (await client.reply()).startswith(b"500 5.5.")
    assert await client.rest() == b""
    assert site.server.lingering == 1
    await client.close()
    await _let_go(site)


async def test_under_tls_too(site: Site) -> None:
    client = await site.encrypted()
    await client.send(b"NOOP\n")
    try:
        for _ in range(20):
            await client.send(b"x" * 1000 + b"\r\n")
    except ConnectionError:
        pass  # TLS has told this side of the end
    assert (await client.reply()).startswith(b"500 5.5.")
    await client.close()
    await _gone(site)
    await _let_go(site)


async def test_who_never_closes_is_closed_when_time_is_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linger, "_SECONDS", 0.05)
    client = await site.greeted()
    await client.send(b"NOOP\n")
    assert (await client.rest()).startswith(b"500")
    await _let_go(site)
    with pytest.raises(ConnectionError):
        await _send_for_ever(client)


async def test_who_sends_without_end_is_closed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linger, "_OCTETS", 1000)
    client = await site.greeted()
    await client.send(b"NOOP\n")
    with pytest.raises(ConnectionError):
        await _send_for_ever(client)
    assert site.server.lingering == 0


async def test_only_so_many_are_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linger, "_MOST", 2)
    for _ in range(4):
        client = await site.greeted()
        await client.send(b"NOOP\n")
        assert (await client.rest()).startswith(b"500")
    await _gone(site)
    assert site.server.lingering == 2
    for client in site.dialled:
        await client.close()
    await _let_go(site)
    client = await site.greeted()
    await client.send(b"NOOP\n")
    await _gone(site)
    assert site.server.lingering == 1, "their places came back"


async def test_who_said_quit_is_not_kept(site: Site) -> None:
    client = await site.greeted()
    assert await client.code(b"QUIT") == "221 2.0.0"
    await _gone(site)
    assert site.server.lingering == 0


async def test_a_stopping_server_waits_for_none_of_them(certificates: Certificates) -> None:
    async with running(certificates) as site:
        client = await site.greeted()
        await client.send(b"NOOP\n")
        assert (await client.rest()).startswith(b"500")
        await _gone(site)
        assert site.server.lingering == 1
        await asyncio.wait_for(site.server.drain(0), 500)
        assert site.server.lingering == 0
