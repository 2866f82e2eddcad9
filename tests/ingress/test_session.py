from __future__ import annotations

import asyncio
import base64
import random

import pytest
from aiosmtpd.smtp import SMTP

from gateway import reply
from gateway.address import Address
from gateway.envelope import Envelope, Notify, Peer
from gateway.ingress.clients import ClientDirectory, ClientEntry
from gateway.ingress.session import Session
from gateway.observe import metrics
from gateway.reply import Reply
from tests.ingress.setting import ELSEWHERE, HOST, LOOPBACK, PASSWORD, SHOP, STORED, Certificates, Site, running

MESSAGE = b"From: a@example.org\r\nSubject: x\r\n\r\nbody\r\n"
ALWAYS = {"8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES", "DSN"}


def b64(text: str) -> bytes:
    return base64.b64encode(text.encode())


def plain(name: str, password: str = PASSWORD) -> bytes:
    return b"AUTH PLAIN " + b64(f"\0{name}\0{password}")


def keywords(ehlo: bytes) -> set[str]:
    lines = ehlo.decode().split("\r\n")[:-1]
    assert all(line[3] == ("-" if n < len(lines) - 1 else " ") for n, line in enumerate(lines))
    assert lines[0][4:] == HOST
    return {line[4:] for line in lines[1:] if not line[4:].startswith("SIZE ")}


# -- one message ---------------------------------------------------------------------------------------------------


async def test_a_message_arrives_with_its_exact_octets_and_envelope(site: Site) -> None:
    client = await site.greeted()
    assert await client.code(b"MAIL FROM:<Ann@Example.org> BODY=8BITMIME RET=HDRS ENVID=QQ1 SIZE=50") == "250 2.1.0"
    assert await client.code(b"RCPT TO:<b@example.org> NOTIFY=DELAY ORCPT=rfc822;B@example.org") == "250 2.1.5"
    assert await client.code(b"RCPT TO:<c@example.org>") == "250 2.1.5"
    assert await client.ask(b"DATA") == b"354 End data with <CR><LF>.<CR><LF>\r\n"
    assert await client.code(b"Subject: x\r\n\r\n..\r\n..dot\r\n\xe9\r\n.") == "250 2.6.0"
    ((envelope, content),) = site.recorder.messages
    assert content == b"Subject: x\r\n\r\n.\r\n.dot\r\n\xe9\r\n"
    assert envelope.client == "shop"
    assert envelope.sender is not None
    assert envelope.sender.reveal() == "Ann@Example.org"
    assert [r.address.reveal() for r in envelope.recipients] == ["b@example.org", "c@example.org"]
    assert envelope.recipients[0].notify == {Notify.DELAY}
    assert envelope.recipients[0].orcpt == "rfc822;B@example.org"
    assert (envelope.eight_bit, envelope.smtputf8, envelope.ret, envelope.envid) == (True, False, "HDRS", "QQ1")
    assert envelope.peer == Peer("127.0.0.1", "client.example.org", "", authenticated=False, esmtp=True)


async def test_many_messages_on_one_connection_stay_apart(site: Site) -> None:
    client = await site.greeted()
    for number in range(20):
        assert (await client.mail(b"Subject: %d\r\n\r\n" % number)).startswith(b"250 2.6.0")
    assert site.recorder.contents == [b"Subject: %d\r\n\r\n" % n for n in range(20)]


async def test_helo_still_works(site: Site) -> None:
    client = await site.dial()
    assert (await client.reply()).startswith(b"220 " + HOST.encode())
    assert await client.ask(b"HELO old.example.org") == b"250 " + HOST.encode() + b"\r\n"
    assert (await client.mail(MESSAGE)).startswith(b"250")
    assert site.recorder.messages[0][0].peer == Peer("127.0.0.1", "old.example.org", "", esmtp=False)


