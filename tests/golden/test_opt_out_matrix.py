"""R-041 in full: every structure, transfer encoding and charset, read back by a parser that is not ours."""

from __future__ import annotations

import base64
import hashlib
import quopri
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from itertools import product

import pytest

from gateway.decision import Action
from gateway.filters.opt_out import FILTER
from gateway.message.draft import Draft
from gateway.message.parse import parse
from tests.filters.example import URL, context, render

LINK = URL.decode()
WORDS = {
    "utf-8": "Één ☃ naïef",
    "us-ascii": "Een twee",
    "iso-8859-1": "Één naïef",
    "iso-8859-15": "Één € naïef",
    "windows-1252": "Één “naïef”",
    "koi8-r": "Привет мир",
    "iso-2022-jp": "日本語の文",
    "shift_jis": "表示能力",
    "gb18030": "你好，世界",
    "utf-16": "Één ☃",
}
ENCODINGS = ("8bit", "quoted-printable", "base64")
PDF = (
    b"Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n"
    + base64.encodebytes(bytes(range(256))).replace(b"\n", b"\r\n")
    + b"\r\n"
)
PICTURE = PDF.replace(b"application/pdf; name=a.pdf", b"image/png").replace(
    b"Content-Disposition: attachment; filename=a.pdf", b"Content-ID: <a@x.example>"
)
NOTES = (
    b'Content-Type: text/plain; name="n.txt"\r\nContent-Disposition: attachment; filename="n.txt"\r\n\r\nnotities\r\n'
)
INVITE = b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
FORWARD = b"Content-Type: message/rfc822\r\n\r\nSubject: eerder\r\n\r\nEerder\r\n"


def text(kind: str, charset: str, encoding: str) -> bytes:
    words = WORDS[charset]
    body = f"{words}\r\nSlot.\r\n"
    if kind == "html":
        body = f"<html><body><table><tr><td>{words}</td></tr></table>\r\n<p>Slot.</p></body></html>\r\n"
    octets = body.encode(charset)
    if encoding == "base64":
        octets = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    elif encoding == "quoted-printable":
        octets = quopri.encodestring(octets.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    head = f"Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + octets


def multipart(kind: str, *parts: bytes) -> bytes:
    name = f"={kind[:3]}{len(parts)}{len(parts[0]) % 97}"
    inner = b"".join(b"--" + name.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{name}"\r\n\r\n'.encode() + inner + f"--{name}--\r\n".encode()


def structures(charset: str, encoding: str) -> dict[str, bytes]:
    plain, html = text("plain", charset, encoding), text("html", charset, encoding)
    both = multipart("alternative", plain, html)
    return {
        "plain": plain,
        "html": html,
        "alternative": both,
        "related": multipart("related", html, PICTURE),
        "mixed": multipart("mixed", plain, PDF, NOTES),
        "mixed-alternative-related": multipart(
            "mixed", multipart("alternative", plain, multipart("related", html, PICTURE)), PDF
        ),
        "invitation": multipart("mixed", multipart("alternative", plain, html, INVITE), PDF),
        "forward": multipart("mixed", both, FORWARD),
        "text-behind-attachment": multipart("mixed", plain, PDF, html),
    }


CASES = [
    pytest.param(name, charset, encoding, id=f"{name}-{charset}-{encoding}")
    for charset, encoding in product(WORDS, ENCODINGS)
    if charset != "utf-16" or encoding == "base64"
    for name in structures("us-ascii", "8bit")
]


def parsed(raw: bytes) -> list[EmailMessage]:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return list(message.walk())


def content(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode(part.get_content_charset() or "ascii").replace("\r\n", "\n")


def digest(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    return "" if part.is_multipart() else hashlib.sha256(payload if isinstance(payload, bytes) else b"").hexdigest()


def shown(part: EmailMessage) -> str:
    """What a reader sees, the address of a link behind its words."""
    said = content(part)
    if part.get_content_subtype() == "html":
        said = re.sub(r"<a\s+href=\"([^\"]*)\"[^>]*>([^<]*)</a>", r"\2 \1", said)
        said = unescape(re.sub(r"<[^>]*>", " ", said))
    return said


def bodies(parts: list[EmailMessage]) -> Iterator[int]:
    for at, part in enumerate(parts):
        if part.get_content_type() in ("text/plain", "text/html") and not part.get_filename():
            yield at


@pytest.mark.parametrize("seven_bit", [True, False], ids=["7bit", "8bit"])
@pytest.mark.parametrize(("name", "charset", "encoding"), CASES)
def test_r041_s21_one_opt_out_at_the_end_of_every_alternative_and_nothing_else_changed(
    name: str, charset: str, encoding: str, seven_bit: bool
) -> None:
    head = b"From: Anna <anna@voorbeeld.example>\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
    raw = head + structures(charset, encoding)[name]
    made = Draft(parse(raw))
    assert [o for o in FILTER.apply(made, context()) if o.action is not Action.DELIVER] == []
    out = render(made, seven_bit=seven_bit)
    before, after = parsed(raw), parsed(out)
    assert [p.get_content_type() for p in after] == [p.get_content_type() for p in before]
    assert [d for p in after for d in p.defects] == []
    expected = list(bodies(before))
    inside = [at for at in expected if not (name == "forward" and at == max(expected))]
    last = [max(inside)] if name == "text-behind-attachment" else inside
    changed = [at for at, (new, old) in enumerate(zip(after, before, strict=True)) if digest(new) != digest(old)]
    assert changed == last
    for at in last:
        said = shown(after[at])
        assert said.count(LINK) == 1
        assert said.index(WORDS[charset]) < said.index("Slot.") < said.index(LINK)
        assert "Straat 1, 1000 AA Plaats" in said
        assert not said[said.index(LINK) :].count("Slot.")
    assert not seven_bit or out.isascii()
    assert max(map(len, out.split(b"\r\n"))) <= 998
