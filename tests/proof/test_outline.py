"""A message parsed by its outline is the message that the standard library reads."""

from __future__ import annotations

from email import message_from_bytes
from email.message import Message

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.proof import outline
from gateway.proof.outline import parsed
from tests.proof.mail import MAIL

LONG = b"".join(b"line %d of a text that is put aside while the tree is read\r\n" % n for n in range(12))
OUTER = b"From: a@x.example\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"
INNER = b"Content-Type: multipart/alternative; boundary=oi\r\n\r\n"
PLAIN = b"Content-Type: text/plain\r\n\r\n"
LINES = (
    *(
        b"\r\n",
        b"\r\n",
        b"--o\r\n",
        b"--o\r\n",
        b"--o--\r\n",
        b"--oi\r\n",
        b"--oi--\r\n",
        b"--o \r\n",
        b"-- \r\n",
        b"--",
    ),
    *(
        PLAIN,
        INNER,
        OUTER,
        LONG,
        LONG,
        b"x: y\r\n",
        b" folded\r\n",
        b"caf\xe9 \xff\r\n",
        LONG + b"caf\xe9 \xff\r\n",
        b"a--o\r\n",
        b"--o\n",
        b"\r--oi\r\n",
    ),
    *(
        b"\n",
        b"\0" + b"0\0\r\n",
        b"Content-Type: message/rfc822\r\n\r\n",
        b"Content-Type: multipart/digest; boundary=oi\r\n\r\n",
    ),
    *(b"Content-Transfer-Encoding: base64\r\n", b"YWJj\r\n", LONG[:159] + b"\r\n", LONG[:160] + b"\r\n"),
)


def raw(part: Message) -> object:
    return vars(part)["_payload"]


def seen(message: Message) -> list[object]:
    return [(part.items(), part.get_content_type(), part.is_multipart() or raw(part)) for part in message.walk()]


def same(octets: bytes) -> bool:
    return seen(parsed(octets)) == seen(message_from_bytes(octets))


@given(st.lists(st.sampled_from(LINES), max_size=14))
@settings(deadline=None, max_examples=400)
def test_every_header_and_content_is_what_the_parser_gives_for_the_whole(lines: list[bytes]) -> None:
    assert same(OUTER + b"".join(lines))
    assert same(b"".join(lines))


@pytest.mark.parametrize(
    "octets",
    [
        MAIL,
        PLAIN + LONG,
        PLAIN + LONG.removesuffix(b"\r\n"),
        OUTER + LONG + b"--o\r\n" + PLAIN + LONG + b"-- \r\n" + LONG + b"\r\n--o--\r\n" + LONG,
        OUTER
        + b"--o\r\n\r\n"
        + LONG
        + b"--o\r\n"
        + INNER
        + LONG
        + b"--oi\r\n"
        + PLAIN
        + LONG
        + b"--o\r\n"
        + PLAIN
        + LONG,
        OUTER + b"--o\r\nContent-Type: message/rfc822\r\n\r\n" + LONG + b"\r\n--o\r\n" + INNER + b"--oi\r\n" + LONG,
        OUTER.replace(b"mixed", b"digest") + b"--o\r\n\r\n" + OUTER + LONG + b"--o--\r\n",
        OUTER + LONG.replace(b"\r\n", b"\n") + b"--o\n" + PLAIN + LONG,
        OUTER + b"--o\r\n" + PLAIN + b"\0" + b"0\0" + LONG,
    ],
)
def test_preambles_unended_parts_messages_inside_and_lone_line_ends_change_nothing(octets: bytes) -> None:
    assert same(octets)


def test_the_parser_is_given_few_of_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[str] = []
    whole = outline._fed

    def counted(text: str) -> Message:
        fed.append(text)
        return whole(text)

    monkeypatch.setattr(outline, "_fed", counted)
    octets = OUTER + b"--o\r\n" + PLAIN + LONG * 50 + b"--o\r\n" + PLAIN + LONG * 50 + b"--o--\r\n"
    assert same(octets)
    assert [text.count("\n") < 20 for text in fed] == [True]