async def test_a_strange_helo_name_is_taken_but_kept_harmless(site: Site) -> None:
    client = await site.dial()
    await client.reply()
    await client.ask("EHLO jos\u00e9 (x) <a@b>".encode() + b"x" * 300)
    await client.mail(MESSAGE)
    helo = site.recorder.messages[0][0].peer.helo
    assert helo.startswith("jos???x???a?b?x")
    assert len(helo) == 255


# -- what is offered -----------------------------------------------------------------------------------------------


async def test_ehlo_offers_exactly_what_is_true(site: Site) -> None:
    expected = {
        "relay": ALWAYS,
        "relay_tls": ALWAYS | {"STARTTLS"},
        "submission": ALWAYS | {"STARTTLS"},
    }
    for name, offered in expected.items():
        client = await site.dial(name)
        await client.reply()
        assert keywords(await client.ask(b"EHLO x")) == offered, name
    client = await site.greeted("submission")
    await client.start_tls(site.certificates.client())
    assert keywords(await client.ask(b"EHLO x")) == ALWAYS | {"AUTH PLAIN LOGIN"}
    client = await site.greeted("relay_tls")
    await client.start_tls(site.certificates.client())
    assert keywords(await client.ask(b"EHLO x")) == ALWAYS


async def test_the_size_offered_is_the_size_taken(certificates: Certificates) -> None:
    async with running(certificates, message_size=1000) as site:
        client = await site.dial()
        await client.reply()
        assert b"250-SIZE 1000\r\n" in await client.ask(b"EHLO x")
        assert await client.code(b"MAIL FROM:<a@example.org> SIZE=1001") == "552 5.3.4"
        assert (await client.mail(b"x" * 998 + b"\r\n")).startswith(b"250")
        assert (await client.mail(b"x" * 999 + b"\r\n")).startswith(b"552 5.3.4")
        assert (await client.mail(b"after\r\n")).startswith(b"250")
        assert [len(c) for c in site.recorder.contents] == [1000, 7]


# -- order and small verbs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"MAIL FROM:<a@example.org>"], "503 5.5.1"),
        ([b"EHLO x", b"RCPT TO:<b@example.org>"], "503 5.5.1"),
        ([b"EHLO x", b"DATA"], "503 5.5.1"),
        ([b"EHLO x", b"MAIL FROM:<a@example.org>", b"DATA"], "503 5.5.1"),
        ([b"EHLO x", b"MAIL FROM:<a@example.org>", b"MAIL FROM:<a@example.org>"], "503 5.5.1"),
        ([b"EHLO x", b"MAIL FROM:<a@example.org>", b"RSET", b"RCPT TO:<b@example.org>"], "503 5.5.1"),
        ([b"EHLO x", b"MAIL FROM:<a@example.org>", b"EHLO x", b"RCPT TO:<b@example.org>"], "503 5.5.1"),
        ([b"EHLO x", b"MAIL FROM:<a@example.org>", b"HELO x", b"RCPT TO:<b@example.org>"], "503 5.5.1"),
        ([b"EHLO x", b"MAIL FROM:<>", b"RCPT TO:<b@example.org>", b"DATA now"], "501 5.5.4"),
        ([b"EHLO"], "501 5.5.4"),
        ([b"HELO"], "501 5.5.4"),
        ([b"RSET x"], "501 5.5.4"),
        ([b"RSET"], "250 2.0.0"),
        ([b"NOOP"], "250 2.0.0"),
        ([b"NOOP anything"], "250 2.0.0"),
        ([b"noop"], "250 2.0.0"),
        ([b"VRFY someone"], "252 2.5.2"),
        ([b"VRFY"], "501 5.5.4"),
        ([b"EXPN list"], "502 5.5.1"),
        ([b"HELP"], "502 5.5.1"),
        ([b"AUTH PLAIN"], "502 5.5.1"),
        ([b"STARTTLS"], "502 5.5.1"),
        ([b"FOO bar"], "500 5.5.1"),
        ([b""], "500 5.5.1"),
        ([b" NOOP"], "500 5.5.1"),
        ([b"\xff\xfe"], "500 5.5.1"),
        ([b"EHLO x", b"MAIL FROM:<a@example.org> FOO=1"], "555 5.5.4"),
        ([b"EHLO x", b"MAIL FROM:<>", b"RCPT TO:<b@example.org> FOO=1"], "555 5.5.4"),
    ],
)
async def test_commands_on_a_relay_listener(site: Site, lines: list[bytes], expected: str) -> None:
    client = await site.dial()
    await client.reply()
    for line in lines[:-1]:
        assert (await client.ask(line)).startswith(b"250"), line
    assert await client.code(lines[-1]) == expected
    assert await client.code(b"QUIT") == "221 2.0.0"
    assert await client.rest() == b""
    assert site.recorder.messages == []


