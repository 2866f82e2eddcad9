"""Opening connections by TLS policy, and single transactions, against the scripted sink."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.gateway import Delivery
from gateway.config.organisation import Provider
from gateway.delivery.answers import Verb
from gateway.delivery.relay import (
    Broken,
    Connection,
    Timers,
    Unreachable,
    hop_of,
    open_connection,
    stuffed,
)
from tests.delivery.sink import DROP, STALL, Script, Sink

TIMERS = Timers(command=20.0, data_start=20.0, block=20.0, final=20.0)
MAIL, RCPT, BODY = b"MAIL FROM:<a@x.example>\r\n", b"RCPT TO:<b@y.example>\r\n", b"Subject: x\r\n\r\nhello\r\n"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server(authority: trustme.CA, name: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def provider(sink: Sink, **changes: Any) -> Provider:
    values = {
        "name": "p",
        "host": "localhost" if changes.get("tls", "none") != "none" else "127.0.0.1",
        "port": sink.port,
        "tls": "none",
        "contract": "2026-01-01",
        "rights_clause": True,
    }
    return Provider.model_validate(values | changes)


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


async def opened(sink: Sink, password: str = "secret", timers: Timers = TIMERS, **changes: Any) -> Connection:
    return await open_connection(hop_of(provider(sink, **changes), "gateway.example", password), timers)


async def refused(sink: Sink, password: str = "secret", timers: Timers = TIMERS, **changes: Any) -> Unreachable:
    with pytest.raises(Unreachable) as caught:
        await opened(sink, password, timers, **changes)
    return caught.value


LOGIN = {"user": "secret"}
AS_USER = {"username": "user", "secret": "s"}


class TestTls:
    @pytest.mark.parametrize("implicit", [False, True])
    async def test_a_verified_connection_is_encrypted_and_logged_in(
        self, authority: trustme.CA, trusted: str, implicit: bool
    ) -> None:
        with Sink(Script(tls=server(authority), implicit_tls=implicit, logins=LOGIN)) as sink:
            tls = "implicit" if implicit else "verify"
            connection = await opened(sink, tls=tls, ca_file=trusted, **AS_USER)
            answer = await connection.transact(MAIL, RCPT, b"", BODY)
            await connection.quit()
            assert answer.code == 250
            (arrived,) = sink.accepted
            assert (arrived.tls, arrived.login, arrived.hello) == (True, "user", "gateway.example")

    @pytest.mark.parametrize(
        "break_it",
        [
            lambda script, other: setattr(script, "tls", server(other)),  # an authority that is not trusted
            lambda script, other: setattr(script, "hide_starttls", True),  # stripped on the way
            lambda script, other: setattr(script, "starttls", "454 4.7.0 not now"),
            lambda script, other: setattr(script, "starttls", DROP),
        ],
        ids=["unknown authority", "stripped", "refused", "dropped"],
    )
    async def test_verify_never_goes_on_without_and_shows_no_password(
        self, authority: trustme.CA, trusted: str, break_it: Callable[[Script, trustme.CA], None]
    ) -> None:
        script = Script(tls=server(authority), logins=LOGIN, auth_before_tls=True)
        break_it(script, trustme.CA())
        with Sink(script) as sink:
            error = await refused(sink, tls="verify", ca_file=trusted, **AS_USER)
            assert error.kind == "tls"
            assert {"AUTH", "MAIL"}.isdisjoint(sink.verbs())

    @pytest.mark.parametrize("implicit", [False, True])
    async def test_a_certificate_of_another_host_is_refused(
        self, authority: trustme.CA, trusted: str, implicit: bool
    ) -> None:
        script = Script(tls=server(authority, "other.example"), implicit_tls=implicit, logins=LOGIN)
        with Sink(script) as sink:
            error = await refused(sink, tls="implicit" if implicit else "verify", ca_file=trusted, **AS_USER)
            assert error.kind == "tls"
            assert {"AUTH", "MAIL"}.isdisjoint(sink.verbs())

    async def test_opportunistic_takes_what_there_is(self, authority: trustme.CA) -> None:
        with Sink(Script(tls=server(authority, "other.example"))) as with_tls, Sink() as without:
            for sink in (with_tls, without):
                connection = await opened(sink, tls="opportunistic")
                await connection.transact(MAIL, RCPT, b"", BODY)
                await connection.quit()
            assert (with_tls.accepted[0].tls, without.accepted[0].tls) == (True, False)

    @pytest.mark.parametrize("tls", ["none", "opportunistic"])
    async def test_a_password_never_goes_in_plain_text(self, tls: str) -> None:
        with Sink(Script(logins=LOGIN, auth_before_tls=True)) as sink:
            error = await refused(sink, tls=tls, **AS_USER)
            assert error.kind == "login"
            assert "AUTH" not in sink.verbs()

    async def test_a_wrong_password_is_told_once(self, authority: trustme.CA, trusted: str) -> None:
        with Sink(Script(tls=server(authority), logins=LOGIN)) as sink:
            error = await refused(sink, "wrong", tls="verify", ca_file=trusted, **AS_USER)
            assert (error.kind, error.answer and error.answer.code) == ("login", 535)
            assert sink.verbs().count("AUTH") == 1


class TestOpening:
    async def test_nobody_there(self) -> None:
        with Sink() as sink:
            pass
        assert (await refused(sink)).kind == "connect"

    @pytest.mark.parametrize(
        ("script", "kind"),
        [
            (Script(connect="554 5.7.1 go away"), "connect"),
            (Script(connect=DROP), "connect"),
            (Script(connect=STALL), "connect"),
            (Script(ehlo="550 5.7.1 no"), "hello"),
            (Script(ehlo=STALL), "hello"),
        ],
    )
    async def test_trouble_before_mail_is_named(self, script: Script, kind: str) -> None:
        timers = Timers(command=0.7, data_start=0.7, block=0.7, final=0.7)
        with Sink(script) as sink:
            assert (await refused(sink, timers=timers)).kind == kind

    def test_timers_follow_the_settings_within_the_standard(self) -> None:
        assert Timers.of(Delivery()) == Timers(command=300.0, data_start=120.0, block=180.0, final=600.0)


@pytest.fixture(params=[("PIPELINING",), ()], ids=["pipelined", "stepwise"])
def offers(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return tuple(request.param)


class TestTransaction:
    async def test_several_on_one_connection(self, offers: tuple[str, ...]) -> None:
        with Sink(Script(offers=offers)) as sink:
            connection = await opened(sink)
            for number in range(3):
                answer = await connection.transact(MAIL, RCPT, b"X-N: %d\r\n" % number, BODY)
                assert (answer.verb, answer.code) == (Verb.CONTENT, 250)
                assert connection.reusable
            await connection.quit()
            assert [t.content for t in sink.accepted] == [b"X-N: %d\r\n" % n + BODY for n in range(3)]
            assert sink.verbs() == ["EHLO", *["MAIL", "RCPT", "DATA"] * 3, "QUIT"]

    @pytest.mark.parametrize(
        ("script", "verb", "code"),
        [
            ({"mail": ["550 5.1.8 no"]}, Verb.MAIL, 550),
            ({"rcpt": ["451 4.2.0 later"]}, Verb.RCPT, 451),
            ({"data": ["554 5.5.0 no"]}, Verb.DATA, 554),
            ({"content": ["552 5.3.4 big"]}, Verb.CONTENT, 552),
        ],
    )
    async def test_a_refusal_at_each_verb_leaves_the_connection_usable(
        self, offers: tuple[str, ...], script: dict[str, list[str]], verb: Verb, code: int
    ) -> None:
        with Sink(Script(offers=offers, **{name: list(steps) for name, steps in script.items()})) as sink:
            connection = await opened(sink)
            answer = await connection.transact(MAIL, RCPT, b"", BODY)
            assert (answer.verb, answer.code) == (verb, code)
            assert connection.reusable
            assert (await connection.transact(MAIL, RCPT, b"", BODY)).code == 250
            await connection.quit()
            assert (sink.connections, len(sink.accepted)) == (1, 1)

    @pytest.mark.parametrize(
        ("script", "verb", "dot"),
        [
            ({"mail": STALL}, Verb.MAIL, False),
            ({"rcpt": STALL}, Verb.RCPT, False),
            ({"data": STALL}, Verb.DATA, False),
            ({"content": STALL}, Verb.CONTENT, True),
            ({"mail": DROP}, Verb.MAIL, False),
            ({"rcpt": DROP}, Verb.RCPT, False),
            ({"data": DROP}, Verb.DATA, False),
            ({"content": DROP}, Verb.CONTENT, True),
        ],
    )
    async def test_where_a_connection_was_lost_is_known(
        self, offers: tuple[str, ...], script: dict[str, str], verb: Verb, dot: bool
    ) -> None:
        with Sink(Script(offers=offers, **script)) as sink:
            connection = await opened(sink)
            if STALL in script.values():
                connection._timers = Timers(command=0.1, data_start=0.1, block=0.1, final=0.1)
            with pytest.raises(Broken) as caught:
                await connection.transact(MAIL, RCPT, b"", BODY)
            assert (caught.value.verb, caught.value.dot) == (verb, dot)
            assert caught.value.why == ("timeout" if STALL in script.values() else "closed")
            assert not connection.reusable

    async def test_an_answer_before_the_end_of_the_content_is_the_answer(self) -> None:
        lines = [b"250 sink\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"552 5.3.4 enough\r\n"]
        async with Peer(b"220 sink\r\n", lines) as (port, _):
            connection = await _open_at(port)
            answer = await connection.transact(MAIL, RCPT, b"", b"x" * 70 + b"\r\n" * 3_000_000)
            assert (answer.code, connection.reusable) == (552, False)
            connection.abort()

    async def test_354_without_a_recipient_gets_a_single_dot(self) -> None:
        replies = [
            b"250-sink\r\n250 PIPELINING\r\n",
            b"",
            b"",
            b"250 ok\r\n550 5.1.1 no\r\n354 go\r\n",
            b"554 none\r\n",
        ]
        async with Peer(b"220 sink\r\n", replies) as (port, seen):
            connection = await _open_at(port)
            answer = await connection.transact(MAIL, RCPT, b"", BODY)
            assert (answer.verb, answer.code) == (Verb.RCPT, 550)
            assert connection.reusable
            connection.abort()
        assert seen == [b"EHLO gateway.example\r\n", MAIL, RCPT, b"DATA\r\n", b".\r\n"]

    async def test_a_reply_nobody_asked_for_ends_the_connection(self) -> None:
        replies = [b"250-sink\r\n250 PIPELINING\r\n", b"", b"", b"250 ok\r\n250 ok\r\n354 go\r\n250 a\r\n250 b\r\n"]
        async with Peer(b"220 sink\r\n", replies) as (port, _):
            connection = await _open_at(port)
            with pytest.raises(Broken) as caught:
                await connection.transact(MAIL, RCPT, b"", BODY)
            assert caught.value.why == "desync"

    async def test_large_content_arrives_whole(self, offers: tuple[str, ...]) -> None:
        body = b"Subject: x\r\n\r\n" + b".dots\r\n" * 150_000 + b"last" * 200 + b"\r\n"
        with Sink(Script(offers=offers)) as sink:
            connection = await opened(sink)
            await connection.transact(MAIL, RCPT, b"", body)
            await connection.quit()
            assert sink.accepted[0].content == body
            assert sink.faults == []


class Peer:
    """A peer that answers each line with the next canned bytes, to misbehave in ways the sink does not."""

    def __init__(self, greeting: bytes, replies: list[bytes]) -> None:
        self.greeting, self.replies, self.seen = greeting, replies, list[bytes]()
        self.ended = asyncio.Event()

    async def __aenter__(self) -> tuple[int, list[bytes]]:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1], self.seen

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.greeting)
        for reply in self.replies:
            self.seen.append(await reader.readline())
            writer.write(reply)
        try:
            while await reader.read(65536):
                pass
        except ConnectionError:
            pass
        writer.close()
        self.ended.set()

    async def __aexit__(self, *_: object) -> None:
        await self.ended.wait()
        self.server.close()


async def _open_at(port: int) -> Connection:
    made = Provider.model_validate(
        {"name": "p", "host": "127.0.0.1", "port": port, "tls": "none", "contract": "2026-01-01", "rights_clause": True}
    )
    return await open_connection(hop_of(made, "gateway.example", ""), TIMERS)


def unstuffed(octets: bytes) -> bytes:
    """RFC 5321 4.5.2 read from the other side: up to the first lone dot, one dot off each line that starts with one."""
    lines = octets.split(b"\r\n")
    end = lines.index(b".")
    assert lines[end + 1 :] == [b""]
    return b"".join((line[1:] if line.startswith(b".") else line) + b"\r\n" for line in lines[:end])


@given(st.lists(st.sampled_from([b".", b"..", b".x", b"x", b"", b"x" * 998, b"..x."]), max_size=30), st.booleans())
@settings(deadline=None, max_examples=100)
def test_dots_survive_and_never_end_the_message_early(lines: list[bytes], closed: bool) -> None:
    body = b"\r\n".join(lines) + (b"\r\n" if closed and lines else b"")
    wire = b"".join(chunk for chunk, _ in stuffed(b"", body))
    expected = body if not body or body.endswith(b"\r\n") else body + b"\r\n"
    assert unstuffed(wire) == expected


def test_only_the_last_chunk_carries_the_final_dot() -> None:
    body = (b"." * 900 + b"\r\n") * 3000
    chunks = list(stuffed(b"H: x\r\n", body))
    assert len(chunks) > 5
    assert [last for _, last in chunks] == [False] * (len(chunks) - 1) + [True]
    assert all(chunk.endswith(b"\r\n") for chunk, _ in chunks)
    assert unstuffed(b"".join(chunk for chunk, _ in chunks)) == b"H: x\r\n" + body
