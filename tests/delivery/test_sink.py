"""The sink itself, seen with a client that others wrote: it must not let through what tests rely on it to catch."""

from __future__ import annotations

import smtplib
import socket

import pytest

from tests.delivery.sink import DROP, Script, Sink


def client(sink: Sink) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", sink.port, "client.example", 5)


def test_it_records_envelope_and_exact_octets() -> None:
    with Sink() as sink:
        with client(sink) as smtp:
            smtp.sendmail("a@x.example", ["b@y.example", "c@y.example"], b"A: b\r\n\r\n.dot\r\n")
        (arrived,) = sink.wait(1)
        assert (arrived.sender, arrived.to) == ("a@x.example", ("b@y.example", "c@y.example"))
        assert (arrived.content, arrived.faults, arrived.hello) == (b"A: b\r\n\r\n.dot\r\n", (), "client.example")


@pytest.mark.parametrize(
    ("octets", "fault"),
    [
        (b"A: b\n\r\n.\r\n", "bare LF"),
        (b"A: \rb\r\n.\r\n", "bare CR"),
        (b"A: \0b\r\n.\r\n", "NUL"),
        (b".x\r\n.\r\n", "dot not stuffed"),
        (b"x" * 999 + b"\r\n.\r\n", "line over 998 octets"),
        (b"A: \xc3\xa9\r\n\r\n.\r\n", "8-bit content without BODY=8BITMIME"),
        (b"A: \xc3\xa9\r\n\r\n.\r\n", "UTF-8 header without SMTPUTF8"),
    ],
)
def test_it_minds_what_a_strict_peer_minds(octets: bytes, fault: str) -> None:
    with Sink() as sink, socket.create_connection(("127.0.0.1", sink.port)) as raw:
        raw.sendall(b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@y.example>\r\nDATA\r\n" + octets)
        sink.wait(1)
        assert fault in sink.faults


def test_a_wrong_size_is_minded() -> None:
    with Sink() as sink, socket.create_connection(("127.0.0.1", sink.port)) as raw:
        raw.sendall(b"EHLO c\r\nMAIL FROM:<> SIZE=3\r\nRCPT TO:<b@y.example>\r\nDATA\r\nA: b\r\n.\r\n")
        sink.wait(1)
        assert sink.faults == ["SIZE=3 for 6 octets"]


def test_it_follows_its_script_step_by_step() -> None:
    with Sink(Script(rcpt=["550 5.1.1 no", "451 4.2.0 later"])) as sink, client(sink) as smtp:
        smtp.ehlo()
        smtp.mail("a@x.example")
        assert [smtp.rcpt("b@y.example")[0] for _ in range(3)] == [550, 451, 250]


def test_only_what_is_offered_is_taken() -> None:
    with Sink(Script(offers=())) as sink, client(sink) as smtp:
        smtp.ehlo()
        assert smtp.mail("a@x.example", ["BODY=8BITMIME"])[0] == 555
        smtp.mail("a@x.example")
        assert smtp.rcpt("b@y.example", ["NOTIFY=NEVER"])[0] == 555


def test_over_its_limit_of_recipients_it_says_452() -> None:
    with Sink(Script(max_recipients=1)) as sink, client(sink) as smtp:
        smtp.ehlo()
        smtp.mail("a@x.example")
        assert [smtp.rcpt("b@y.example")[0] for _ in range(2)] == [250, 452]


def test_it_can_take_a_message_and_never_say_so() -> None:
    with Sink(Script(content=DROP)) as sink:
        with pytest.raises(smtplib.SMTPServerDisconnected), client(sink) as smtp:
            smtp.sendmail("a@x.example", ["b@y.example"], b"A: b\r\n")
        assert len(sink.wait(1)) == 1
