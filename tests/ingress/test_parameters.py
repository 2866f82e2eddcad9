from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import reply
from gateway.envelope import Notify, Recipient
from gateway.ingress.parameters import MailCommand, Refused, parse_mail, parse_recipient
from gateway.reply import Reply


def mail(argument: str, extended: bool = True, auth: bool = True) -> MailCommand | Reply:
    try:
        return parse_mail(argument, extended=extended, auth_offered=auth)
    except Refused as refused:
        return refused.reply


def rcpt(argument: str, extended: bool = True, smtputf8: bool = False) -> Recipient | Reply:
    try:
        return parse_recipient(argument, extended=extended, smtputf8=smtputf8)
    except Refused as refused:
        return refused.reply


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        ("FROM:<a@example.org>", "a@example.org"),
        ("from:<a@example.org>", "a@example.org"),
        ("FROM: <a@example.org>", "a@example.org"),
        ("FROM:<@relay.example,@two.example:a@example.org>", "a@example.org"),
        ('FROM:<"a > b"@example.org>', '"a > b"@example.org'),
        ('FROM:<"a\\"b"@example.org>', '"a\\"b"@example.org'),
        ("FROM:<a@[192.0.2.1]>", "a@[192.0.2.1]"),
        ("FROM:<Mixed.Case+tag@Example.ORG>", "Mixed.Case+tag@Example.ORG"),
    ],
)
def test_a_sender_is_kept_as_written(argument: str, address: str) -> None:
    found = mail(argument)
    assert isinstance(found, MailCommand)
    assert found.sender is not None
    assert found.sender.reveal() == address


def test_the_null_sender_is_none() -> None:
    assert mail("FROM:<>") == MailCommand(None)


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("", reply.SYNTAX),
        ("<a@example.org>", reply.SYNTAX),
        ("TO:<a@example.org>", reply.SYNTAX),
        ("FROM:", reply.BAD_SENDER_SYNTAX),
        ("FROM:a@example.org", reply.BAD_SENDER_SYNTAX),
        ("FROM:<a@example.org", reply.BAD_SENDER_SYNTAX),
        ("FROM:<a@example.org>SIZE=1", reply.BAD_SENDER_SYNTAX),
        ("FROM:<a b@example.org>", reply.BAD_SENDER_SYNTAX),
        ("FROM:<a@@example.org>", reply.BAD_SENDER_SYNTAX),
        ("FROM:<@example.org>", reply.BAD_SENDER_SYNTAX),
        ("FROM:<postmaster>", reply.BAD_SENDER_SYNTAX),
        ("FROM:<a@exa\udcffmple.org>", reply.BAD_SENDER_SYNTAX),
        ("FROM:<jos\u00e9@example.org>", reply.NON_ASCII_WITHOUT_SMTPUTF8),
        ("FROM:<a@example.org> \tSIZE=1", reply.SYNTAX),
    ],
)
def test_a_wrong_sender_is_refused(argument: str, expected: Reply) -> None:
    assert mail(argument) is expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("SIZE=1000", MailCommand(None, size=1000)),
        ("size=0", MailCommand(None)),
        ("BODY=7BIT", MailCommand(None)),
        ("body=8bitmime", MailCommand(None, eight_bit=True)),
        ("SMTPUTF8", MailCommand(None, smtputf8=True)),
        ("AUTH=<>", MailCommand(None)),
        ("AUTH=e+3Dmc2@example.com", MailCommand(None)),
        ("RET=HDRS", MailCommand(None, ret="HDRS")),
        ("RET=full", MailCommand(None, ret="FULL")),
        ("ENVID=QQ314159", MailCommand(None, envid="QQ314159")),
        ("ENVID=MixedCase+2B", MailCommand(None, envid="MixedCase+2B")),
        ("ENVID=" + "x" * 100, MailCommand(None, envid="x" * 100)),
        ("SIZE=1  BODY=8BITMIME", MailCommand(None, size=1, eight_bit=True)),
        ("SIZE", reply.SYNTAX),
        ("SIZE=", reply.SYNTAX),
        ("SIZE=-1", reply.SYNTAX),
        ("SIZE=1e3", reply.SYNTAX),
        ("SIZE=\u0661", reply.SYNTAX),
        ("SIZE=1 SIZE=1", reply.SYNTAX),
        ("BODY=BINARYMIME", reply.SYNTAX),
        ("BODY", reply.SYNTAX),
        ("SMTPUTF8=yes", reply.SYNTAX),
        ("RET=ALL", reply.SYNTAX),
        ("RET=FULL RET=HDRS", reply.SYNTAX),
        ("ENVID=", reply.SYNTAX),
        ("ENVID=a+b", reply.SYNTAX),
        ("ENVID=a+2b", reply.SYNTAX),
        ("ENVID=" + "x" * 101, reply.SYNTAX),
        ("AUTH=a+b", reply.SYNTAX),
        ("AUTH=" + "x" * 501, reply.SYNTAX),
        ("=x", reply.SYNTAX),
        ("NOTIFY=NEVER", reply.UNKNOWN_PARAMETER),
        ("REQUIRETLS", reply.UNKNOWN_PARAMETER),
        ("XFOO=bar", reply.UNKNOWN_PARAMETER),
    ],
)
def test_parameters_of_mail(words: str, expected: MailCommand | Reply) -> None:
    assert mail(f"FROM:<> {words}") == expected


def test_auth_on_mail_is_unknown_where_auth_is_not_offered() -> None:
    assert mail("FROM:<> AUTH=<>", auth=False) is reply.UNKNOWN_PARAMETER


