"""Envelope commands: only what the hop offers and this copy may carry."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.parameters import Needs, Offers, Path, mail_command, obstacle, rcpt_command, xtext

ALL = Offers(pipelining=True, eight_bit=True, smtputf8=True, dsn=True, size_known=True, size=1000)
PLAIN = Needs(100, eight_bit=False, utf8=False)
ONE = Path("a@x.example", "b@y.example", frozenset({"FAILURE", "DELAY"}), "rfc822;B+2Bc@y.example", "QQ+2B9", "HDRS")


def test_one_to_one_passes_the_dsn_wishes_unchanged() -> None:
    assert mail_command(ONE, PLAIN, ALL) == b"MAIL FROM:<a@x.example> SIZE=100 RET=HDRS ENVID=QQ+2B9\r\n"
    assert rcpt_command(ONE, ALL) == b"RCPT TO:<b@y.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;B+2Bc@y.example\r\n"


def test_nothing_is_added_to_what_was_not_asked() -> None:
    bare = Path("a@x.example", "b@y.example")
    assert mail_command(bare, PLAIN, ALL) == b"MAIL FROM:<a@x.example> SIZE=100\r\n"
    assert rcpt_command(bare, ALL) == b"RCPT TO:<b@y.example>\r\n"


def test_a_hop_without_extensions_gets_bare_commands() -> None:
    assert mail_command(ONE, PLAIN, Offers()) == b"MAIL FROM:<a@x.example>\r\n"
    assert rcpt_command(ONE, Offers()) == b"RCPT TO:<b@y.example>\r\n"


@pytest.mark.parametrize("notify", [(), ("SUCCESS",), ("SUCCESS", "FAILURE"), ("DELAY",)])
def test_a_copy_of_a_split_asks_for_failures_only_and_reuses_nothing(notify: tuple[str, ...]) -> None:
    copy = replace(ONE, split=True, notify=frozenset(notify))
    assert mail_command(copy, PLAIN, ALL) == b"MAIL FROM:<a@x.example> SIZE=100\r\n"
    assert rcpt_command(copy, ALL) == b"RCPT TO:<b@y.example> NOTIFY=FAILURE ORCPT=rfc822;b@y.example\r\n"


def test_never_stays_never_in_a_split() -> None:
    copy = replace(ONE, split=True, notify=frozenset({"NEVER"}))
    assert rcpt_command(copy, ALL) == b"RCPT TO:<b@y.example> NOTIFY=NEVER\r\n"


def test_8bitmime_and_smtputf8_are_named_only_when_needed() -> None:
    needs = Needs(100, eight_bit=True, utf8=True)
    assert mail_command(ONE, needs, ALL).startswith(b"MAIL FROM:<a@x.example> SIZE=100 BODY=8BITMIME SMTPUTF8 ")
    utf8 = Path("", "jos\u00e9@y.example")
    assert mail_command(utf8, PLAIN, ALL) == b"MAIL FROM:<> SIZE=100 SMTPUTF8\r\n"
    assert rcpt_command(utf8, ALL) == "RCPT TO:<jos\u00e9@y.example>\r\n".encode()


def test_auth_is_named_once_we_are_logged_in() -> None:
    assert mail_command(ONE, PLAIN, Offers(authenticated=True)) == b"MAIL FROM:<a@x.example> AUTH=<>\r\n"


@pytest.mark.parametrize(
    ("path", "needs", "offers", "status"),
    [
        (ONE, Needs(1001, eight_bit=False, utf8=False), ALL, "5.3.4"),
        (ONE, Needs(1000, eight_bit=False, utf8=False), ALL, ""),
        (ONE, Needs(10**9, eight_bit=False, utf8=False), replace(ALL, size=0), ""),
        (ONE, Needs(1, eight_bit=True, utf8=False), replace(ALL, eight_bit=False), "5.6.3"),
        (ONE, Needs(1, eight_bit=True, utf8=True), replace(ALL, smtputf8=False), "5.6.9"),
        (Path("", "\u00e9@y.example"), PLAIN, replace(ALL, smtputf8=False), "5.6.7"),
    ],
)
def test_what_a_hop_cannot_take_is_known_before_sending(path: Path, needs: Needs, offers: Offers, status: str) -> None:
    found = obstacle(path, needs, offers)
    assert (found.status if found else "") == status


def test_offers_are_read_from_ehlo() -> None:
    read = Offers.read(
        {"size": "500", "8bitmime": "", "dsn": "", "limits": "RCPTMAX=1 MAILMAX=20"}, authenticated=False
    )
    assert read == Offers(eight_bit=True, dsn=True, size_known=True, size=500, messages=20)
    assert Offers.read({"size": ""}, authenticated=True) == Offers(size_known=True, authenticated=True)


@given(st.text(), st.text(), st.text(), st.text(), st.booleans())
def test_no_value_can_break_a_command(sender: str, recipient: str, orcpt: str, envid: str, split: bool) -> None:
    path = Path(sender, recipient, frozenset(), orcpt, envid, "", split)
    for make in (lambda: mail_command(path, PLAIN, ALL), lambda: rcpt_command(path, ALL)):
        try:
            line = make()
        except ValueError:
            continue
        assert not re.search(rb"[\x00-\x1f\x7f]", line.removesuffix(b"\r\n"))


def test_xtext_hides_what_may_not_stand_there() -> None:
    assert xtext("a+b=c d@x.example") == "a+2Bb+3Dc+20d@x.example"


def test_addresses_do_not_print() -> None:
    assert "example" not in repr(ONE)
