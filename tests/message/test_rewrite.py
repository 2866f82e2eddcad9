"""What an edit does to encoding, charset and the fields that describe a part, and what it leaves alone."""

from __future__ import annotations

import email
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message.draft import Draft, Slot
from gateway.message.encodings import encode_base64, encode_quoted_printable
from gateway.message.lines import long_lines
from gateway.message.parse import Part, parse
from gateway.message.template import Uncompilable, compile
from tests.message.samples import OWN, own


def draft(name: str) -> Draft:
    return Draft(parse(own(name)))


def part(drafted: Draft, path: str) -> Part:
    return next(p for p in drafted.message.walk() if p.path == path)


def edit(drafted: Draft, path: str, old: bytes, new: bytes) -> None:
    target = part(drafted, path)
    at = drafted.content(target).index(old)
    drafted.splice(target, at, at + len(old), (new,), by="test", kind="edit")


def write(drafted: Draft, *, seven_bit: bool = False) -> bytes:
    return compile(drafted, seven_bit=seven_bit).render({Slot.OPT_OUT: b"T" * 150, Slot.RECIPIENT: b"a@b.example"})


def decoded(raw: bytes) -> list[bytes]:
    leaves = [p for p in email.message_from_bytes(raw).walk() if not p.is_multipart()]
    return [p.get_payload(decode=True) for p in leaves]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "path", "old", "new", "encoding"),
    [
        ("plain", "1", b"Jan", b"Fatima", "7bit"),
        ("8bit-utf8", "1", b"allemaal", "iederéén".encode(), "8bit"),
        ("alternative", "1.2", b"het verhaal", "één verhaal".encode(), "quoted-printable"),
        ("base64-text", "1", b"collega", "Renée".encode(), "base64"),
        ("iso-8859-15", "1", b"methode", "€".encode("iso-8859-15"), "8bit"),
        ("windows-1252", "1", b"groep", "„".encode("cp1252"), "quoted-printable"),
    ],
)
def test_an_edited_part_keeps_its_encoding_and_charset(
    name: str, path: str, old: bytes, new: bytes, encoding: str
) -> None:
    drafted = draft(name)
    target = part(drafted, path)
    edit(drafted, path, old, new)
    written = next(p for p in parse(write(drafted)).walk() if p.path == path)
    assert (written.encoding, written.charset) == (encoding, target.charset)


@pytest.mark.parametrize("path", OWN, ids=lambda p: p.stem)
def test_editing_one_part_leaves_every_other_octet(path: Path) -> None:
    message = parse(path.read_bytes())
    for target in message.text_parts():
        drafted = Draft(message)
        if drafted.why_not(target):
            continue
        drafted.splice(target, 0, 0, (b"<!-- nieuw -->",), by="test", kind="edit")
        written = write(drafted)
        tail = message.raw[target.body[1] :]
        head = message.raw[: target.header[0]]
        assert written.startswith(head)
        assert written.endswith(tail + b"--open--\r\n" * message.root.unclosed)
        assert any(drafted.edited_content(target) in content for content in decoded(written))


def test_ascii_text_becomes_utf8_when_an_edit_needs_it() -> None:
    drafted = draft("plain-mime")
    edit(drafted, "1", b"koffie", "één kopje koffie".encode())
    written = write(drafted)
    assert b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n" in written
    assert decoded(written) == [drafted.edited_content(drafted.message.root)]


def test_a_message_without_mime_gets_the_fields_it_needs() -> None:
    drafted = draft("plain")
    edit(drafted, "1", b"koffie", "één kopje koffie".encode())
    parsed = email.message_from_bytes(write(drafted))
    assert parsed["MIME-Version"] == "1.0"
    assert parsed.get_content_charset() == "utf-8"
    payload = parsed.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert "één kopje koffie".encode() in payload


@pytest.mark.parametrize(("name", "word"), [("utf-16-base64", "één dezer"), ("iso-2022-jp", "こんにちは、ヤン")])
def test_a_recoded_part_says_utf8_afterwards(name: str, word: str) -> None:
    drafted = draft(name)
    edit(drafted, "1", word.encode(), (word + " –").encode())
    parsed = email.message_from_bytes(write(drafted))
    assert parsed.get_content_charset() == "utf-8"
    payload = parsed.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert word + " –" in payload.decode()