@pytest.mark.parametrize("address", [b"known@example.org", b"unknown@example.org", b"<erased@example.org>"])
async def test_vrfy_says_the_same_of_everybody(site: Site, address: bytes) -> None:
    client = await site.greeted()
    assert await client.ask(b"VRFY " + address) == b"252 2.5.2 Cannot verify; send some mail\r\n"
    assert site.recorder.asked == []


@pytest.mark.parametrize("verb", [b"GET / HTTP/1.1", b"POST / HTTP/1.1", b"CONNECT a:25", b"BDAT 100 LAST"])
async def test_what_brings_content_behind_it_ends_the_session(site: Site, verb: bytes) -> None:
    client = await site.greeted()
    await client.send(verb + b"\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")
    assert (await client.rest()).startswith(b"500 5.5.1")
    assert site.recorder.messages == []


async def test_command_lines_have_a_length_per_verb(site: Site) -> None:
    limits = {b"NOOP": 512, b"MAIL FROM:<a@example.org>": 1165, b"RCPT TO:<b@example.org>": 1012}
    for verb, limit in limits.items():
        client = await site.greeted()
        if verb.startswith(b"RCPT"):
            await client.ask(b"MAIL FROM:<a@example.org>")
        fits = await client.ask(verb + b" " + b"X" * (limit - len(verb) - 3))
        over = await client.ask(verb + b" " + b"X" * (limit - len(verb) - 2))
        assert fits[:3] in (b"250", b"555"), verb
        assert over.startswith(b"500 5.5.2"), verb
        assert await client.code(b"NOOP") == "250 2.0.0"


async def test_a_session_of_nothing_but_errors_ends(certificates: Certificates) -> None:
    async with running(certificates, errors=5) as site:
        client = await site.greeted()
        for _ in range(4):
            assert await client.code(b"FOO") == "500 5.5.1"
        assert await client.code(b"FOO") == "500 5.5.1"
        assert (await client.reply()).startswith(b"421 4.7.0")
        assert await client.rest() == b""


async def test_a_stored_message_forgives_earlier_errors(certificates: Certificates) -> None:
    async with running(certificates, errors=5) as site:
        client = await site.greeted()
        for _ in range(3):
            for _ in range(4):
                await client.ask(b"FOO")
            assert (await client.mail(MESSAGE)).startswith(b"250")


# -- recipients ----------------------------------------------------------------------------------------------------


async def test_over_the_recipient_limit_the_rest_is_for_a_second_transaction(site: Site) -> None:
    client = await site.greeted()
    await client.ask(b"MAIL FROM:<a@example.org>")
    codes = [await client.code(b"RCPT TO:<p%d@example.org>" % n) for n in range(150)]
    assert codes == ["250 2.1.5"] * 100 + ["452 4.5.3"] * 50
    await client.ask(b"DATA")
    assert await client.code(b"x\r\n.") == "250 2.6.0"
    assert len(site.recorder.messages[0][0].recipients) == 100


