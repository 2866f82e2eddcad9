"""Edits: what may be edited, what overlaps, what a header value may hold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message.draft import Draft, Slot
from gateway.message.parse import Part, parse
from gateway.message.template import compile
from tests.message.samples import own


def draft(name: str) -> Draft:
    return Draft(parse(own(name)))


def part(drafted: Draft, path: str) -> Part:
    return next(p for p in drafted.message.walk() if p.path == path)


def rendered(drafted: Draft) -> bytes:
    return compile(drafted, seven_bit=False).render({Slot.RECIPIENT: b"jan@school.example", Slot.OPT_OUT: b"T" * 80})


# --- fields ---


def test_removing_fields_takes_their_lines_and_nothing_else() -> None:
    drafted = draft("receipts")
    for name in ("Disposition-Notification-To", "X-PMRQC"):
        for field in drafted.message.fields(name):
            drafted.remove_field(field, by="receipts", kind="receipt")
    raw = own("receipts")
    lines = raw.split(b"\r\n")
    kept = [
        line
        for line in lines
        if not line.lower().startswith((b"disposition-notification-to", b"x-pmrqc", b' "de kleine parel" <'))
    ]
    assert rendered(drafted) == b"\r\n".join(kept)
    assert [e.kind for e in drafted.edits] == ["receipt"] * 3
    assert drafted.removed(drafted.message.fields("x-pmrqc")[0])
    assert not drafted.removed(drafted.message.fields("subject")[0])


def test_a_field_inside_an_attached_message_can_be_removed() -> None:
    drafted = draft("forward")
    inner = part(drafted, "1.2.1")
    drafted.remove_field(next(f for f in inner.fields if f.name == b"Cc"), by="x", kind="x")
    assert rendered(drafted) == own("forward").replace(b"Cc: Karin <karin@vierde.example>\r\n", b"")


def test_fields_inside_a_signature_are_closed_and_those_around_it_open() -> None:
    drafted = draft("signed-smime")
    inner = part(drafted, "1.1").fields[0]
    with pytest.raises(ValueError, match="signed"):
        drafted.remove_field(inner, by="x", kind="x")
    with pytest.raises(ValueError, match="signed"):
        drafted.replace_value(inner, (b"text/html",), by="x", kind="x")
    drafted.replace_value(drafted.message.fields("subject")[0], (b"Anders",), by="x", kind="x")
    assert rendered(drafted).endswith(own("signed-smime").partition(b"\r\n\r\n")[2])


def test_prepended_fields_stack_and_appended_fields_queue() -> None:
    drafted = draft("plain")
    for number in (b"1", b"2"):
        drafted.prepend_field(b"Received", (b"by ", number), by="x", kind="x")
        drafted.append_field(b"X-Tail", (number,), by="x", kind="x")
    written = rendered(drafted)
    assert written.startswith(b"Received: by 2\r\nReceived: by 1\r\nFrom: ")
    assert b"\r\nX-Tail: 1\r\nX-Tail: 2\r\n\r\n" in written


@pytest.mark.parametrize("name", ["header-only", "empty-body"])
def test_fields_can_be_added_where_there_is_no_body(name: str) -> None:
    drafted = draft(name)
    drafted.append_field(b"X-Tail", (b"1",), by="x", kind="x")
    assert parse(rendered(drafted)).fields("x-tail")


def test_a_field_can_be_appended_to_a_header_without_its_last_line_end() -> None:
    drafted = Draft(parse(b"Subject: x"))
    drafted.append_field(b"X-Tail", (Slot.RECIPIENT,), by="x", kind="x")
    assert rendered(drafted) == b"Subject: x\r\nX-Tail: jan@school.example"


def test_a_value_is_replaced_and_keeps_its_name_as_written() -> None:
    drafted = draft("folded-headers")
    drafted.replace_value(drafted.message.fields("X-MIXED-CASE")[0], (b"nu\r\n wel",), by="x", kind="x")
    assert b"\r\nx-MiXeD-CaSe: nu\r\n wel\r\nKeywords" in rendered(drafted)


def test_replacing_a_removed_field_is_ignored_and_replacing_twice_is_an_error() -> None:
    drafted = draft("plain")
    subject, to = drafted.message.fields("subject")[0], drafted.message.fields("to")[0]
    drafted.remove_field(subject, by="x", kind="x")
    drafted.replace_value(subject, (b"weg",), by="x", kind="x")
    drafted.remove_field(subject, by="x", kind="x")
    assert len(drafted.edits) == 1
    drafted.replace_value(to, (b"a",), by="x", kind="x")
    with pytest.raises(ValueError, match="overlaps"):
        drafted.replace_value(to, (b"b",), by="y", kind="y")


@pytest.mark.parametrize(
    "value",
    [b"x\r\nBcc: a@b.example", b"x\ny", b"x\ry", b"x\0", b"x\r\n", b"x\r\n \r\n y", b"x\r\n\r\ny", b"x" * 999],
)
def test_a_header_value_cannot_start_another_field(value: bytes) -> None:
    with pytest.raises(ValueError):
        draft("plain").append_field(b"X-Test", (value,), by="x", kind="x")


@pytest.mark.parametrize("name", [b"", b"A B", b"A:", b"A\r\nB", "Naïef".encode()])
def test_a_field_name_is_printable_ascii(name: bytes) -> None:
    with pytest.raises(ValueError, match="field name"):
        draft("plain").append_field(name, (b"x",), by="x", kind="x")


# --- parts ---


@pytest.mark.parametrize(
    ("name", "path", "why"),
    [
        ("plain", "1", ""),
        ("iso-2022-jp", "1", ""),
        ("utf-16-base64", "1", ""),
        ("calendar-invite", "1.2", ""),
        ("signed-smime", "1.1", "signed"),
        ("signed-pgp", "1.1.1", "signed"),
        ("encrypted-smime", "1", "signed or encrypted"),
        ("encrypted-pgp", "1.2", "encrypted"),
        ("inline-pgp", "1", "PGP text"),
        ("no-closing-boundary", "1.1", ""),
        ("header-only", "1", ""),
        ("mixed-pdf", "1.2", "not a text part"),
        ("alternative", "1", "not a text part"),
    ],
)
def test_why_a_part_may_not_be_edited(name: str, path: str, why: str) -> None:
    drafted = draft(name)
    assert drafted.why_not(part(drafted, path)) == why


@pytest.mark.parametrize(
    ("header", "body", "why"),
    [
        (b"Content-Transfer-Encoding: base64", b"QUJD\r\n\r\nmet een voetregel van de lijst\r\n", "base64 that"),
        (b"Content-Transfer-Encoding: x-uuencode", b"begin 644 x\r\n", "encoding x-uuencode unknown"),
        (b"Content-Type: text/plain; charset=x-eigen", b"\x1b$Bx\r\n", "charset x-eigen unknown"),
        (b"Content-Type: text/plain; charset=punycode", b"\x0ex\r\n", "charset punycode unknown"),
        (b"Content-Type: text/plain; charset=iso-2022-jp", b"\x1b$B%A\r\n", "charset iso2022_jp"),
        (
            b"Content-Type: text/plain; charset=iso-2022-jp",
            b"x\x1b(B\x1b(By\r\n",
            "charset iso2022_jp does not round trip",
        ),
        (b"Content-Type: text/plain; charset=utf-7", b"+AGE-\r\n", "charset utf-7 does not round trip"),
    ],
)
def test_what_cannot_be_read_in_one_way_is_not_edited(header: bytes, body: bytes, why: str) -> None:
    drafted = Draft(parse(header + b"\r\n\r\n" + body))
    assert why in drafted.why_not(drafted.message.root)
    with pytest.raises(ValueError, match="may not be edited"):
        drafted.splice(drafted.message.root, 0, 0, (b"x",), by="x", kind="x")
    assert drafted.content(drafted.message.root)  # reading is always possible


@pytest.mark.parametrize(
    ("name", "charset", "word"),
    [
        ("plain", "utf-8", "Begrijpend"),
        ("iso-8859-15", "iso8859-15", "€\u00a0129,50"),
        ("windows-1252", "cp1252", "“Rekenen in groep 6” – nu voor € 19,95"),
        ("quoted-printable", "iso8859-1", "leescafé is elke dinsdag geopend, van tien uur tot half een, in de grote"),
        ("utf-16-base64", "utf-8", "één dezer dagen"),
        ("iso-2022-jp", "utf-8", "こんにちは"),
        ("wrong-labels", "cp1252", "één."),
    ],
)
def test_content_is_readable_in_its_scan_charset(name: str, charset: str, word: str) -> None:
    drafted = draft(name)
    root = drafted.message.root
    assert drafted.scan_charset(root) == charset
    assert word in drafted.content(root).decode(charset)


def test_edits_may_not_overlap_but_inside_a_removed_span_they_are_ignored() -> None:
    drafted = draft("plain")
    root = drafted.message.root

    def splice(start: int, end: int, *what: bytes) -> None:
        drafted.splice(root, start, end, what, by="x", kind="x")

    splice(10, 20)
    splice(12, 14, b"weg")
    splice(15, 15, b"weg")
    splice(10, 20, b"weg")
    assert len(drafted.edits) == 1
    splice(10, 10, b"<voor>")
    splice(20, 20, b"<na>")
    splice(20, 25, b"<anders>")
    for start, end in ((5, 11), (19, 22), (22, 30), (5, 40), (21, 21), (20, 25)):
        with pytest.raises(ValueError, match="overlaps"):
            splice(start, end, b"x")
    content = drafted.content(root)
    assert drafted.edited_content(root) == content[:10] + b"<voor><na><anders>" + content[25:]


def test_an_edit_that_failed_or_changes_nothing_leaves_the_part_its_bytes() -> None:
    drafted = draft("alternative")
    target = part(drafted, "1.2")
    drafted.splice(target, 5, 5, (), by="x", kind="x")
    with pytest.raises(ValueError, match="outside"):
        drafted.splice(target, 5, 10**6, (), by="x", kind="x")
    assert drafted.edits == []
    assert rendered(drafted) == own("alternative")


def test_insertions_at_one_place_stay_in_order() -> None:
    drafted = draft("plain")
    for word in (b"een ", b"twee ", b"drie "):
        drafted.splice(drafted.message.root, 0, 0, (word, Slot.OPT_OUT), by="x", kind="x")
    assert drafted.edited_content(drafted.message.root).startswith(b"een twee drie Beste Jan")


@pytest.mark.parametrize("span", [(-1, 2), (5, 4), (0, 10_000)])
def test_a_span_outside_the_content_is_an_error(span: tuple[int, int]) -> None:
    drafted = draft("plain")
    with pytest.raises(ValueError, match="outside"):
        drafted.splice(drafted.message.root, *span, (), by="x", kind="x")


def test_content_stays_what_it_was_before_the_edits() -> None:
    drafted = draft("html")
    root = drafted.message.root
    before = drafted.content(root)
    drafted.splice(root, 0, 100, (), by="x", kind="x")
    assert drafted.content(root) == before


def test_an_opaque_part_cannot_be_wrapped_again() -> None:
    drafted = draft("signed-smime")
    with pytest.raises(ValueError, match="signed"):
        drafted.rewrap(part(drafted, "1.1"), by="x", kind="x")


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8), st.sampled_from([b"", b"AB", b"\xc3\xa9"])), max_size=12)
)
def test_any_accepted_edits_give_what_replacing_by_hand_gives(plan: list[tuple[int, int, bytes]]) -> None:
    drafted = draft("8bit-utf8")
    root = drafted.message.root
    content = drafted.content(root)
    for start, length, what in plan:
        try:
            drafted.splice(root, start, start + length, (what,), by="x", kind="x")
        except ValueError:
            continue
    expected, shift = content, 0
    for edit in sorted(drafted.edits, key=lambda e: (e.start, e.end)):
        new = b"".join(p for p in edit.replacement if isinstance(p, bytes))
        expected = expected[: edit.start + shift] + new + expected[edit.end + shift :]
        shift += len(new) - (edit.end - edit.start)
    assert drafted.edited_content(root) == expected
