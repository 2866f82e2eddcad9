from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
import uvloop

from gateway import reply
from gateway.config.client_secret import check_secret
from gateway.config.gateway import Limits, Listener
from gateway.envelope import Envelope
from gateway.ingress.clients import ClientDirectory
from gateway.ingress.server import IngressServer, ListenerSocket, tls_context
from gateway.observe import metrics
from gateway.reply import Reply
from tests.ingress.setting import HOST, SHOP, Certificates, Dialogue, Recorder, Site, make_certificates, running


async def test_implicit_tls_talks_tls_from_the_first_octet(site: Site) -> None:
    client = await site.dial("implicit", site.certificates.client())
    assert (await client.reply()).startswith(b"220 ")
    assert b"AUTH PLAIN LOGIN" in await client.ask(b"EHLO x")
    assert await client.code(b"STARTTLS") == "502 5.5.1"


# -- settings that contradict ------------------------------------------------------------------------------------------


def test_submission_without_tls_does_not_start() -> None:
    with pytest.raises(ValueError, match="submission"):
        tls_context(Listener(name="out", port=0, role="submission"))


def test_tls_without_certificate_does_not_start() -> None:
    with pytest.raises(ValueError, match="certificate"):
        tls_context(Listener(name="out", port=0, role="submission", tls="implicit"))


def test_a_missing_certificate_file_does_not_start(tmp_path: Path) -> None:
    gone = tmp_path / "none.pem"
    with pytest.raises(OSError):
        tls_context(Listener(name="out", port=0, role="submission", tls="implicit", certificate=gone, key=gone))


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [{"connections": 2}, {"connections_per_address": 2}])
async def test_one_connection_too_many_is_told_to_come_back(
    certificates: Certificates, limits: dict[str, object]
) -> None:
    async with running(certificates, **limits) as site:
        first, second = await site.greeted(), await site.greeted()
        third = await site.dial()
        third.hello = False
        assert await third.reply() == b"421 4.7.0 Too many connections; try again later\r\n"
        assert await third.rest() == b""
        assert await first.code(b"NOOP") == await second.code(b"NOOP") == "250 2.0.0"
        await first.ask(b"QUIT")
        while site.server.connections > 1:
            await asyncio.sleep(0.01)
        assert (await (await site.dial()).reply()).startswith(b"220")


async def test_places_come_back_however_sessions_end(certificates: Certificates) -> None:
    gauge = metrics.CONNECTIONS.labels("relay_tls")
    before = gauge._value.get()
    async with running(certificates) as site:
        for end in (b"QUIT\r\n", b"NOOP\n", b"GET / HTTP/1.0\r\n", b"STARTTLS\r\nx", b"", b"NOOP\r\n"):
            client = await site.greeted("relay_tls")
            await client.send(end)
            if not end or end == b"NOOP\r\n":
                client.reset()
            await client.rest()
        while site.server.connections:
            await asyncio.sleep(0.01)
        assert site.server._shared.occupancy.count == 0
        assert gauge._value.get() == before


# -- certificates and rules that change --------------------------------------------------------------------------------


async def test_a_renewed_certificate_counts_from_the_next_handshake(tmp_path: Path) -> None:
    old = make_certificates(tmp_path)
    async with running(old) as site:
        trusted = old.client()
        await (await site.greeted("submission")).start_tls(trusted)
        new = make_certificates(tmp_path)
        site.server.renew_certificates()
        await (await site.greeted("submission")).start_tls(new.client())


# -- drain -------------------------------------------------------------------------------------------------------------


async def test_draining_lets_idle_sessions_go_and_transactions_finish(certificates: Certificates) -> None:
    async with running(certificates) as site:
        idle, begun, in_data = [await site.greeted() for _ in range(3)]
        await begun.ask(b"MAIL FROM:<a@example.org>")
        for line in (b"MAIL FROM:<a@example.org>", b"RCPT TO:<b@example.org>", b"DATA"):
            await in_data.ask(line)
        draining = asyncio.create_task(site.server.drain(120))
        assert await idle.reply() == b"421 4.3.2 Service is stopping; try again later\r\n"
        assert await idle.rest() == b""
        with pytest.raises(ConnectionError):
            await site.dial()
        assert await begun.code(b"RCPT TO:<c@example.org>") == "250 2.1.5"
        await begun.ask(b"DATA")
        for client in (begun, in_data):
            assert await client.code(b"x\r\n.") == "250 2.6.0"
            assert (await client.reply()).startswith(b"421 4.3.2")
            assert await client.rest() == b""
        await asyncio.wait_for(draining, 120)
        assert len(site.recorder.messages) == 2


