from __future__ import annotations

import asyncio
import logging
import math
import ssl

import pytest
from aiosmtpd.smtp import SMTP

from gateway import reply
from gateway.address import Address
from gateway.envelope import Envelope
from gateway.ingress import wire
from gateway.ingress.session import Session
from gateway.reply import Reply
from tests.ingress.setting import HOST, Certificates, Site, running


def test_the_private_names_of_aiosmtpd_that_we_build_on_exist() -> None:
    for name in ("_handle_client", "_reset_timeout", "_timeout_cb", "push", "connection_made", "connection_lost"):
        assert callable(getattr(SMTP, name)), name
    made = SMTP.__init__.__code__.co_names + SMTP._cb_client_connected.__code__.co_names
    for name in (
        "_smtp_methods",
        "_timeout_handle",
        "_timeout_duration",
        "transport",
        "session",
        "hostname",
        "_writer",
    ):
        assert name in made, name


async def test_no_attribute_of_ours_hides_one_of_aiosmtpd_or_asyncio(certificates: Certificates) -> None:
    theirs = set(vars(SMTP(object(), hostname=HOST, loop=asyncio.get_running_loop()))) | set(dir(SMTP))
    code = wire.Wire.__init__.__code__.co_names
    ours = {name for name in code[code.index("_shared") :] if name.startswith("_")} | set(Session.__annotations__)
    assert {"_inbox", "_held_back", "_deadline", "_transaction"} <= ours
    assert ours & theirs == set()


def test_aiosmtpd_cannot_log_commands_or_message_lines() -> None:
    assert logging.getLogger("mail.log").level == logging.WARNING


# -- lines ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "octets",
    [
        b"NOOP\n",
        b"NO\nOP\r\n",
        b"NO\rOP\r\n",
        b"NOOP\r\r\n",
        b"NO\0OP\r\n",
        b"NOOP\0",
        b"NOOP\rx",
        b"\n",
        b"MAIL FROM:<a@example.org>\nRCPT TO:<b@example.org>\r\n",
    ],
)
async def test_only_cr_lf_ends_a_command(site: Site, octets: bytes) -> None:
    client = await site.greeted()
    await client.send(octets)
    assert await client.reply() == b"500 5.5.2 Only CR LF ends a command line\r\n"
    assert await client.rest() == b""


@pytest.mark.parametrize("length", [12288, 100_000])
async def test_a_long_line_is_read_to_its_end_and_refused_once(site: Site, length: int) -> None:
    client = await site.greeted()
    await client.send(b"NOOP " + b"x" * length + b"\r\nNOOP\r\n")
    assert (await client.reply()).startswith(b"500 5.5.2 Line too long")
    assert (await client.reply()).startswith(b"250 2.0.0")


async def test_a_line_without_end_ends_the_session(site: Site) -> None:
    client = await site.greeted()
    try:
        for _ in range(40):
            await client.send(b"x" * 2**16)
    except ConnectionError:
        pass  # closed on us, as it should
    assert (await client.rest()) in (b"500 5.5.2 Line too long\r\n", b"")


async def test_long_input_waits_in_the_network_and_is_not_lost(site: Site) -> None:
    client = await site.greeted()
    count = 60_000  # 360 kB of commands, more than is read ahead

    async def ask() -> None:
        for _ in range(count // 1000):
            await client.send(b"NOOP\r\n" * 1000)

    asking = asyncio.create_task(ask())
    for _ in range(count):
        assert await client.reply() == b"250 2.0.0 OK\r\n"
    await asking


async def test_no_more_is_read_ahead_than_a_little(site: Site) -> None:
    go_on = asyncio.Event()

    async def slow(envelope: Envelope, content: bytes) -> Reply:
        await go_on.wait()
        return reply.QUEUED

    site.recorder.answer = slow
    client = await site.greeted()
    sending = asyncio.create_task(client.mail(b"x\r\n"))
    while not site.server.storing:
        await asyncio.sleep(0.001)
    (session,) = site.server._shared.sessions
    assert isinstance(session, Session)
    flood = asyncio.create_task(client.send(b"NOOP\r\n" * 3_000_000))
    while not session._held_back:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.05)
    assert len(session._inbox) < 2**20
    flood.cancel()
    go_on.set()
    assert (await sending).startswith(b"250 2.6.0")
    client.reset()