async def test_a_blocked_recipient_is_refused_at_rcpt_where_the_client_wants_it(site: Site) -> None:
    async def refuse(client: str, address: Address) -> Reply | None:
        return reply.BLOCKED if address.local == "blocked" else None

    site.recorder.refusal = refuse
    client = await site.greeted()
    await client.ask(b"MAIL FROM:<a@example.org>")
    assert await client.code(b"RCPT TO:<blocked@example.org>") == "550 5.7.1"
    assert await client.code(b"DATA") == "554 5.5.1"
    assert await client.code(b"RCPT TO:<free@example.org>") == "250 2.1.5"
    await client.ask(b"DATA")
    assert await client.code(b"x\r\n.") == "250 2.6.0"
    assert [r.address.local for r in site.recorder.messages[0][0].recipients] == ["free"]
    assert [c for c, _ in site.recorder.asked] == ["shop", "shop"]


async def test_policy_refusals_do_not_end_the_session(site: Site) -> None:
    async def refuse(client: str, address: Address) -> Reply | None:
        return reply.BLOCKED

    site.recorder.refusal = refuse
    client = await site.greeted()
    await client.ask(b"MAIL FROM:<a@example.org>")
    assert {await client.code(b"RCPT TO:<b@example.org>") for _ in range(60)} == {"550 5.7.1"}


async def test_a_client_that_refuses_at_the_dot_is_not_asked_about_at_rcpt(certificates: Certificates) -> None:
    async with running(certificates, [ClientEntry("shop", "school", LOOPBACK, refuse="dot")]) as site:
        client = await site.greeted()
        assert (await client.mail(MESSAGE)).startswith(b"250")
        assert site.recorder.asked == []


@pytest.mark.parametrize("spelling", [b"postmaster", b"Postmaster", b"POSTMASTER@example.org"])
async def test_postmaster_is_taken_even_when_nothing_can_be_asked(site: Site, spelling: bytes) -> None:
    async def broken(client: str, address: Address) -> Reply | None:
        raise OSError("the store is away")

    site.recorder.refusal = broken
    client = await site.greeted()
    await client.ask(b"MAIL FROM:<a@example.org>")
    assert await client.code(b"RCPT TO:<" + spelling + b">") == "250 2.1.5"
    assert await client.code(b"RCPT TO:<other@example.org>") == "451 4.3.0"
    await client.ask(b"DATA")
    assert await client.code(b"x\r\n.") == "250 2.6.0"


# -- who may send --------------------------------------------------------------------------------------------------


async def test_nobody_from_outside_the_networks_is_relayed(certificates: Certificates) -> None:
    async with running(certificates, [ClientEntry("shop", "school", ELSEWHERE)]) as site:
        for line in (b"MAIL FROM:<a@example.org>", b"MAIL FROM:<>", b"MAIL FROM:<postmaster@example.org>"):
            client = await site.greeted()
            assert await client.code(line) == "530 5.7.0"
            assert await client.code(b"RCPT TO:<victim@example.net>") == "503 5.5.1"
            assert await client.code(b"DATA") == "503 5.5.1"
        assert site.recorder.messages == []


async def test_a_peer_that_two_clients_claim_is_refused(certificates: Certificates) -> None:
    async with running(certificates, [ClientEntry("a", "one", LOOPBACK), ClientEntry("b", "two", LOOPBACK)]) as site:
        assert await (await site.greeted()).code(b"MAIL FROM:<a@example.org>") == "554 5.7.1"


async def test_a_client_known_only_by_its_secret_gets_nothing_on_a_relay_listener(certificates: Certificates) -> None:
    async with running(certificates, [ClientEntry("crm", "school", (), STORED)]) as site:
        assert await (await site.greeted()).code(b"MAIL FROM:<a@example.org>") == "530 5.7.0"


async def test_submission_needs_tls_first(site: Site) -> None:
    client = await site.greeted("submission")
    for line in (b"MAIL FROM:<a@example.org>", b"RCPT TO:<b@example.org>", b"DATA", b"VRFY x", b"EXPN x"):
        assert await client.code(line) == "530 5.7.0", line
    assert await client.code(plain("crm")) == "538 5.7.11"
    assert await client.code(b"AUTH LOGIN") == "538 5.7.11"
    assert await client.code(b"NOOP") == "250 2.0.0"
    assert site.recorder.messages == []


