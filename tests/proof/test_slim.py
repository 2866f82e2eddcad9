"""Large mail is cut down for its second reading, and stays different where it was different."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from email import message_from_bytes

import pytest

from gateway.proof.slim import slim

HEAD = b"From: a@school.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: a/b\r\n"
HEAD += b"Content-Transfer-Encoding: base64\r\n\r\n"


def mail(content: bytes) -> bytes:
    return HEAD + base64.encodebytes(content).replace(b"\n", b"\r\n") + b"--x\r\n\r\ndag\r\n--x--\r\n"


def test_a_long_attachment_becomes_short_and_the_tree_stays() -> None:
    cut = slim(mail(os.urandom(3_000_000)))
    assert len(cut) < 20_000
    first, second = message_from_bytes(cut).get_payload()
    assert (first.get_content_type(), second.get_payload()) == ("a/b", "dag")
    assert first.get_payload(decode=True)


def test_one_octet_in_the_middle_makes_another_text() -> None:
    content = bytearray(os.urandom(300_000))
    before = slim(mail(bytes(content)))
    content[150_000] ^= 1
    assert slim(mail(bytes(content))) != before


def test_small_mail_and_mail_of_other_lines_is_left_alone() -> None:
    for octets in (mail(b"short"), HEAD + b"a line of words\r\n" * 5000, b""):
        assert slim(octets) == octets


def plainly(octets: bytes) -> bytes:
    """What `slim` does, as one expression that looks at every line."""

    def cut(run: re.Match[bytes]) -> bytes:
        line = hashlib.sha256(run[0][7800:-7800]).hexdigest().encode() + b"0000aaaaAAAA\r\n"
        return run[0][:7800] + line + run[0][-7800:]

    return re.sub(rb"(?<=\n)(?:[A-Za-z0-9+/]{76}\r\n){400,}", cut, octets)


@pytest.mark.parametrize("lines", [399, 400, 401, 400 + 1680, 400 + 2 * 1680, 7000])
@pytest.mark.parametrize(
    "spoiled", [b"", b"-", b"\r\n", b"\n", b" ", b"A" * 77 + b"\r\n", b"A" * 75 + b"\r\n", b"\r\n\r\n--x\r\n"]
)
def test_a_run_ends_where_a_line_differs_wherever_that_is(lines: int, spoiled: bytes) -> None:
    run = base64.b64encode(os.urandom(57 * lines))
    text = HEAD + b"".join(run[at : at + 76] + b"\r\n" for at in range(0, len(run), 76))
    for line in (0, 1, 399, 400, 401, 2079, 2080, 2081, lines - 1, lines):
        at = len(HEAD) + 78 * line
        octets = text[:at] + spoiled + text[at:]
        assert slim(octets) == plainly(octets)
        assert slim(octets[: at + 20]) == plainly(octets[: at + 20])
