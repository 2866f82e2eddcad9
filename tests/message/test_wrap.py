"""A message around a message, with a text of ours below it."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest

from gateway.message.draft import Draft, Slot
from gateway.message.parse import parse
from gateway.message.splices import Uncompilable
from gateway.message.template import compile as compile_template
from gateway.message.wrap import boundary
from tests.message.samples import own

URL = b"https://afmelden.example/" + b"T" * 120


def wrapped(raw: bytes, text: bytes = b"Stop:\r\n", *, seven_bit: bool = False) -> bytes:
    draft = Draft(parse(raw))
    draft.wrap((text, Slot.OPT_OUT, b"\r\n"), by="opt_out", kind="opt-out-wrapped")
    return compile_template(draft, seven_bit=seven_bit).render({Slot.OPT_OUT: URL})


@pytest.mark.parametrize("name", ["signed-smime", "signed-pgp", "encrypted-pgp", "encrypted-smime", "inline-pgp"])
def test_r044_what_is_inside_keeps_its_octets_and_its_content_fields(name: str) -> None:
    raw = own(name)
    out = wrapped(raw)
    before, after = parse(raw), parse(out)
    inner, ours = after.root.children
    assert (after.root.content_type, inner.content_type) == ("multipart/mixed", before.root.content_type)
    assert out[slice(*inner.body)] == raw[slice(*before.root.body)]
    said = [raw[f.start : f.end] for f in before.root.fields if f.name.lower().startswith(b"content-")]
    assert [out[f.start : f.end] for f in inner.fields] == said
    assert out[slice(*ours.body)] == b"Stop:\r\n" + URL + b"\r\n"
    assert after.root.broken == inner.broken == ours.broken == ""


@pytest.mark.parametrize("text", ["Stop:\r\n", "Één klik:\r\n"])
def test_another_parser_sees_the_same(text: str) -> None:
    out = wrapped(own("signed-smime"), text.encode(), seven_bit=True)
    message = message_from_bytes(out, policy=policy.default)
    inner, ours = message.iter_parts()
    assert inner.get_content_type() == "multipart/signed"
    assert ours.get_content().replace("\r\n", "\n") == f"{text.strip()}\n{URL.decode()}\n"
    assert message["MIME-Version"] == "1.0"
    assert out.isascii()


def test_a_mail_without_mime_fields_becomes_one_with_them() -> None:
    message = message_from_bytes(wrapped(b"From: a@example.org\r\nSubject: x\r\n\r\nHallo\r\n"), policy=policy.default)
    assert [part.get_content_type() for part in message.walk()] == ["multipart/mixed", "text/plain", "text/plain"]
    assert message.get_all("MIME-Version") == ["1.0"]


def test_edits_in_the_fields_that_go_along_go_along() -> None:
    raw = b"From: a@example.org\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\nxx\r\n"
    draft = Draft(parse(raw))
    (field,) = draft.message.fields("content-type")
    draft.replace_value(field, (b"application/pdf;\r\n name=b.pdf",), by="long_lines", kind="folded")
    draft.wrap((b"x\r\n",), by="opt_out", kind="opt-out-wrapped")
    out = compile_template(draft, seven_bit=False).render({})
    assert b"Content-Type: application/pdf;\r\n name=b.pdf\r\n\r\nxx\r\n\r\n--" in out


def test_the_boundary_is_in_no_line_and_the_same_again() -> None:
    raw = b"x" * 100
    assert boundary(raw) == boundary(raw)
    assert boundary(raw) not in raw
    assert boundary(raw + b"y") != boundary(raw)


def test_a_message_without_a_body_is_not_wrapped() -> None:
    with pytest.raises(Uncompilable, match="without a body"):
        wrapped(b"From: a@example.org\r\n")