async def test_submission_needs_a_login(site: Site) -> None:
    client = await site.encrypted()
    assert await client.code(b"MAIL FROM:<a@example.org>") == "530 5.7.0"
    assert await client.code(b"RCPT TO:<b@example.org>") == "503 5.5.1"


async def test_a_submitted_message_says_who_and_how(site: Site) -> None:
    client = await site.encrypted()
    assert await client.code(plain("crm")) == "235 2.7.0"
    assert (await client.mail(MESSAGE)).startswith(b"250")
    envelope = site.recorder.messages[0][0]
    assert envelope.client == "crm"
    assert (envelope.peer.tls, envelope.peer.authenticated) == ("TLSv1.3", True)


async def test_a_client_outside_its_networks_is_refused_before_mail(site: Site) -> None:
    client = await site.encrypted()
    assert await client.code(plain("foreign")) == "554 5.7.1"
    assert await client.code(b"MAIL FROM:<a@example.org>") == "530 5.7.0"
    assert await client.code(plain("foreign", "wrong")) == "535 5.7.8"


async def test_a_withdrawn_client_cannot_go_on_in_its_open_session(site: Site) -> None:
    client = await site.encrypted()
    await client.ask(plain("crm"))
    assert (await client.mail(MESSAGE)).startswith(b"250")
    site.server.use_clients(ClientDirectory([SHOP]))
    assert await client.code(b"MAIL FROM:<a@example.org>") == "530 5.7.0"


async def test_networks_that_became_narrower_count_in_open_sessions(site: Site) -> None:
    client = await site.encrypted()
    await client.ask(plain("crm"))
    site.server.use_clients(ClientDirectory([ClientEntry("crm", "de-school", ELSEWHERE, STORED)]))
    assert await client.code(b"MAIL FROM:<a@example.org>") == "554 5.7.1"


# -- AUTH (RFC 4954) -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        ([plain("crm")], ["235 2.7.0"]),
        ([b"auth plain " + b64(f"\0crm\0{PASSWORD}")], ["235 2.7.0"]),
        ([b"AUTH PLAIN", b64(f"\0crm\0{PASSWORD}")], ["334", "235 2.7.0"]),
        ([b"AUTH LOGIN", b64("crm"), b64(PASSWORD)], ["334", "334", "235 2.7.0"]),
        ([b"AUTH LOGIN " + b64("crm"), b64(PASSWORD)], ["334", "235 2.7.0"]),
        ([plain("crm", "wrong")], ["535 5.7.8"]),
        ([plain("nobody")], ["535 5.7.8"]),
        ([plain("shop", "")], ["535 5.7.8"]),
        ([b"AUTH PLAIN ="], ["501 5.5.2"]),
        ([b"AUTH LOGIN", b64("nobody"), b64("x")], ["334", "334", "535 5.7.8"]),
        ([b"AUTH PLAIN", b"*"], ["334", "501 5.7.0"]),
        ([b"AUTH LOGIN", b64("crm"), b"*"], ["334", "334", "501 5.7.0"]),
        ([b"AUTH PLAIN not-base64"], ["501 5.5.2"]),
        ([b"AUTH PLAIN", b"not base64"], ["334", "501 5.5.2"]),
        ([b"AUTH PLAIN " + b64("crm\0x")], ["501 5.5.2"]),
        ([b"AUTH"], ["501 5.5.4"]),
        ([b"AUTH PLAIN a b"], ["501 5.5.4"]),
        ([b"AUTH CRAM-MD5"], ["504 5.5.4"]),
        ([plain("crm"), plain("crm")], ["235 2.7.0", "503 5.5.1"]),
        ([plain("crm"), b"MAIL FROM:<a@example.org>", plain("crm")], ["235 2.7.0", "250 2.1.0", "503 5.5.1"]),
        ([b"HELO x", plain("crm")], [f"250 {HOST}\r\n", "503 5.5.1"]),
        ([b"AUTH PLAIN " + b"A" * (12288 - 13)], ["501 5.5.2"]),
        ([b"AUTH PLAIN " + b"A" * (12288 - 12)], ["500 5.5.2"]),
        ([b"AUTH PLAIN", b"A" * 12286], ["334", "501 5.5.2"]),
        ([b"AUTH PLAIN", b"A" * 12287], ["334", "500 5.5.2"]),
        ([plain("crm"), b"MAIL FROM:<a@example.org> AUTH=boss@example.org"], ["235 2.7.0", "250 2.1.0"]),
    ],
)
async def test_auth(site: Site, lines: list[bytes], codes: list[str]) -> None:
    client = await site.encrypted()
    answers = [await client.code(line) for line in lines]
    assert answers == codes