def test_only_the_charset_parameter_changes_in_the_field() -> None:
    value = b'text/plain; format=flowed (c);\r\n\tCharSet = "us-ascii" ; delsp=no'
    raw = b"MIME-Version: 1.0\r\nContent-Type: " + value + b"\r\n\r\nx\r\n"
    drafted = Draft(parse(raw))
    edit(drafted, "1", b"x", "é".encode())
    assert b"Content-Type: text/plain; format=flowed (c);\r\n\tcharset=utf-8 ; delsp=no\r\n" in write(drafted)


def test_flowed_text_keeps_its_soft_line_ends() -> None:
    drafted = draft("format-flowed")
    edit(drafted, "1", b"Kun je dinsdag?", b"Kun je woensdag?")
    assert write(drafted) == own("format-flowed").replace(b"dinsdag", b"woensdag")
    again = draft("format-flowed")
    edit(again, "1", b"dinsdag", "één".encode())
    (content,) = decoded(write(again))
    assert b"van de  \r\nontvanger" in content
    assert b"\r\n-- \r\n" in content


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("delsp", ["yes", "no"])
def test_flowed_text_flows_as_before_in_every_encoding(encoding: str, delsp: str) -> None:
    content = b"Kun je dinsdag naar de \r\nbijeenkomst komen? \r\n\r\n>> Ja \r\n From nu af wel.\r\n-- \r\nJan\r\n"
    packed = {"base64": encode_base64, "quoted-printable": encode_quoted_printable}.get(encoding, bytes)(content)
    field = f'Content-Type: text/plain; charset=us-ascii; format="flowed"; delsp={delsp}\r\n'
    raw = (field + f"Content-Transfer-Encoding: {encoding}\r\n\r\n").encode() + packed + b"\r\n"
    drafted = Draft(parse(raw))
    before = drafted.content(drafted.message.root)
    drafted.splice(drafted.message.root, len(before), len(before), ("één ".encode(), Slot.OPT_OUT), by="x", kind="x")
    after = parse(write(drafted))
    assert decoded(after.raw)[0].startswith(content)
    assert (after.root.parameters["format"], after.root.parameters["delsp"]) == ("flowed", delsp)
    assert after.root.charset == "utf-8"


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("windows-1250", "příliš žluťoučký"),
        ("windows-1251", "Привет"),
        ("windows-1257", "ąčęėįšųūž"),
        ("iso-8859-2", "zażółć"),
        ("koi8-r", "Привет"),
        ("gb18030", "你好世界"),
        ("big5", "你好世界"),
        ("shift_jis", "ソ表示能力"),
        ("euc-kr", "안녕하세요"),
        ("iso-2022-jp", "こんにちは"),
        ("iso-2022-kr", "안녕하세요"),
        ("utf-16", "één – 你好"),
        ("utf-16-be", "één – 你好"),
        ("utf-32", "één – 你好"),
        ("utf-7", "één – 你好"),
        ("hz", "你好世界"),
    ],
)
@pytest.mark.parametrize("seven_bit", [True, False])
def test_no_charset_loses_or_splits_a_character(charset: str, text: str, seven_bit: bool) -> None:
    content = f"{text}\r\n{text} <b>{text}</b>\r\n".encode(charset)
    field = f"Content-Type: text/html; charset={charset}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    drafted = Draft(parse(field.encode() + encode_base64(content) + b"\r\n"))
    target = drafted.message.root
    at = drafted.content(target).index(b"<b>")
    drafted.splice(target, at, at, (b"<i>x</i>", Slot.OPT_OUT), by="x", kind="x")
    after = email.message_from_bytes(write(drafted, seven_bit=seven_bit))
    payload = after.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode(str(after.get_content_charset())) == f"{text}\r\n{text} <i>x</i>{'T' * 150}<b>{text}</b>\r\n"


