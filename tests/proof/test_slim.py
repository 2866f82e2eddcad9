"""Large mail is cut down for its second reading, and stays different where it was different."""

from __future__ import annotations

import base64
import os
from email import message_from_bytes

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