async def test_the_challenge_keeps_its_space_and_asks_in_words(site: Site) -> None:
    client = await site.encrypted()
    assert await client.ask(b"AUTH PLAIN") == b"334 \r\n"
    await client.ask(b"*")
    assert await client.ask(b"AUTH LOGIN") == b"334 VXNlcm5hbWU6\r\n"
    assert await client.ask(b64("crm")) == b"334 UGFzc3dvcmQ6\r\n"


async def test_wrong_name_and_wrong_password_sound_the_same(site: Site) -> None:
    client = await site.encrypted()
    assert await client.ask(plain("crm", "wrong")) == await client.ask(plain("nobody", "wrong"))


async def test_after_three_failed_logins_the_session_ends(site: Site) -> None:
    failures = metrics.LOGIN_FAILURES.labels("submission")
    before = failures._value.get()
    client = await site.encrypted()
    for _ in range(3):
        assert await client.code(plain("crm", "wrong")) == "535 5.7.8"
    assert (await client.reply()).startswith(b"421 4.7.0")
    assert await client.rest() == b""
    assert failures._value.get() == before + 3


# -- faults (I-3) --------------------------------------------------------------------------------------------------


async def _raise(envelope: Envelope, content: bytes) -> Reply:
    raise RuntimeError("secret detail about b@example.org")


async def _nothing(envelope: Envelope, content: bytes) -> Reply:
    return None  # type: ignore[return-value]


async def _text(envelope: Envelope, content: bytes) -> Reply:
    return "250 OK"  # type: ignore[return-value]


async def _half(envelope: Envelope, content: bytes) -> Reply:
    return reply.START_DATA


async def _cancelled(envelope: Envelope, content: bytes) -> Reply:
    raise asyncio.CancelledError


def _not_even_async(envelope: Envelope, content: bytes) -> Reply:
    raise KeyError("b@example.org")


@pytest.mark.parametrize("answer", [_raise, _nothing, _text, _half, _cancelled, _not_even_async])
async def test_whatever_accept_does_wrong_the_client_keeps_its_mail(
    site: Site, answer: object, capfd: pytest.CaptureFixture[str]
) -> None:
    before = metrics.FAULTS.labels("ingress")._value.get()
    site.recorder.answer = answer  # type: ignore[assignment]
    client = await site.greeted()
    assert await client.mail(MESSAGE) == b"451 4.3.0 Cannot process now; try again later\r\n"
    assert metrics.FAULTS.labels("ingress")._value.get() == before + 1
    site.recorder.answer = None
    assert (await client.mail(MESSAGE)).startswith(b"250 2.6.0")
    printed = "".join(capfd.readouterr())
    assert "b@example.org" not in printed
    assert "secret detail" not in printed


@pytest.mark.parametrize("answer", [reply.LEAK, reply.TRY_LATER, reply.MALFORMED, reply.QUEUED])
async def test_the_answer_of_accept_is_the_answer(site: Site, answer: Reply) -> None:
    async def give(envelope: Envelope, content: bytes) -> Reply:
        return answer

    site.recorder.answer = give
    client = await site.greeted()
    assert await client.mail(MESSAGE) == str(answer).encode() + b"\r\n"


async def test_a_421_of_accept_ends_the_session(site: Site) -> None:
    async def stop(envelope: Envelope, content: bytes) -> Reply:
        return reply.SHUTTING_DOWN

    site.recorder.answer = stop
    client = await site.greeted()
    assert (await client.mail(MESSAGE)).startswith(b"421 4.3.2")
    assert await client.rest() == b""