def test_a_wrong_label_costs_no_octet() -> None:
    for label, content in (("utf-8", b"caf\xe9 open"), ("iso-8859-1", "café open".encode()), ("us-ascii", b"caf\xe9")):
        raw = f"Content-Type: text/plain; charset={label}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n".encode() + content
        drafted = Draft(parse(raw))
        drafted.splice(drafted.message.root, 0, 0, (b"x ",), by="x", kind="x")
        for seven_bit in (True, False):
            assert decoded(write(drafted, seven_bit=seven_bit)) == [b"x " + content]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"", b"\r\n\n", b" \n"])
def test_line_ends_inside_encoded_text_stay_what_they_are(end: bytes) -> None:
    content = b"Dag" + end + b"Jan" + end
    raw = b"Content-Transfer-Encoding: base64\r\n\r\n" + encode_base64(content) + b"\r\n"
    drafted = Draft(parse(raw))
    drafted.splice(drafted.message.root, 3, 3, (b"!", Slot.OPT_OUT), by="x", kind="x")
    assert decoded(write(drafted)) == [b"Dag!" + b"T" * 150 + end + b"Jan" + end]


def test_a_digest_or_length_of_the_old_content_is_dropped() -> None:
    raw = b"Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\nContent-Length: 3\r\nLines: 1\r\nSubject: x\r\n\r\nx\r\n"
    drafted = Draft(parse(raw))
    edit(drafted, "1", b"x", b"yy")
    assert write(drafted) == b"Subject: x\r\n\r\nyy\r\n"
    untouched = Draft(parse(raw))
    untouched.remove_field(untouched.message.fields("subject")[0], by="x", kind="x")
    assert b"Content-MD5" in write(untouched)


def test_a_field_that_a_filter_and_the_encoding_both_change_is_refused() -> None:
    drafted = draft("iso-2022-jp")
    drafted.replace_value(drafted.message.fields("content-type")[0], (b"text/plain",), by="x", kind="x")
    drafted.splice(drafted.message.root, 0, 0, (b"x",), by="x", kind="x")
    with pytest.raises(Uncompilable, match="twice"):
        write(drafted)


# --- 7 bit (R-043) ---


@pytest.mark.parametrize("name", ["8bit-utf8", "iso-8859-15", "mixed-pdf", "course-mail", "wrong-labels"])
def test_8_bit_parts_are_encoded_for_a_7_bit_hop_with_equal_content(name: str) -> None:
    written = write(draft(name), seven_bit=True)
    assert written.isascii()
    assert decoded(written) == decoded(own(name))
    assert all(p.encoding not in ("8bit", "binary") for p in parse(written).walk())


def test_a_7_bit_message_passes_a_7_bit_hop_unchanged() -> None:
    assert write(draft("alternative"), seven_bit=True) == own("alternative")


def test_binary_attachments_become_base64_and_composites_are_relabelled() -> None:
    raw = (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        b"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        b"\xff\xfe\r\nx\r\n--b--\r\n"
    )
    written = write(Draft(parse(raw)), seven_bit=True)
    assert [p.encoding for p in parse(written).walk()] == ["7bit", "base64"]
    assert decoded(written) == [b"\xff\xfe\r\nx"]


def test_8_bit_text_in_an_attached_message_is_encoded_too() -> None:
    raw = own("forward").replace(b"Kan ik nog meedoen?\r\n\r\n", "Kan ik nog meedoen? Renée\r\n\r\n".encode())
    written = write(Draft(parse(raw)), seven_bit=True)
    assert written.isascii()
    assert decoded(written) == decoded(raw)


def test_an_opaque_8_bit_part_cannot_be_made_7_bit() -> None:
    raw = own("signed-smime").replace(b"geldig", "geldig, één".encode())
    with pytest.raises(Uncompilable, match="signed"):
        write(Draft(parse(raw)), seven_bit=True)
    assert write(Draft(parse(raw))) == raw


# --- long lines ---