async def test_draining_ends_what_does_not_finish_in_time(certificates: Certificates) -> None:
    async with running(certificates) as site:
        client = await site.greeted()
        await client.ask(b"MAIL FROM:<a@example.org>")
        await asyncio.wait_for(site.server.drain(0.05), 120)
        assert (await client.reply()).startswith(b"421 4.3.2")
        assert site.server.connections == 0


async def test_a_message_being_stored_when_grace_ends_still_gets_its_250(certificates: Certificates) -> None:
    go_on = asyncio.Event()

    async def slow(envelope: Envelope, content: bytes) -> Reply:
        await go_on.wait()
        return reply.QUEUED

    async with running(certificates) as site:
        site.recorder.answer = slow
        client = await site.greeted()
        sending = asyncio.create_task(client.mail(b"x\r\n"))
        while not site.server.storing:
            await asyncio.sleep(0.01)
        draining = asyncio.create_task(site.server.drain(0.02))
        await asyncio.wait({draining}, timeout=0.1)
        go_on.set()
        assert (await sending).startswith(b"250 2.6.0")
        await asyncio.wait_for(draining, 120)


async def test_a_second_worker_on_the_same_socket_goes_on(certificates: Certificates) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    workers, recorders = [], []
    for share in (listening.dup(), listening):
        recorders.append(Recorder())
        bound = ListenerSocket(Listener(name="relay", port=port, role="relay"), share)
        workers.append(
            IngressServer(
                [bound],
                ClientDirectory([SHOP]),
                recorders[-1].accept,
                recorders[-1].check_recipient,
                Limits(),
                HOST,
                check_secret,
            )
        )
        await workers[-1].start()
    await workers[0].drain(1)
    for _ in range(5):
        client = Dialogue(*await asyncio.open_connection("127.0.0.1", port))
        await client.reply()
        await client.ask(b"EHLO x")
        assert (await client.mail(b"x\r\n")).startswith(b"250")
        await client.close()
    await workers[1].drain(1)
    assert [len(r.messages) for r in recorders] == [0, 5]


# -- the other event loop ----------------------------------------------------------------------------------------------


def test_the_same_on_uvloop(certificates: Certificates) -> None:
    async def scenario() -> None:
        async with running(certificates, errors=5) as site:
            client = await site.greeted()
            content = b"".join(b"%070d\r\n" % n for n in range(20_000))
            assert (await client.mail(content)).startswith(b"250")
            await client.send(b"RSET\r\nNOOP\r\nFOO\r\n")
            assert [(await client.reply())[:3] for _ in range(3)] == [b"250", b"250", b"500"]
            site.let_time_pass()
            assert await client.reply() == b"421 4.4.2 Idle too long; goodbye\r\n"
            client = await site.encrypted()
            await client.send(b"NOOP\r\n")
            assert (await client.reply()).startswith(b"250")
            client = await site.greeted("relay_tls")
            await client.start_tls(site.certificates.client())
            await client.ask(b"EHLO x")
            assert (await client.mail(content)).startswith(b"250")
            assert site.recorder.contents == [content, content]
            client = await site.greeted("relay_tls")
            await client.send(b"STARTTLS\r\nNOOP\r\n")
            assert (await client.reply()).startswith(b"503")
            client = await site.greeted()
            await client.send(b"NOOP\r\nQUIT\r\n")
            client.writer.write_eof()
            assert [line[:3] for line in (await client.rest()).splitlines()] == [b"250", b"221"]
            client = await site.dial("implicit", site.certificates.client())
            assert (await client.reply()).startswith(b"220 ")

    uvloop.run(scenario())