async def test_a_client_that_hangs_up_stops_nothing_halfway(site: Site) -> None:
    begun, go_on, stored = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(envelope: Envelope, content: bytes) -> Reply:
        begun.set()
        await go_on.wait()
        stored.set()
        return reply.QUEUED

    site.recorder.answer = slow
    client = await site.greeted()
    await client.ask(b"MAIL FROM:<a@example.org>")
    await client.ask(b"RCPT TO:<b@example.org>")
    await client.ask(b"DATA")
    await client.send(MESSAGE + b".\r\n")
    await asyncio.wait_for(begun.wait(), 120)
    client.reset()
    while site.server.connections:
        await asyncio.sleep(0.01)
    assert site.server.storing == 1
    go_on.set()
    await asyncio.wait_for(stored.wait(), 120)


async def test_a_client_that_vanishes_within_data_leaves_nothing(site: Site) -> None:
    client = await site.greeted()
    await client.ask(b"MAIL FROM:<a@example.org>")
    await client.ask(b"RCPT TO:<b@example.org>")
    await client.ask(b"DATA")
    await client.send(MESSAGE)
    client.reset()
    while site.server.connections:
        await asyncio.sleep(0.01)
    assert site.recorder.messages == []
    assert site.server._shared.budget.used == 0


async def test_with_no_memory_at_all_not_even_354_is_said(site: Site) -> None:
    budget = site.server._shared.budget
    budget.take(budget.limit)
    client = await site.greeted()
    await client.ask(b"MAIL FROM:<a@example.org>")
    await client.ask(b"RCPT TO:<b@example.org>")
    assert await client.code(b"DATA") == "451 4.4.5"
    budget.give_back(budget.limit)
    assert (await client.mail(MESSAGE)).startswith(b"250")


async def test_without_memory_left_data_is_put_off(certificates: Certificates) -> None:
    held = asyncio.Event()

    async def hold(envelope: Envelope, content: bytes) -> Reply:
        await held.wait()
        return reply.QUEUED

    async with running(certificates, memory=1000) as site:
        site.recorder.answer = hold
        first, second = await site.greeted(), await site.greeted()
        waiting = asyncio.create_task(first.mail(b"x" * 700 + b"\r\n"))
        while not site.recorder.messages:
            await asyncio.sleep(0.01)
        assert (await second.mail(b"x" * 700 + b"\r\n")).startswith(b"451 4.4.5")
        held.set()
        assert (await waiting).startswith(b"250")
        assert (await second.mail(b"x" * 700 + b"\r\n")).startswith(b"250")


# -- smuggling (R-003) ---------------------------------------------------------------------------------------------

FALSE_ENDS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r\r\n.\r\r\n", b"\r\n\0.\r\n"]
SECOND = b"MAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nSubject: second\r\n\r\n.\r\n"


@pytest.mark.parametrize("end", FALSE_ENDS)
@pytest.mark.parametrize("pieces", [1, 0])
async def test_nothing_can_be_smuggled_behind_a_false_end(site: Site, end: bytes, pieces: int) -> None:
    client = await site.greeted()
    await client.ask(b"MAIL FROM:<a@example.org>")
    await client.ask(b"RCPT TO:<b@example.org>")
    await client.ask(b"DATA")
    # The second SECOND lies behind a true end: the session must be closed before it gets there.
    octets = b"Subject: first\r\n\r\nx" + end + SECOND + SECOND
    try:
        for start in range(0, len(octets), pieces or len(octets)):
            await client.send(octets[start : start + (pieces or len(octets))])
    except ConnectionError:
        pass  # refused and closed before we were done
    answer = await client.rest()
    assert answer.startswith(b"550 5.5.2")
    assert answer.count(b"\r\n") == 1
    assert site.recorder.messages == []


