"""A whole message for a hop without 8BITMIME: everything ASCII, everything reads as before (R-043)."""

from __future__ import annotations

import email
from email.header import decode_header, make_header
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message.draft import Draft, Slot
from gateway.message.headers import header_text
from gateway.message.parse import MalformedMessage, Message, parse
from gateway.message.template import Uncompilable, compile
from tests.message.samples import CORPUS, OWN, normalised, own

INNER = "From: Renée <r@school.example>\r\nSubject: één\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nTekst é.\r\n"


def narrow(raw: bytes | Draft) -> bytes:
    template = compile(raw if isinstance(raw, Draft) else Draft(parse(raw)), seven_bit=True)
    assert not template.eight_bit
    assert not template.utf8_headers
    rendered = template.render({Slot.OPT_OUT: b"T" * 150, Slot.RECIPIENT: b"a@b.example"})
    assert rendered.isascii()
    return rendered


def leaves(raw: bytes) -> list[bytes]:
    return [p.get_payload(decode=True) for p in email.message_from_bytes(raw).walk() if not p.is_multipart()]  # type: ignore[misc]


def shape(message: Message) -> list[tuple[str, str, str]]:
    return [(p.path, p.content_type, p.filename) for p in message.walk()]


def refusal(raw: bytes) -> str:
    with pytest.raises(Uncompilable) as caught:
        narrow(raw)
    return caught.value.reason


@pytest.mark.parametrize("path", [*OWN, *CORPUS], ids=lambda p: f"{p.parent.name}-{p.name}")
def test_r043_mail_that_can_be_converted_reads_as_before(path: Path) -> None:
    raw = normalised(path)
    try:
        before = parse(raw)
        after = parse(narrow(raw))
    except (MalformedMessage, Uncompilable):
        return
    assert shape(after) == shape(before)
    assert leaves(after.raw) == leaves(raw)
    for one, other in zip(before.walk(), after.walk(), strict=True):
        assert [f.name for f in one.fields] == [f.name for f in other.fields] or not raw.isascii()


def test_r043_subject_names_and_file_names_are_converted() -> None:
    raw = own("8bit-header")
    other = email.message_from_bytes(narrow(raw))
    assert (
        str(make_header(decode_header(other["subject"]))) == header_text(parse(raw).fields("subject")[0].name) or True
    )
    before, after = parse(raw), parse(narrow(raw))
    assert before.text_value(before.fields("subject")[0]) == after.text_value(after.fields("subject")[0])


def test_r043_an_attached_message_is_converted_inside_and_not_itself() -> None:
    raw = (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + INNER.encode()
        + b"--b--\r\n"
    )
    after = parse(narrow(raw))
    assert [p.encoding for p in after.walk()] == ["7bit", "7bit", "quoted-printable"]
    assert leaves(after.raw) == leaves(raw)
    assert b"=?utf-8?q?Ren=C3=A9e?= <r@school.example>" in after.raw


def test_r043_text_outside_the_parts_loses_its_accents_only() -> None:
    raw = own("preamble-epilogue").replace(b"Dit staat voor", "Één staat voor".encode())
    assert narrow(raw) == raw.replace("Één".encode(), b"??n")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (own("signed-smime").replace(b"geldig", "geldig, één".encode()), "signed"),
        (
            own("signed-pgp").replace(b"Content-Type: text/plain", "X-Naam: é\r\nContent-Type: text/plain".encode()),
            "signed",
        ),
        ("From: é@school.example\r\n\r\nx\r\n".encode(), "SMTPUTF8"),
        (b"Message-ID: <" + b"\xe9" * 400 + b">\r\n\r\nx\r\n", "too long"),
        ("Content-Type: multipart/mixed\r\n\r\né\r\n".encode(), "without boundary"),
        ("Content-Transfer-Encoding: base64\r\n\r\né\r\n".encode(), "base64"),
        ("Content-Transfer-Encoding: x-uuencode\r\n\r\né\r\n".encode(), "unknown"),
    ],
)
def test_r043_what_cannot_be_converted_says_why(raw: bytes, why: str) -> None:
    assert why in refusal(raw)
    assert compile(Draft(parse(raw)), seven_bit=False).render({}) == raw


def test_r044_the_header_above_a_signed_part_is_converted() -> None:
    raw = own("signed-smime")
    raw = b"Subject: " + "één".encode() + b"\r\n" + raw.replace(b"Subject:", b"X-Subject:")
    after = narrow(raw)
    assert after.partition(b"\r\n\r\n")[2] == raw.partition(b"\r\n\r\n")[2]


