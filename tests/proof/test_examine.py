"""Each way in which a finished copy can be wrong is named; the right one passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.proof.examine import examine
from gateway.proof.expectation import Expectation
from gateway.proof.reading import Reading
from tests.proof.mail import MAIL, URL, edited


def differences(octets: bytes, expectation: Expectation) -> list[str]:
    return examine(octets, Reading(octets), expectation, opt_out=URL.decode(), key=None)


def test_a_right_copy_has_none() -> None:
    assert differences(*edited()) == []


@pytest.mark.parametrize(
    ("was", "is_now", "says"),
    [
        (b"JVBERi0xLjQK", b"JVBERi0xLjUK", "part number 5 (application/pdf) changed"),
        (b"application/pdf", b"image/png", "another tree"),
        (b"\r\n--b\r\nContent-Type: text/html", b"\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: text/html", "another tree"),
        (b"To: jan@example.org", b"To: jan@example.org\r\nTo: jan@example.org", "2 To fields"),
        (b"To: jan@example.org\r\n", b"", "0 To fields"),
        (b"To: jan@example.org", b"To: jan@example.org, piet@example.org", "more than one address"),
        (b"Subject:", b"Bcc: piet@example.org\r\nSubject:", "a Bcc field"),
        (b"Date:", b"X-Date:", "0 Date fields"),
        (b"Stop: " + URL, b"Stop: ", "the opt-out stands 1 times"),
        (b"List-Unsubscribe: <https", b"List-Unsubscribe: <http", "List-Unsubscribe does not hold"),
    ],
)
def test_a_wrong_one_says_what(was: bytes, is_now: bytes, says: str) -> None:
    octets, expectation = edited()
    assert was in octets
    found = differences(octets.replace(was, is_now, 1), expectation)
    assert any(says in item for item in found), found


def test_where_the_parsers_number_parts_differently_the_number_of_changes_counts() -> None:
    octets, expectation = edited()
    assert differences(octets, replace(expectation, changed=None)) == []
    worse = octets.replace(b"JVBERi0xLjQK", b"JVBERi0xLjUK")
    assert differences(worse, replace(expectation, changed=None)) == ["3 parts changed where 2 were edited"]


def test_mail_that_is_not_private_may_show_several() -> None:
    several = MAIL.replace(b"To: jan@example.org", b"To: jan@example.org, piet@example.org")
    assert differences(*edited(several, private=False)) == []
    assert differences(*edited(several)) == ["more than one address in To and Cc"]