async def test_two_honest_messages_in_one_packet_are_two(site: Site) -> None:
    client = await site.greeted()
    one = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\none\r\n.\r\n"
    await client.send(one + one.replace(b"one", b"two") + b"QUIT\r\n")
    answer = await client.rest()
    assert [line[:3] for line in answer.splitlines()] == [b"250", b"250", b"354", b"250"] * 2 + [b"221"]
    assert site.recorder.contents == [b"one\r\n", b"two\r\n"]


# -- pipelining and fuzz -------------------------------------------------------------------------------------------

SCRIPT = (
    b"EHLO one\r\nMAIL FROM:<a@example.org> SIZE=10\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<bad\r\n"
    b"RCPT TO:<c@example.org> NOTIFY=NEVER\r\nDATA\r\nSubject: 1\r\n\r\n..x\r\n.\r\n"
    b"NOOP\r\nFOO\r\nMAIL FROM:<a@example.org>\r\nRSET\r\nRCPT TO:<b@example.org>\r\nVRFY x\r\n"
    b"MAIL FROM:<>\r\nRCPT TO:<postmaster>\r\nDATA\r\n.\r\nHELO two\r\nMAIL FROM:<a@example.org>\r\n"
    b"RCPT TO:<d@example.org>\r\nDATA\r\nlast\r\n.\r\nQUIT\r\n"
)


async def test_random_chunks_give_the_same_as_line_by_line(site: Site) -> None:
    client = await site.dial()
    for line in SCRIPT.splitlines(keepends=True):
        await client.send(line)
        await asyncio.sleep(0)
    expected, messages = await client.rest(), site.recorder.contents
    assert messages == [b"Subject: 1\r\n\r\n.x\r\n", b"", b"last\r\n"]
    for seed in range(25):
        chance = random.Random(seed)
        site.recorder.messages.clear()
        client = await site.dial()
        at = 0
        while at < len(SCRIPT):
            size = chance.choice((1, 2, 3, 7, 40, 200, 1000))
            await client.send(SCRIPT[at : at + size])
            await asyncio.sleep(0)
            at += size
        assert await client.rest() == expected, seed
        assert site.recorder.contents == messages, seed


async def test_no_order_of_commands_makes_a_message_without_mail_rcpt_and_data(certificates: Certificates) -> None:
    text = (
        "EHLO x|HELO x|MAIL FROM:<a@example.org>|MAIL FROM:<bad|RCPT TO:<b@example.org>|RCPT TO:<bad|RSET|NOOP|VRFY x"
    )
    lines = [line.encode() for line in f"{text}|DATA x|STARTTLS|AUTH PLAIN|FOO|DATA|DATA".split("|")]
    async with running(certificates, errors=10_000) as site:
        for seed in range(40):
            chance = random.Random(seed)
            client = await site.dial()
            await client.reply()
            ready = [False, False, False]  # hello, sender, recipient
            for _ in range(40):
                line = chance.choice(lines)
                answer = await client.ask(line)
                word, good = line[:4], answer[:1] == b"2"
                assert answer[:1] in (b"2", b"5") or line == b"DATA"
                if answer[:3] == b"354":
                    assert ready == [True, True, True], seed
                    assert await client.code(b"x\r\n.") == "250 2.6.0"
                    ready = [True, False, False]
                elif word in (b"EHLO", b"HELO"):
                    ready = [True, False, False]
                elif word == b"RSET":
                    ready[1:] = [False, False]
                elif word == b"MAIL" and good:
                    assert ready == [True, False, False]
                    ready[1] = True
                elif word == b"RCPT" and good:
                    assert ready[1]
                    ready[2] = True
                elif line == b"DATA":
                    assert ready != [True, True, True]
            await client.close()


# -- aiosmtpd ------------------------------------------------------------------------------------------------------


def test_no_verb_of_aiosmtpd_is_left_in_place() -> None:
    verbs = {name for name in dir(SMTP) if name.startswith("smtp_")}
    assert verbs == {name for name in dir(Session) if name.startswith("smtp_")}
    assert {name for name in verbs if getattr(Session, name) is getattr(SMTP, name)} == set()
