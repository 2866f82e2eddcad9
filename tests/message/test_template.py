"""Compile, render, pack: identity without edits, slots in every encoding, shared pieces once."""

from __future__ import annotations

import email
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message.draft import Draft, Slot
from gateway.message.parse import MalformedMessage, Part, parse
from gateway.message.template import Template, compile, pack, unpack
from tests.message.samples import CORPUS, CORPUS_FOLDER, CORPUS_NAMES, OWN, normalised, own

TOKEN = b"https://opt-out.kleineparel.example/kp/" + b"Aa0-_" * 30
SLOTS = {Slot.OPT_OUT: TOKEN, Slot.RECIPIENT: b"jan@school.example"}
# Not valid to send, and why it is refused.
REFUSED = {
    "MailCore+mailcore2/144.eml": "external-body",
    "MailCore+mailcore2/message-partial.2.msg.txt.eml": "bare",
    "apache+james-mime4j/multi-digest.msg.eml": "boundary",  # with a fold in it
    "apache+james-mime4j/very-very-long-boundary.msg.eml": "boundary",
    "jhillyerd+enmime/bad-header-start.raw.eml": "header line",
    "jhillyerd+enmime/epilogue-sample.raw.eml": "base64",
    "jstedfast+MimeKit/rfc2046.0.eml": "partial",
    "jstedfast+MimeKit/rfc2046.1.eml": "partial",
    "sisimai+set-of-emails/lhost-amazonworkmail-01.eml": "bare",
    "sisimai+set-of-emails/rhost-outlook-01.eml": "bare",
    "stalwartlabs+mail-parser/001-2.eml": "external-body",
    "stalwartlabs+mail-parser/017-2.eml": "a Content-Type",
    "stalwartlabs+mail-parser/020.eml": "two content-type",
    "stalwartlabs+mail-parser/021.eml": "two content-type",
}


def draft(name: str) -> Draft:
    return Draft(parse(own(name)))


def part(drafted: Draft, path: str) -> Part:
    return next(p for p in drafted.message.walk() if p.path == path)


def insert(drafted: Draft, path: str, *replacement: bytes | Slot) -> None:
    target = part(drafted, path)
    end = len(drafted.content(target))
    drafted.splice(target, end, end, replacement, by="test", kind="insert")


def text_of(raw: bytes, path: str) -> bytes:
    found = email.message_from_bytes(raw)
    for number in path.split(".")[1:]:
        found = found.get_payload()[int(number) - 1]  # type: ignore[index,assignment]
    content = found.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def longest_line(raw: bytes) -> int:
    return max(map(len, raw.split(b"\r\n")))


# --- identity (I-5) ---


@pytest.mark.parametrize("path", OWN, ids=lambda p: p.stem)
def test_our_messages_pass_unchanged(path: Path) -> None:
    raw = path.read_bytes()
    template = compile(Draft(parse(raw)), seven_bit=False)
    assert template.render({}) == raw
    assert template.size({}) == len(raw)
    assert unpack(pack({"nl": template}))["nl"].render({}) == raw


@pytest.mark.parametrize("path", CORPUS, ids=CORPUS_NAMES)
def test_the_open_corpus_passes_unchanged(path: Path) -> None:
    raw = normalised(path)
    name = f"{path.parent.name}/{path.name}"
    if name in REFUSED or path.parent.name == "mnako+letters":  # those all have a space in a field name
        with pytest.raises(MalformedMessage, match=REFUSED.get(name, "header line")):
            parse(raw)
        return
    assert compile(Draft(parse(raw)), seven_bit=False).render({}) == raw


def test_the_open_corpus_is_there_or_said_to_be_absent() -> None:
    if not CORPUS_FOLDER.exists():
        pytest.skip("the open corpus is not beside the repository: identity shown on our own messages only")
    assert len(CORPUS) > 200