def test_long_lines_are_wrapped_again_with_equal_content() -> None:
    drafted = draft("long-line")
    for place in long_lines(drafted.message):
        drafted.rewrap(part(drafted, place.part), by="long_lines", kind="long line")
    written = write(drafted)
    assert long_lines(parse(written)) == []
    assert decoded(written) == decoded(own("long-line"))
    assert [p.encoding for p in parse(written).walk()][1:] == ["quoted-printable", "base64"]


def test_an_edit_that_makes_a_long_line_is_encoded() -> None:
    drafted = draft("plain")
    edit(drafted, "1", b"koffie", b"koffie " * 200)
    written = write(drafted)
    assert long_lines(parse(written)) == []
    assert decoded(written) == [drafted.edited_content(drafted.message.root)]


def test_a_slot_on_a_line_that_has_no_room_for_it_is_encoded() -> None:
    drafted = draft("plain")
    drafted.splice(drafted.message.root, 0, 0, (b"x" * 600, Slot.OPT_OUT, b"\r\n"), by="x", kind="x")
    written = write(drafted)
    assert max(map(len, written.split(b"\r\n"))) <= 76 + len(b"Content-")
    assert decoded(written) == [b"x" * 600 + b"T" * 150 + b"\r\n" + drafted.content(drafted.message.root)]


# --- properties ---

words = st.lists(
    st.one_of(
        st.sampled_from([b"\r\n", b" ", b"\t", b"=", b".", b"--b", b"From ", b"\r\n.\r\n", "é€".encode()]),
        st.binary(max_size=8).map(lambda b: b.translate(None, b"\r\n\0")),
        st.integers(1, 1200).map(lambda n: b"x" * n),
    ),
    max_size=6,
).map(b"".join)


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(["plain", "8bit-utf8", "alternative", "base64-text", "course-mail", "quoted-printable", "nested"]),
    words,
    words,
    st.booleans(),
    st.booleans(),
)
def test_any_edit_decodes_to_what_was_meant(name: str, one: bytes, two: bytes, slot: bool, seven_bit: bool) -> None:
    drafted = draft(name)
    target = drafted.message.text_parts()[0]
    middle = len(drafted.content(target)) // 2
    drafted.splice(target, middle, middle, (one, *((Slot.OPT_OUT,) if slot else ()), two), by="x", kind="x")
    template = compile(drafted, seven_bit=seven_bit)
    written = template.render({Slot.OPT_OUT: b"T" * 150})
    content = drafted.content(target)
    assert decoded(written)[0] == content[:middle] + one + b"T" * 150 * slot + two + content[middle:]
    assert decoded(written)[1:] == decoded(own(name))[1:]
    assert template.eight_bit == (not written.isascii())
    assert not (seven_bit and template.eight_bit)
    assert max(map(len, written.split(b"\r\n"))) <= 998
    assert written.endswith(b"\r\n")


# --- multiparts without an end, headers without a body, encodings without a name ---

MIME = b"From: a@school.example\r\nMIME-Version: 1.0\r\n"
TEXT = b"Content-Type: text/plain\r\n\r\nDag.\r\n"
FILE = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD"


def mixed(*parts: bytes, boundary: bytes = b"out", end: bytes = b"") -> bytes:
    head = b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n" % boundary
    return head + b"".join(b"--%s\r\n%s\r\n" % (boundary, part) for part in parts) + end


def stamped(raw: bytes, path: str, *, seven_bit: bool = False) -> bytes:
    """With a line of ours at the end of one part."""
    drafted = Draft(parse(raw))
    target = next(p for p in drafted.message.walk() if p.path == path)
    end = len(drafted.content(target))
    drafted.splice(target, end, end, (b"\r\nMet groet\r\n",), by="test", kind="edit")
    return compile(drafted, seven_bit=seven_bit).render({})


def test_r049_what_is_edited_in_a_multipart_without_an_end_gets_one() -> None:
    raw = MIME + mixed(TEXT, FILE)
    written = stamped(raw, "1.1")
    assert written == raw.replace(b"Dag.\r\n", b"Dag.\r\n\r\nMet groet\r\n") + b"--out--\r\n"
    assert not any(part.unclosed for part in parse(written).walk())


