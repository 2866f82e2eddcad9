"""Messages inside messages are opened for reading."""

from __future__ import annotations

import base64

import pytest

from gateway.filters.inside import drafts, head, is_cms
from tests.filters.mail import draft
from tests.filters.sealed import enveloped, signed

HEAD = "From: info@voorbeeld.example\nMIME-Version: 1.0\n"
INNER = "To: anna@example.org\nSubject: x\nContent-Transfer-Encoding: base64\n\n" + base64.b64encode(b"hallo").decode()
SIGNED_DATA = "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m"


def part(kind: str, content: bytes | str, encoding: str = "base64") -> str:
    raw = content.encode() if isinstance(content, str) else content
    body = base64.encodebytes(raw).decode() if encoding == "base64" else raw.decode()
    return f"{HEAD}Content-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n{body}"


def opened(text: str) -> list[tuple[str, bytes]]:
    return [(place, inner.content(inner.message.root)) for place, inner in drafts(draft(text))]


@pytest.mark.parametrize(
    "text",
    [
        part(SIGNED_DATA, signed(INNER.encode())),
        part("application/octet-stream; name=SMIME.P7M", signed(INNER.encode())),
        part("message/rfc822", INNER),
        part("message/rfc822", INNER.replace("=", "=3D"), "quoted-printable"),
        part("message/global", INNER),
        part("application/octet-stream; name=bericht.EML", INNER),
        part("text/plain; name=bericht.eml", INNER, "8bit"),
    ],
)
def test_r046_a_closed_message_is_parsed(text: str) -> None:
    assert opened(text) == [("part 1 inside ", b"hallo")]


def test_messages_inside_messages_are_opened_too_but_not_without_end() -> None:
    text = INNER
    for _ in range(8):
        text = part("message/rfc822", text)
    places = [place for place, _ in opened(text)]
    assert places[:2] == ["part 1 inside ", "part 1 inside part 1 inside "]
    assert len(places) == 4


@pytest.mark.parametrize(
    "text",
    [
        part("text/plain", INNER),
        part(SIGNED_DATA, b"no BER"),
        part(SIGNED_DATA, enveloped("anna")),
        part(SIGNED_DATA, signed(INNER.encode(), detached=True)),
        part("message/rfc822", "no header\n\x00 at all"),
        f"{HEAD}Content-Type: message/rfc822\n\n{INNER}",  # the parser opens that itself
    ],
)
def test_what_is_no_closed_message_is_left(text: str) -> None:
    assert opened(text) == []


def test_the_head_of_a_part_is_read_without_the_rest() -> None:
    edited = draft(part("application/pdf", bytes(range(256)) * 1000))
    assert head(edited, edited.message.root, 10).startswith(bytes(range(10)))
    assert len(head(edited, edited.message.root, 10)) < 200
    short = draft(part("application/pdf", b"abc"))
    assert head(short, short.message.root, 10) == b"abc"


def test_smime_is_known_by_type_or_name() -> None:
    assert is_cms(draft(part(SIGNED_DATA, b"x")).message.root)
    assert is_cms(draft(part("application/octet-stream; name=a.P7M", b"x")).message.root)
    assert not is_cms(draft(part("application/pdf; name=a.pdf", b"x")).message.root)