def test_an_untouched_message_is_not_even_copied() -> None:
    raw = own("course-mail")
    assert compile(Draft(parse(raw)), seven_bit=False).render({}) is raw


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(OWN), st.integers(0, 5000), st.binary(max_size=6))
def test_whatever_parses_passes_unchanged(path: Path, at: int, inserted: bytes) -> None:
    raw = path.read_bytes()
    raw = raw[: at % len(raw)] + inserted + raw[at % len(raw) :]
    try:
        message = parse(raw)
    except MalformedMessage:
        return
    assert compile(Draft(message), seven_bit=False).render({}) == raw


# --- slots ---


@pytest.mark.parametrize(
    ("name", "path", "encoding"),
    [
        ("plain", "1", "7bit"),
        ("8bit-utf8", "1", "8bit"),
        ("iso-8859-15", "1", "8bit"),
        ("alternative", "1.1", "quoted-printable"),
        ("alternative", "1.2", "quoted-printable"),
        ("base64-text", "1", "quoted-printable"),
        ("course-mail", "1.1.2", "7bit"),
        ("utf-16-base64", "1", "quoted-printable"),
        ("iso-2022-jp", "1", "quoted-printable"),
        ("format-flowed", "1", "7bit"),
    ],
)
def test_a_slot_arrives_whole_in_every_encoding(name: str, path: str, encoding: str) -> None:
    drafted = draft(name)
    insert(drafted, path, b"Afmelden: ", Slot.OPT_OUT, b"\r\n")
    rendered = compile(drafted, seven_bit=False).render(SLOTS)
    before = drafted.content(part(drafted, path))
    assert text_of(rendered, path) == before + b"Afmelden: " + TOKEN + b"\r\n"
    again = parse(rendered)
    assert next(p for p in again.walk() if p.path == path).encoding == encoding
    assert longest_line(rendered) <= 998


def test_rendering_differs_only_in_the_slot() -> None:
    drafted = draft("alternative")
    insert(drafted, "1.1", Slot.OPT_OUT, b" einde")
    template = compile(drafted, seven_bit=True)
    one, other = (template.render({Slot.OPT_OUT: c * 200}) for c in (b"a", b"b"))
    assert one.replace(b"a" * 72, b"b" * 72) != other  # the slot is broken at fixed positions ...
    assert len(one) == len(other) == template.size({Slot.OPT_OUT: b"c" * 200})
    assert {x for x, y in zip(one, other, strict=True) if x != y} == {ord("a")}
    assert max(map(len, one.split(b"\r\n"))) <= 76 or longest_line(own("alternative")) > 76


def test_slots_follow_each_other_and_begin_and_end_a_part() -> None:
    drafted = draft("quoted-printable")
    target = drafted.message.root
    drafted.splice(target, 0, 0, (Slot.RECIPIENT, Slot.OPT_OUT, b"\r\n"), by="test", kind="a")
    insert(drafted, "1", Slot.OPT_OUT)
    rendered = compile(drafted, seven_bit=True).render(SLOTS)
    assert text_of(rendered, "1") == b"jan@school.example" + TOKEN + b"\r\n" + drafted.content(target) + TOKEN
    assert rendered.endswith(b"\r\n")


def test_an_address_with_an_equals_sign_survives_quoted_printable() -> None:
    drafted = draft("quoted-printable")
    insert(drafted, "1", b"aan ", Slot.RECIPIENT, b"\r\n")
    rendered = compile(drafted, seven_bit=True).render({Slot.RECIPIENT: "jan=41b+é@school.example".encode()})
    assert text_of(rendered, "1").endswith("aan jan=41b+é@school.example\r\n".encode())


def test_a_slot_in_a_header() -> None:
    drafted = draft("course-mail")
    (to,) = drafted.message.fields("To")
    drafted.replace_value(to, (Slot.RECIPIENT,), by="test", kind="to")
    rendered = compile(drafted, seven_bit=False).render(SLOTS)
    assert b"\r\nTo: jan@school.example\r\nCc: deelnemer14" in rendered
    assert b"deelnemer3@" not in rendered