def test_i5_what_is_not_edited_keeps_its_missing_end() -> None:
    raw = MIME + mixed(TEXT, mixed(TEXT, boundary=b"in"), FILE)
    drafted = Draft(parse(raw))
    drafted.append_field(b"X-Test", (b"x",), by="test", kind="field")
    assert compile(drafted, seven_bit=False).render({}) == raw.replace(b"\r\n\r\n", b"\r\nX-Test: x\r\n\r\n", 1)
    written = stamped(raw, "1.1")
    assert b"--in--" not in written
    assert written.endswith(b"\r\n--out--\r\n")


@pytest.mark.parametrize("ended", [True, False])
def test_r049_nested_ends_are_written_from_the_inside_out(ended: bool) -> None:
    raw = MIME + mixed(FILE, mixed(TEXT, boundary=b"in"))
    raw = raw if ended else raw.rstrip(b"\r\n")
    written = stamped(raw, "1.2.1")
    assert written.rstrip(b"\r\n").endswith(b"Met groet\r\n\r\n--in--\r\n--out--")
    assert [p.path for p in parse(written).walk()] == ["1", "1.1", "1.2", "1.2.1"]
    assert written == stamped(written, "1.2.1").replace(b"\r\nMet groet\r\n\r\nMet groet\r\n", b"\r\nMet groet\r\n", 1)


def test_r049_an_inner_end_is_written_before_the_boundary_that_follows() -> None:
    raw = MIME + mixed(mixed(TEXT, boundary=b"in"), FILE, end=b"--out--\r\nepiloog\r\n")
    written = stamped(raw, "1.1.1")
    assert b"Met groet\r\n\r\n--in--\r\n--out\r\nContent-Type: application/pdf" in written
    assert written.endswith(raw[raw.index(b"\r\n--out\r\nContent-Type: application") :])


def test_r043_conversion_to_seven_bit_closes_what_it_writes() -> None:
    raw = MIME + mixed("Content-Type: text/plain; charset=utf-8\r\n\r\nDág".encode())
    assert compile(Draft(parse(raw)), seven_bit=True).render({}).endswith(b"\r\nD=C3=A1g\r\n--out--\r\n")


@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_r041_a_header_without_a_body_gets_a_blank_line_with_its_text(end: bytes) -> None:
    raw = MIME + mixed(b"Content-Type: text/plain" + end, FILE, end=b"--out--\r\n")
    written = stamped(raw, "1.1")
    assert b"--out\r\nContent-Type: text/plain\r\n\r\n\r\nMet groet\r\n\r\n--out\r\n" in written
    drafted = Draft(parse(raw))
    target = next(p for p in drafted.message.walk() if p.path == "1.1")
    drafted.splice(target, 0, 0, ("Één.".encode(),), by="test", kind="edit")
    fields = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable"
    assert fields + b"\r\n\r\n=C3=89=C3=A9n.\r\n--out" in compile(drafted, seven_bit=True).render({})


def test_r041_a_part_without_a_header_gets_one_before_its_blank_line() -> None:
    drafted = Draft(parse(MIME + mixed(b"\r\nDag.\r\n", FILE, end=b"--out--\r\n")))
    target = next(p for p in drafted.message.walk() if p.path == "1.1")
    drafted.splice(target, 0, 0, ("Één. ".encode(),), by="test", kind="edit")
    fields = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    assert b"--out\r\n" + fields + b"\r\n=C3=89=C3=A9n. Dag." in compile(drafted, seven_bit=False).render({})


@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_r041_a_whole_message_without_a_body_gets_one(end: bytes) -> None:
    drafted = Draft(parse(b"From: a@school.example\r\nSubject: x" + end))
    drafted.append_field(b"X-Test", (b"x",), by="test", kind="field")
    drafted.splice(drafted.message.root, 0, 0, ("Één.\r\n".encode(),), by="test", kind="edit")
    written = compile(drafted, seven_bit=True).render({})
    head, _, body = written.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[1:3] == [b"Subject: x", b"X-Test: x"]
    assert body == b"=C3=89=C3=A9n.\r\n"
    assert [f.name for f in parse(written).root.fields][3:] == [
        b"MIME-Version",
        b"Content-Type",
        b"Content-Transfer-Encoding",
    ]