async def test_a_client_that_closes_its_half_still_gets_its_answers(site: Site) -> None:
    client = await site.greeted()
    await client.send(b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx\r\n.\r\nNOOP\r\n")
    client.writer.write_eof()
    assert [line[:3] for line in (await client.rest()).splitlines()] == [b"250", b"250", b"354", b"250", b"250"]
    assert site.recorder.contents == [b"x\r\n"]


async def test_half_a_message_is_no_message(site: Site) -> None:
    client = await site.greeted()
    await client.send(b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx\r\n.\r")
    client.writer.write_eof()
    await client.rest()
    assert site.recorder.messages == []


# -- replies -------------------------------------------------------------------------------------------------------


async def test_only_replies_of_ours_can_be_sent(site: Site) -> None:
    client = await site.greeted()
    (session,) = site.server._shared.sessions
    assert isinstance(session, Session)
    with pytest.raises(TypeError):
        await session.push("250 OK")
    assert await client.code(b"NOOP") == "250 2.0.0"


async def test_answers_to_a_group_leave_together_and_in_order(site: Site) -> None:
    client = await site.greeted()
    await client.send(b"RSET\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<x\r\nRCPT TO:<b@example.org>\r\nNOOP\r\n")
    answers = [await client.reply() for _ in range(5)]
    assert [a[:3] for a in answers] == [b"250", b"250", b"501", b"250", b"250"]


# -- time ----------------------------------------------------------------------------------------------------------


async def test_a_client_that_only_connects_is_told_and_closed(certificates: Certificates) -> None:
    async with running(certificates, idle="50ms") as site:
        client = await site.dial()
        assert (await client.rest()).splitlines()[-1] == b"421 4.4.2 Idle too long; goodbye"


async def test_a_client_that_falls_silent_is_told_and_closed(site: Site) -> None:
    client = await site.greeted()
    site.let_time_pass()
    assert await client.reply() == b"421 4.4.2 Idle too long; goodbye\r\n"
    assert await client.rest() == b""


async def test_every_command_gives_the_client_its_full_time_again(site: Site) -> None:
    client = await site.greeted()
    (session,) = site.server._shared.sessions
    assert isinstance(session, Session)
    session._deadline = 0.0
    assert await client.code(b"NOOP") == "250 2.0.0"
    idle = session._shared.limits.idle.total_seconds()
    assert idle - 60 < session._deadline - asyncio.get_running_loop().time() <= idle


async def test_silence_within_data_ends_the_session_without_a_message(site: Site) -> None:
    client = await site.greeted()
    for line in (b"MAIL FROM:<a@example.org>", b"RCPT TO:<b@example.org>", b"DATA"):
        await client.ask(line)
    await client.send(b"x\r\n")
    while not site.server._shared.budget.used:
        await asyncio.sleep(0.001)
    site.let_time_pass()
    assert await client.rest() == b"421 4.4.2 Idle too long; goodbye\r\n"
    assert site.recorder.messages == []
    while site.server.connections:
        await asyncio.sleep(0.001)
    assert site.server._shared.budget.used == 0


async def test_a_client_that_ends_data_with_bare_line_feeds_hears_why(site: Site) -> None:
    client = await site.greeted()
    for line in (b"MAIL FROM:<a@example.org>", b"RCPT TO:<b@example.org>", b"DATA"):
        await client.ask(line)
    await client.send(b"x\n.\n")
    (session,) = site.server._shared.sessions
    assert isinstance(session, Session)
    while session._late is reply.IDLE:
        await asyncio.sleep(0.001)
    site.let_time_pass()
    assert (await client.rest()).startswith(b"550 5.5.2")


async def test_a_trickle_within_data_ends_although_it_never_is_silent(certificates: Certificates) -> None:
    async with running(certificates, idle="2s") as site:
        client = await site.greeted()
        await client.send(b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")
        reading = asyncio.create_task(client.rest())
        while not reading.done():  # what it hears may be lost: it writes into a closed connection
            await asyncio.wait({reading}, timeout=0.02)
            client.writer.write(b"x")
        assert site.server.connections == 0
        assert site.recorder.messages == []


async def test_our_own_work_is_not_the_clients_silence(site: Site) -> None:
    async def slow(envelope: Envelope, content: bytes) -> Reply:
        site.let_time_pass()
        await asyncio.sleep(0)
        return reply.QUEUED

    async def ask(client: str, address: Address) -> Reply | None:
        site.let_time_pass()
        await asyncio.sleep(0)
        return None

    site.recorder.answer, site.recorder.refusal = slow, ask
    client = await site.greeted()
    assert (await client.mail(b"x\r\n")).startswith(b"250")


async def test_the_clients_time_runs_again_when_it_should_read_our_answer(site: Site) -> None:
    await site.greeted()
    (session,) = site.server._shared.sessions
    assert isinstance(session, Session)
    session._stop_the_clock()
    await session._flush()
    assert session._deadline < math.inf


async def test_a_client_that_does_not_read_is_cut(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_GOODBYE_SECONDS", 0.1)
    async with running(certificates, idle="2s") as site:
        client = await site.greeted()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        flood = asyncio.create_task(client.send(b"VRFY x\r\n" * 500_000))
        while site.server.connections:
            await asyncio.sleep(0.02)
        flood.cancel()
        client.writer.transport.abort()
        await asyncio.wait({flood})


# -- TLS -----------------------------------------------------------------------------------------------------------


async def test_starttls_begins_a_new_session(site: Site) -> None:
    client = await site.greeted("relay_tls")
    assert (await client.ask(b"MAIL FROM:<a@example.org>")).startswith(b"250")
    await client.start_tls(site.certificates.client())
    assert await client.code(b"RCPT TO:<b@example.org>") == "503 5.5.1"
    assert await client.code(b"MAIL FROM:<a@example.org>") == "503 5.5.1"
    await client.ask(b"EHLO x")
    assert await client.code(b"STARTTLS") == "503 5.5.1"
    assert (await client.mail(b"x\r\n")).startswith(b"250")
    assert site.recorder.messages[0][0].peer.tls == "TLSv1.3"


@pytest.mark.parametrize("injected", [b"RCPT TO:<victim@example.org>\r\n", b"NOOP\r\n", b"x"])
async def test_nothing_sent_in_clear_behind_starttls_has_an_effect(site: Site, injected: bytes) -> None:
    client = await site.greeted("relay_tls")
    await client.send(b"MAIL FROM:<a@example.org>\r\nSTARTTLS\r\n" + injected)
    assert (await client.reply()).startswith(b"250")
    assert (await client.reply()).startswith(b"503 5.5.1")
    assert await client.rest() == b""


async def test_clear_text_after_the_220_is_a_failed_handshake(site: Site) -> None:
    client = await site.greeted("relay_tls")
    assert (await client.ask(b"STARTTLS")).startswith(b"220")
    await client.send(b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n")
    assert b"250" not in await client.rest()
    while site.server.connections:
        await asyncio.sleep(0.01)


async def test_starttls_takes_no_argument(site: Site) -> None:
    assert await (await site.greeted("relay_tls")).code(b"STARTTLS now") == "501 5.5.4"


async def test_a_large_message_passes_through_tls(site: Site) -> None:
    client = await site.greeted("relay_tls")
    await client.start_tls(site.certificates.client())
    await client.ask(b"EHLO x")
    content = b"".join(b"%070d\r\n" % n for n in range(40_000))
    assert (await client.mail(content)).startswith(b"250")
    assert site.recorder.contents == [content]


async def test_tls_below_1_2_is_refused(site: Site) -> None:
    context = site.certificates.client()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLS"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    client = await site.greeted("relay_tls")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await client.start_tls(context)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await site.dial("implicit", context)
