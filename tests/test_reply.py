"""Replies: codes that agree, one safe line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import reply
from gateway.reply import BLOCKED, Reply

CONSTANTS = {name: value for name, value in vars(reply).items() if isinstance(value, Reply)}


def test_a_reply_is_written_as_code_enhanced_code_text() -> None:
    assert str(Reply(550, "5.7.1", "No")) == "550 5.7.1 No"
    assert str(Reply(354, "", "Go on")) == "354 Go on"


@pytest.mark.parametrize(
    ("code", "enhanced", "text"),
    [
        (550, "4.7.1", "classes differ"),
        (250, "5.0.0", "classes differ"),
        (550, "", "an error without an enhanced code"),
        (451, "", "an error without an enhanced code"),
        (199, "", "no SMTP reply"),
        (600, "6.0.0", "no SMTP reply"),
        (550, "5.7", "two numbers"),
        (550, "5.7.x", "no number"),
        (550, "5.7.1234", "too long"),
        (550, "5.7.1", "two\r\nlines"),
        (550, "5.7.1", "tab\t"),
        (550, "5.7.1", "café"),
        (550, "5.7.1", "x" * 501),
    ],
)
def test_a_wrong_reply_cannot_be_made(code: int, enhanced: str, text: str) -> None:
    with pytest.raises(ValueError):
        Reply(code, enhanced, text)


def test_positive_and_temporary() -> None:
    assert (Reply(250, "2.0.0", "x").positive, Reply(354, "", "x").positive) == (True, True)
    assert (reply.TRY_LATER.temporary, reply.TRY_LATER.positive) == (True, False)
    assert (BLOCKED.temporary, BLOCKED.positive) == (False, False)


@pytest.mark.parametrize("name", sorted(CONSTANTS))
def test_no_constant_has_room_for_an_address(name: str) -> None:
    assert "@" not in CONSTANTS[name].text
    assert "%" not in CONSTANTS[name].text


@given(st.text())
def test_a_reason_never_breaks_the_line(reason: str) -> None:
    made = BLOCKED.because(reason)
    line = str(made)
    assert made.code == BLOCKED.code
    assert line.isascii()
    assert line.isprintable()
    assert len(line) + 2 <= 512


def test_a_reason_follows_the_text() -> None:
    assert BLOCKED.because("opt-out source:5").text == f"{BLOCKED.text}: opt-out source:5"