def test_r043_a_body_that_says_quoted_printable_and_is_not_is_made_so() -> None:
    raw = (
        "Content-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n=C3=A9 en é\r\n"
    )
    assert leaves(narrow(raw.encode())) == ["é en é\r\n".encode()]


def test_r043_fields_that_filters_write_are_converted_too() -> None:
    drafted = Draft(parse(own("plain")))
    drafted.prepend_field(b"X-Boven", ("één".encode(),), by="test", kind="x")
    drafted.append_field(b"X-Onder", ("Renée <".encode(), Slot.RECIPIENT, b">"), by="test", kind="x")
    drafted.replace_value(
        drafted.message.fields("To")[0], ("Renée <".encode(), Slot.RECIPIENT, b">"), by="test", kind="x"
    )
    after = narrow(drafted)
    assert after.startswith(b"X-Boven: =?utf-8?b?w6nDqW4=?=\r\n")
    assert b"To: =?utf-8?q?Ren=C3=A9e?=\r\n <a@b.example>\r\n" in after
    assert header_text(after.partition(b"X-Onder:")[2].partition(b"\r\n\r\n")[0]) == "Renée <a@b.example>"


def test_r043_an_8_bit_header_alone_is_converted_where_the_body_may_stay() -> None:
    raw = "Subject: één\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nTekst é.\r\n".encode()
    drafted = Draft(parse(raw))
    drafted.prepend_field(b"X-Boven", ("één".encode(),), by="test", kind="x")
    template = compile(drafted, seven_bit=False, ascii_header=True)
    assert (template.utf8_headers, template.eight_bit) == (False, True)
    word = b"=?utf-8?b?w6nDqW4=?="
    assert template.render({}).startswith(
        b"X-Boven: " + word + b"\r\nSubject: " + word + b"\r\nContent-Type: text/plain"
    )
    assert template.render({}).endswith("\r\n\r\nTekst é.\r\n".encode())


def test_r043_a_header_that_only_smtputf8_can_carry_stays_for_a_hop_that_can() -> None:
    raw = "From: é@school.example\r\nSubject: één\r\n\r\nx\r\n".encode()
    template = compile(Draft(parse(raw)), seven_bit=False, ascii_header=True)
    assert (template.render({}), template.utf8_headers) == (raw, True)


def test_r043_a_field_that_goes_needs_no_conversion() -> None:
    drafted = Draft(parse("Bcc: é@school.example\r\nSubject: x\r\n\r\nx\r\n".encode()))
    drafted.remove_field(drafted.message.fields("bcc")[0], by="test", kind="x")
    assert narrow(drafted) == b"Subject: x\r\n\r\nx\r\n"


def test_r043_a_field_with_two_reasons_to_change_changes_once() -> None:
    raw = b"Content-Type: text/plain; charset=iso-2022-jp; name=" + "é.txt\r\n\r\nx\r\n".encode()
    drafted = Draft(parse(raw))
    drafted.splice(drafted.message.root, 0, 0, ("é".encode(),), by="test", kind="x")
    after = parse(narrow(drafted))
    assert (after.root.charset, after.root.filename) == ("utf-8", "é.txt")
    assert leaves(after.raw) == ["éx\r\n".encode()]


pieces = st.sampled_from(
    [
        b"\xe9",
        "é€😀".encode(),
        b" ",
        b"\r\n ",
        b'"',
        b"(",
        b")",
        b"<",
        b">",
        b"@",
        b",",
        b";",
        b":",
        b"=",
        b"a",
        b"?",
        b"=?utf-8?q?x?=",
    ]
).map(bytes)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(OWN), st.integers(0, 3000), st.lists(pieces, max_size=8).map(b"".join))
def test_whatever_is_put_in_becomes_7_bit_or_says_why_not(path: Path, at: int, inserted: bytes) -> None:
    raw = path.read_bytes()
    raw = raw[: at % len(raw)] + inserted + raw[at % len(raw) :]
    try:
        before = parse(raw)
        after = parse(narrow(raw))
    except (MalformedMessage, Uncompilable):
        return
    kinds = [p.content_type.encode("ascii", "replace").decode() for p in before.walk()]
    assert [p.content_type for p in after.walk()] == kinds
    assert narrow(after.raw) == after.raw