@pytest.mark.parametrize("value", [b"a\r\nBcc: x@y.example", b"a\nb", b"\0", b"x" * 600])
def test_a_slot_value_cannot_break_a_line(value: bytes) -> None:
    drafted = draft("plain")
    drafted.append_field(b"X-To", (Slot.RECIPIENT,), by="test", kind="x")
    template = compile(drafted, seven_bit=False)
    with pytest.raises(ValueError, match="slot"):
        template.render({Slot.RECIPIENT: value})


def test_a_template_says_which_slots_it_needs() -> None:
    drafted = draft("plain")
    insert(drafted, "1", Slot.OPT_OUT)
    template = compile(drafted, seven_bit=False)
    assert template.slots == {Slot.OPT_OUT}
    with pytest.raises(KeyError):
        template.render({})


# --- 7 bit, flags ---


@pytest.mark.parametrize(
    ("name", "eight_bit", "utf8_headers"),
    [("plain", False, False), ("8bit-utf8", True, False), ("8bit-header", True, True), ("mixed-pdf", True, False)],
)
def test_the_flags_say_what_the_next_hop_must_know(name: str, eight_bit: bool, utf8_headers: bool) -> None:
    template = compile(draft(name), seven_bit=False)
    assert (template.eight_bit, template.utf8_headers) == (eight_bit, utf8_headers)


def test_flags_follow_the_edits() -> None:
    drafted = draft("8bit-header")
    drafted.replace_value(drafted.message.fields("Subject")[0], (b"Cafe",), by="test", kind="x")
    assert not compile(drafted, seven_bit=False).utf8_headers
    added = draft("plain")
    added.append_field(b"X-Naam", ("Renée".encode(),), by="test", kind="x")
    assert compile(added, seven_bit=False).utf8_headers
    narrow = compile(added, seven_bit=True)
    assert (narrow.utf8_headers, narrow.eight_bit) == (False, False)


# --- pack ---


def large() -> tuple[bytes, Draft, Draft]:
    picture = b"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"QUJD\r\n" * 400_000
    raw = (
        b"To: geheim@school.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nTekst.\r\n"
        + picture
        + b"\r\n--b--\r\n"
    )
    message = parse(raw)
    return raw, Draft(message), Draft(message)


def test_variants_share_large_pieces_and_keep_nothing_that_none_uses() -> None:
    raw, one, other = large()
    for drafted, word in ((one, b"getrackt"), (other, b"kaal en wat langer")):
        drafted.replace_value(drafted.message.fields("To")[0], (Slot.RECIPIENT,), by="test", kind="to")
        insert(drafted, "1.1", word, Slot.OPT_OUT)
    templates = {"nl/tracked": compile(one, seven_bit=True), "nl/untracked": compile(other, seven_bit=True)}
    blob = pack(templates)
    assert len(blob) < len(raw) + 1000
    assert b"geheim" not in blob
    for name, template in unpack(blob).items():
        assert template.render(SLOTS) == templates[name].render(SLOTS)
        assert (template.eight_bit, template.utf8_headers) == (False, False)


def test_a_packed_template_can_be_packed_again() -> None:
    _, one, _ = large()
    insert(one, "1.1", Slot.OPT_OUT)
    once = unpack(pack({"a": compile(one, seven_bit=True)}))
    assert unpack(pack(once))["a"].render(SLOTS) == once["a"].render(SLOTS)


@pytest.mark.parametrize(
    "blob", [b"", b"BGT1", b"XXXX\0\0\0\0", b"BGT1\0\0\0\2[]", b'BGT1\0\0\0\7{"a":1}', b"BGT1\0\0\0\1{"]
)
def test_a_strange_blob_is_an_error_of_its_own(blob: bytes) -> None:
    with pytest.raises(ValueError):
        unpack(blob)


def test_a_large_message_costs_one_copy_of_it_at_most() -> None:
    raw, drafted, _ = large()
    tracemalloc.start()
    insert(drafted, "1.1", Slot.OPT_OUT)
    template: Template = compile(drafted, seven_bit=True)
    assert tracemalloc.get_traced_memory()[1] < 300_000
    rendered = template.render(SLOTS)
    assert tracemalloc.get_traced_memory()[1] < len(raw) + 300_000
    tracemalloc.stop()
    assert len(rendered) == template.size(SLOTS)