@pytest.mark.parametrize(
    ("body", "seven_bit", "encoding"),
    [
        ("Dag.\r\n", False, b"7bit"),
        ("Dág.\r\n", False, b"8bit"),
        ("Dág.\r\n", True, b"quoted-printable"),
    ],
)
def test_an_encoding_that_nobody_knows_gets_the_name_of_what_it_is(body: str, seven_bit: bool, encoding: bytes) -> None:
    head = MIME + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
    written = stamped(head + b"foobar\r\n\r\n" + body.encode(), "1", seven_bit=seven_bit)
    assert b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" in written
    assert decoded(written) == [body.encode() + b"\r\nMet groet\r\n"]


@pytest.mark.parametrize(("boundary", "encoding"), [(b"--", b"7bit"), (b"--", b"base64"), (b"b", b"7bit")])
def test_a_rule_of_dashes_is_no_boundary_of_dashes(boundary: bytes, encoding: bytes) -> None:
    text = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: " + encoding
    text += b"\r\n\r\n" + (b"RGFnLg==" if encoding == b"base64" else b"Dag.")
    drafted = Draft(parse(MIME + mixed(text, FILE, boundary=boundary, end=b"--%s--\r\n" % boundary)))
    target = next(p for p in drafted.message.walk() if p.path == "1.1")
    drafted.splice(target, 4, 4, (b"\r\n------\r\n", Slot.OPT_OUT), by="test", kind="edit")
    written = compile(drafted, seven_bit=False).render({Slot.OPT_OUT: b"https://afmelden.example/x"})
    assert decoded(written) == [b"Dag.\r\n------\r\nhttps://afmelden.example/x", b"ABC"]
    assert written.count(b"\r\n------\r\n") == 1  # the rule, or the boundary


def test_a_boundary_that_base64_hid_stays_hidden_in_the_clear() -> None:
    text = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encode_base64(
        b"Dag.\r\n--b\r\n\r\nx"
    )
    drafted = Draft(parse(MIME + mixed(text, FILE, boundary=b"b", end=b"--b--\r\n")))
    target = next(p for p in drafted.message.walk() if p.path == "1.1")
    drafted.splice(target, 0, 0, (Slot.OPT_OUT, b" "), by="test", kind="edit")
    written = compile(drafted, seven_bit=False).render({Slot.OPT_OUT: b"https://afmelden.example/x"})
    assert decoded(written) == [b"https://afmelden.example/x Dag.\r\n--b\r\n\r\nx", b"ABC"]


@pytest.mark.parametrize(
    ("boundary", "encoding", "body"),
    [
        (b"b0", b"quoted-printable", b"Dag.\r\n" + b"x" * 50 + b"=\r\n" + b"x" * 25 + b"--b0\r\nEinde."),
        (b"-" * 10, b"8bit", b"Dag.\r\n" + b"-" * 1100 + b"\r\nx" + b"-" * 100),
        (b"-" * 10, b"quoted-printable", b"Dag." + b"".join(b"\r\n=2D" + b"-" * n + b"=C3=A9" for n in range(60, 80))),
    ],
)
def test_no_soft_break_makes_a_boundary_of_text(boundary: bytes, encoding: bytes, body: bytes) -> None:
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n"
    drafted = Draft(parse(MIME + mixed(head + body, FILE, boundary=boundary, end=b"--%s--\r\n" % boundary)))
    text = drafted.content(part(drafted, "1.1"))
    drafted.splice(part(drafted, "1.1"), 4, 4, (b" Lees ", Slot.OPT_OUT), by="test", kind="edit")
    written = compile(drafted, seven_bit=False).render({Slot.OPT_OUT: b"https://afmelden.example/x"})
    assert decoded(written) == [b"Dag. Lees https://afmelden.example/x" + text[4:], b"ABC"]
    lines = written.split(b"\r\n")
    assert sum(line.startswith(b"--" + boundary) for line in lines) == 3
    assert max(map(len, lines)) <= 76
