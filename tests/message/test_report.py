"""Delivery status notifications, read back by another implementation."""

from __future__ import annotations

import email
from dataclasses import replace
from email.message import Message

import pytest

from gateway.address import Address
from gateway.message.parse import parse
from gateway.message.report import Action, Outcome, Report, build_dsn

RETURNED = (
    b"Received: from crm by mail for <piet@andere.example>; Tue, 18 Nov 2025 09:30:01 +0100\r\n"
    b"From: De Kleine Parel <cursus@kleineparel.example>\r\nTo: jan@school.example,\r\n piet@andere.example\r\n"
    b"Cc: karin@derde.example\r\nSubject: Uitnodiging\r\nMessage-ID: <1@kleineparel.example>\r\n\r\n"
)
FAILED = Outcome(
    address=Address.parse("jan@school.example"),
    action=Action.FAILED,
    status="5.1.1",
    orcpt="rfc822;jan+2Boud@school.example",
    diagnostic="550 5.1.1 <jan@school.example>: no such user\r\nX-Injected: yes\r\n\r\n--=_r1.0 " + "lang " * 40,
    remote_mta="mx.school.example",
    last_attempt=1763458200,
)
REPORT = Report(
    identifier="r1.0",
    reporting_mta="gw.kleineparel.example",
    sender=Address.parse("mailer-daemon@kleineparel.example"),
    to=Address.parse("bounces@kleineparel.example"),
    date=1763458260,
    arrival=1763454600,
    outcomes=(FAILED,),
    envid="QQ+2B1",
    returned=RETURNED,
)


def read(report: Report) -> tuple[Message, list[Message]]:
    message = email.message_from_bytes(build_dsn(report))
    payload = message.get_payload()
    assert isinstance(payload, list)
    return message, payload  # type: ignore[return-value]


def blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    assert isinstance(payload, list)
    return payload  # type: ignore[return-value]


def test_it_is_a_multipart_report_that_nobody_answers() -> None:
    message, parts = read(REPORT)
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["To"] == "<bounces@kleineparel.example>"
    assert message["Date"] == "Tue, 18 Nov 2025 09:31:00 +0000"
    assert [p.get_content_type() for p in parts] == ["text/plain", "message/delivery-status", "text/rfc822-headers"]


def test_the_status_says_what_happened_to_whom() -> None:
    _, parts = read(REPORT)
    about, recipient = blocks(parts[1])
    assert about["Reporting-MTA"] == "dns; gw.kleineparel.example"
    assert about["Original-Envelope-Id"] == "QQ+1"
    assert about["Arrival-Date"] == "Tue, 18 Nov 2025 08:30:00 +0000"
    assert recipient["Original-Recipient"] == "rfc822; jan+oud@school.example"
    assert recipient["Final-Recipient"] == "rfc822; jan@school.example"
    assert (recipient["Action"], recipient["Status"]) == ("failed", "5.1.1")
    assert recipient["Remote-MTA"] == "dns; mx.school.example"
    assert recipient["Diagnostic-Code"].startswith("smtp; 550 5.1.1")


def test_the_words_of_a_server_cannot_add_a_field_or_a_part() -> None:
    raw = build_dsn(REPORT)
    message, parts = read(REPORT)
    assert len(parts) == 3
    assert not any(p.defects for p in message.walk())
    assert all("X-Injected" not in block for block in blocks(parts[1]))
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert raw.count(b"\n") == raw.count(b"\r\n")


def test_the_returned_header_names_no_other_recipient() -> None:
    raw = build_dsn(REPORT)
    assert b"Subject: Uitnodiging\r\n" in raw
    for name in (b"piet", b"karin", b"Received"):
        assert name not in raw


def test_a_header_that_cannot_be_read_is_not_returned() -> None:
    _, parts = read(replace(REPORT, returned=b"geen veld\r\n"))
    assert len(parts) == 2


def test_the_text_is_dutch_and_english_and_names_each_recipient_once_in_both() -> None:
    late = Outcome(Address.parse("fatima@school.example"), Action.DELAYED, "4.4.1", retry_until=1763890200)
    _, parts = read(replace(REPORT, outcomes=(FAILED, late)))
    payload = parts[0].get_payload(decode=True)
    assert isinstance(payload, bytes)
    text = payload.decode()
    assert "Deze mail is niet bezorgd." in text
    assert "This mail was not delivered." in text
    assert "Er wordt later opnieuw geprobeerd" in text
    assert text.count("  fatima@school.example (4.4.1)") == 2
    assert blocks(parts[1])[2]["Will-Retry-Until"]


def test_an_address_that_is_not_ascii_makes_it_a_global_report() -> None:
    outcome = Outcome(Address.parse("renée@school.example"), Action.FAILED, "5.1.1")
    raw = build_dsn(replace(REPORT, outcomes=(outcome,)))
    kinds = [p.content_type for p in parse(raw).walk()]
    assert kinds == ["multipart/report", "text/plain", "message/global-delivery-status", "text/rfc822-headers"]
    assert "Final-Recipient: utf-8; renée@school.example\r\n".encode() in raw
    assert b"Content-Transfer-Encoding: 8bit\r\n\r\n--" in raw


def test_ascii_reports_are_ascii() -> None:
    assert build_dsn(REPORT).isascii()


@pytest.mark.parametrize(
    ("action", "status"),
    [(Action.FAILED, "4.1.1"), (Action.DELAYED, "5.1.1"), (Action.FAILED, "5.1"), (Action.DELIVERED, "x")],
)
def test_an_outcome_that_contradicts_itself_is_refused(action: Action, status: str) -> None:
    with pytest.raises(ValueError):
        Outcome(Address.parse("a@school.example"), action, status)


@pytest.mark.parametrize("change", [{"outcomes": ()}, {"identifier": "a b"}, {"reporting_mta": "x\r\ny"}])
def test_a_report_that_could_break_a_header_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        replace(REPORT, **change)  # type: ignore[arg-type]