def test_after_helo_there_are_no_parameters() -> None:
    assert mail("FROM:<> SIZE=1", extended=False) is reply.UNKNOWN_PARAMETER
    assert rcpt("TO:<a@example.org> NOTIFY=NEVER", extended=False) is reply.UNKNOWN_PARAMETER


@pytest.mark.parametrize(
    ("words", "notify", "orcpt"),
    [
        ("", (), ""),
        ("NOTIFY=NEVER", (Notify.NEVER,), ""),
        ("notify=success,Delay", (Notify.SUCCESS, Notify.DELAY), ""),
        ("NOTIFY=FAILURE,FAILURE", (Notify.FAILURE,), ""),
        ("ORCPT=rfc822;User+2Btag@Example.org", (), "rfc822;User+2Btag@Example.org"),
        ("ORCPT=rfc822;" + "x" * 493, (), "rfc822;" + "x" * 493),
        ("ORCPT=utf-8;jos\\x{E9}@example.org", (), "utf-8;jos\\x{E9}@example.org"),
        ("NOTIFY=NEVER ORCPT=rfc822;a@example.org", (Notify.NEVER,), "rfc822;a@example.org"),
    ],
)
def test_parameters_of_rcpt(words: str, notify: tuple[Notify, ...], orcpt: str) -> None:
    found = rcpt(f"TO:<a@example.org> {words}")
    assert isinstance(found, Recipient)
    assert (found.notify, found.orcpt) == (frozenset(notify), orcpt)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("NOTIFY", reply.SYNTAX),
        ("NOTIFY=", reply.SYNTAX),
        ("NOTIFY=NEVER,SUCCESS", reply.SYNTAX),
        ("NOTIFY=SUCCESS,", reply.SYNTAX),
        ("NOTIFY=SOMETIMES", reply.SYNTAX),
        ("NOTIFY=NEVER NOTIFY=NEVER", reply.SYNTAX),
        ("ORCPT=a@example.org", reply.SYNTAX),
        ("ORCPT=rfc822;", reply.SYNTAX),
        ("ORCPT=rfc822;a+b@example.org", reply.SYNTAX),
        ("ORCPT=rf(c;a@example.org", reply.SYNTAX),
        ("ORCPT=rfc822;" + "x" * 494, reply.SYNTAX),
        ("ORCPT=utf-8;jos\u00e9@example.org", reply.SYNTAX),
        ("SIZE=1", reply.UNKNOWN_PARAMETER),
        ("XRCPTFORWARD=x", reply.UNKNOWN_PARAMETER),
    ],
)
def test_wrong_parameters_of_rcpt(words: str, expected: Reply) -> None:
    assert rcpt(f"TO:<a@example.org> {words}") is expected


def test_addresses_in_utf8_need_smtputf8() -> None:
    assert rcpt("TO:<jos\u00e9@ex\u00e4mple.org>") is reply.NON_ASCII_WITHOUT_SMTPUTF8
    found = rcpt("TO:<jos\u00e9@ex\u00e4mple.org> ORCPT=utf-8;jos\u00e9@example.org", smtputf8=True)
    assert isinstance(found, Recipient)
    assert found.address.reveal() == "jos\u00e9@ex\u00e4mple.org"
    assert isinstance(mail("FROM:<jos\u00e9@example.org> SMTPUTF8"), MailCommand)


@pytest.mark.parametrize("spelling", ["postmaster", "Postmaster", "POSTMASTER@example.org"])
def test_postmaster_is_an_address_with_and_without_domain(spelling: str) -> None:
    found = rcpt(f"TO:<{spelling}>")
    assert isinstance(found, Recipient)
    assert found.address.is_postmaster


@pytest.mark.parametrize(
    "argument", ["TO:<>", "TO:<nobody>", "TO:<a@example.org> b", "TO:a@example.org", "FROM:<a@b.nl>"]
)
def test_a_wrong_recipient_is_refused(argument: str) -> None:
    assert isinstance(rcpt(argument), Reply)


def _domain(length: int) -> str:
    """A domain name of exactly `length` octets in labels of at most 60."""
    labels = []
    while length > 0:
        size = min(60, length) if length != 61 else 59
        labels.append("d" * size)
        length -= size + 1
    return ".".join(labels)


def test_lengths_at_and_over_their_limits() -> None:
    # RFC 5321 4.5.3.1: local part 64, path 256 with its brackets
    assert isinstance(rcpt(f"TO:<{'l' * 64}@example.org>"), Recipient)
    assert rcpt(f"TO:<{'l' * 65}@example.org>") is reply.PATH_TOO_LONG
    assert mail(f"FROM:<{'l' * 65}@example.org>") is reply.SENDER_TOO_LONG
    local = "l" * 60
    assert len(f"<{local}@{_domain(193)}>") == 256
    assert isinstance(rcpt(f"TO:<{local}@{_domain(193)}>"), Recipient)
    assert rcpt(f"TO:<{local}@{_domain(194)}>") is reply.PATH_TOO_LONG


words = st.text(st.sampled_from('FROM:T<>@ab."\\ =+;,-\u00e9\udcff[]SIZEnotifyORCPT0129'), max_size=60)


@given(words, st.booleans(), st.booleans())
@settings(deadline=None, max_examples=500)
def test_nothing_but_a_command_or_a_reply_comes_out(text: str, extended: bool, flag: bool) -> None:
    for prefix in ("", "FROM:<a@example.org> ", "FROM:<", "TO:<", "TO:<b@example.org> "):
        assert isinstance(mail(prefix + text, extended, flag), MailCommand | Reply)
        assert isinstance(rcpt(prefix + text, extended, flag), Recipient | Reply)


def test_a_long_quoted_string_costs_no_more_than_its_length() -> None:
    assert isinstance(mail('FROM:<"' + "\\" * 100_001 + "x" * 100_000), Reply)
