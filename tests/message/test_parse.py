"""The map of a message: fields, part tree, what is refused and what is only marked."""

from __future__ import annotations

import email
import tracemalloc
from email.message import Message as StdlibMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.gateway import Limits
from gateway.message.encodings import Undecodable, check, decode
from gateway.message.parse import MalformedMessage, Message, Part, bare_line_ends, duplicates, parse
from gateway.reply import BARE_LINE_END, LOOP, MALFORMED, TOO_BIG, UNSUPPORTED_MEDIA, Reply
from tests.message.samples import CORPUS, CORPUS_FOLDER, OWN, normalised, own

HEAD = b"From: a@school.example\r\nMIME-Version: 1.0\r\n"


def multipart(*parts: bytes, boundary: bytes = b"b", kind: bytes = b"mixed", close: bool = True) -> bytes:
    head = b'Content-Type: multipart/%s; boundary="%s"\r\n\r\n' % (kind, boundary)
    body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    return head + body + (b"--" + boundary + b"--\r\n" if close else b"")


def refusal(raw: bytes, limits: Limits = Limits()) -> MalformedMessage:  # noqa: B008
    with pytest.raises(MalformedMessage) as caught:
        parse(raw, limits)
    return caught.value


def by_path(message: Message) -> dict[str, Part]:
    return {part.path: part for part in message.walk()}


def body(message: Message, path: str) -> bytes:
    return message.raw[slice(*by_path(message)[path].body)]


# --- fields ---


def test_fields_are_found_in_any_case_with_their_spans() -> None:
    message = parse(own("folded-headers"))
    (to,) = message.fields("TO")
    assert message.raw[to.start : to.end].startswith(b"To: Jan Jansen")
    assert message.raw[to.start : to.end].endswith(b"recipients:;\r\n")
    assert message.raw_value(to).count(b"\r\n") == 4
    assert [f.name for f in message.fields("x-mixed-case")] == [b"x-MiXeD-CaSe"]
    assert message.raw_value(message.fields("Keywords")[0]) == b" oude schrijfwijze"
    assert message.raw_value(message.fields("X-Leeg")[0]) == b""
    assert len(message.fields("comments")) == 2


def test_fields_cover_the_header_without_gap() -> None:
    for path in OWN:
        root = parse(path.read_bytes()).root
        edges = [root.header[0], *(edge for f in root.fields for edge in (f.start, f.end)), root.header[1]]
        assert edges[::2] == edges[1::2], path.name


def test_text_value_unfolds_and_decodes() -> None:
    message = parse(own("folded-headers"))
    assert (
        message.text_value(message.fields("Subject")[0]) == "Een heel lang onderwerp dat over meer dan een regel  loopt"
    )
    subject = parse(own("base64-text"))
    assert subject.text_value(subject.fields("subject")[0]) == "Uitnodiging: één middag"


def test_a_value_without_a_final_line_end_keeps_its_last_octets() -> None:
    message = parse(b"Subject: kort")
    assert message.raw_value(message.fields("subject")[0]) == b" kort"


# --- part tree ---


def test_the_tree_of_a_nested_message() -> None:
    tree = {p.path: p.content_type for p in parse(own("nested")).walk()}
    assert tree == {
        "1": "multipart/mixed",
        "1.1": "multipart/related",
        "1.1.1": "multipart/alternative",
        "1.1.1.1": "text/plain",
        "1.1.1.2": "text/html",
        "1.1.2": "image/png",
        "1.2": "text/plain",
        "1.3": "multipart/digest",
        "1.3.1": "message/rfc822",
        "1.3.1.1": "text/plain",
        "1.3.2": "message/rfc822",
        "1.3.2.1": "text/plain",
    }


def test_the_line_end_before_a_boundary_belongs_to_the_boundary() -> None:
    message = parse(own("preamble-epilogue"))
    assert body(message, "1.1") == b"Eerste."
    assert body(message, "1.2") == b"Tweede, zonder kop."


def test_a_part_without_a_single_line_is_empty_and_broken() -> None:
    part = by_path(parse(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b--\r\n"))["1.1"]
    assert part.header == part.body
    assert (part.body[1] - part.body[0], part.broken) == (0, "a part of nothing")


def test_an_outer_boundary_ends_an_inner_multipart() -> None:
    inner = multipart(b"\r\none", boundary=b"in", close=False)
    message = parse(HEAD + multipart(inner, b"\r\ntwo", boundary=b"out"))
    assert [p.path for p in message.walk() if p.unclosed] == ["1.1"]
    assert not any(p.broken for p in message.walk())
    assert (body(message, "1.1.1"), body(message, "1.2")) == (b"one\r\n", b"two")


def test_the_line_end_of_the_message_belongs_to_the_boundary_that_is_missing() -> None:
    message = parse(HEAD + multipart(multipart(b"\r\none", boundary=b"in", close=False), boundary=b"out", close=False))
    parts = by_path(message)
    assert (body(message, "1.1.1"), parts["1.1"].unclosed, parts["1"].unclosed) == (b"one\r\n", True, True)
    assert parts["1"].body[1] == len(message.raw) == parts["1.1"].body[1] + 2


def test_a_header_right_before_a_boundary_has_no_body() -> None:
    for header in (b"Content-Type: text/plain", b"Content-Type: text/plain\r\n"):
        part = by_path(parse(HEAD + multipart(header, b"\r\ntwo")))["1.1"]
        assert (part.bare, part.broken, part.body[0], part.content_type) == (True, "", part.body[1], "text/plain")
    assert not by_path(parse(HEAD + multipart(b"\r\none")))["1.1"].bare


def test_a_boundary_that_closes_twice_hides_nothing() -> None:
    raw = HEAD + multipart(b"\r\none", boundary=b"b")
    assert not parse(raw + b"\r\n \r\n--b--\r\n\r\n--b--\r\nepilogue\r\n").root.broken
    assert parse(raw + b"x\r\n--b--\r\n").root.broken == "a boundary after the closing boundary"


def test_blanks_before_the_header_are_no_part_of_it() -> None:
    message = parse(b" \r\n\t \r\n" + HEAD + b"\r\nx")
    assert message.root.header[0] == 7
    assert [f.name for f in message.root.fields] == [b"From", b"MIME-Version"]
    assert refusal(b" x\r\n" + HEAD + b"\r\nx").reply == MALFORMED


def test_a_boundary_that_begins_like_another_is_not_that_boundary() -> None:
    inner = multipart(b"\r\nx", boundary=b"abc")
    message = parse(HEAD + multipart(inner, b"\r\ny", boundary=b"ab"))
    assert [p.path for p in message.walk()] == ["1", "1.1", "1.1.1", "1.2"]
    assert not any(p.broken for p in message.walk())


def test_the_content_of_an_attached_message_is_its_child() -> None:
    parts = by_path(parse(own("forward")))
    assert parts["1.2"].content_type == "message/rfc822"
    inner = parts["1.2.1"]
    assert [f.name for f in inner.fields][:3] == [b"From", b"To", b"Cc"]
    assert parts["1.2.1.2"].content_type == "text/html"


def test_file_names_are_read_in_all_their_forms() -> None:
    names = [p.filename for p in parse(own("file-names")).walk() if p.path != "1"]
    assert names == [
        "",
        "deelnemers café en reünie 2025.csv",
        "notulen één.txt",
        'met "aanhaling"; en puntkomma.txt',
        "coördinatie.txt",
    ]


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("alternative", ["1.1", "1.2"]),
        ("related", ["1.1"]),
        ("course-mail", ["1.1.1", "1.1.2"]),
        ("nested", ["1.1.1.1", "1.1.1.2"]),
        ("forward", ["1.1"]),
        ("calendar-invite", ["1.1"]),
        ("signed-smime", []),
        ("signed-pgp", []),
        ("encrypted-smime", []),
        ("inline-pgp", []),
        ("plain", ["1"]),
    ],
)
def test_text_parts_are_what_a_reader_sees_and_may_be_edited(name: str, paths: list[str]) -> None:
    assert [p.path for p in parse(own(name)).text_parts()] == paths


def test_an_attached_text_is_no_text_part_and_an_inline_one_is() -> None:
    attached = b"Content-Disposition: attachment\r\n\r\nx"
    unknown = b"Content-Disposition: form-data\r\n\r\nx"  # RFC 2183 2.8
    inline = b"Content-Disposition: inline; filename=x.txt\r\n\r\nx"
    message = parse(HEAD + multipart(attached, inline, unknown))
    assert [p.path for p in message.text_parts()] == ["1.2"]


def test_both_halves_of_an_appledouble_are_one_file() -> None:
    fork = b"Content-Type: application/applefile\r\n\r\nx"
    data = b"Content-Type: text/plain; name=lijst.txt\r\n\r\nJan"
    message = parse(HEAD + multipart(b"\r\nDag", multipart(fork, data, boundary=b"in", kind=b"appledouble")))
    assert [p.path for p in message.walk()] == ["1", "1.1", "1.2", "1.2.1", "1.2.2"]
    assert [p.path for p in message.text_parts()] == ["1.1"]


# --- opaque ---


@pytest.mark.parametrize("name", ["signed-smime", "signed-pgp", "encrypted-pgp", "encrypted-smime", "inline-pgp"])
def test_signed_and_encrypted_parts_are_opaque_to_the_last_leaf(name: str) -> None:
    assert all(p.opaque for p in parse(own(name)).walk())


def test_pgp_text_is_found_under_base64() -> None:
    raw = HEAD + b"Content-Transfer-Encoding: base64\r\n\r\nLS0tLS1CRUdJTiBQR1AgTUVTU0FHRS0tLS0tDQo=\r\n"
    assert parse(raw).root.sealed == "PGP text"


def test_pgp_words_inside_a_line_seal_nothing() -> None:
    assert not parse(HEAD + b"\r\nzie -----BEGIN PGP MESSAGE----- in de handleiding\r\n").root.opaque


# --- broken: passed on, not edited ---


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (HEAD + multipart(b"\r\nx", close=False) + b"--b-\r\n", "no closing boundary"),
        (HEAD + multipart(b"\r\nx", close=False, kind=b"signed"), "no closing boundary"),
        (HEAD + b"Content-Type: multipart/mixed\r\n\r\nx\r\n", "a multipart without boundary"),
        (HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\nx\r\n", "no boundary line"),
        (HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\n", "no body part between boundaries"),
        (HEAD + multipart(b"\r\nx") + b"--b\r\n\r\ny\r\n", "a boundary after the closing boundary"),
        (
            HEAD + b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD",
            "an attached message with a transfer encoding",
        ),
        (
            HEAD + b"Content-Disposition: inline\r\nContent-Disposition: attachment\r\n\r\nx",
            "two Content-Disposition fields",
        ),
    ],
)
def test_what_readers_could_see_differently_is_marked_broken(raw: bytes, why: str) -> None:
    assert parse(raw).root.broken == why


def test_an_unclosed_part_whose_boundary_comes_back_behind_its_end_is_broken() -> None:
    inner = multipart(b"\r\none", boundary=b"in", close=False)
    message = parse(HEAD + multipart(inner, b"\r\ntwo\r\n--in--", boundary=b"out"))
    assert [(p.path, p.broken, p.unclosed) for p in message.walk()] == [
        ("1", "", False),
        ("1.1", "no closing boundary", False),
        ("1.1.1", "no closing boundary", False),
        ("1.2", "", False),
    ]


def test_an_unclosed_multipart_in_an_attached_message_stays_broken() -> None:
    attached = b"Content-Type: message/rfc822\r\n\r\n" + multipart(b"\r\none", boundary=b"in", close=False)
    parts = by_path(parse(HEAD + multipart(attached)))
    assert (parts["1"].broken, parts["1.1.1"].broken, parts["1.1.1"].unclosed) == ("", "no closing boundary", False)


def test_a_line_that_is_no_field_breaks_an_attached_message_and_refuses_all_else() -> None:
    wrong = b"geen veld\r\nContent-Type: text/html\r\n\r\nx"
    message = parse(HEAD + multipart(b"Content-Type: message/rfc822\r\n\r\n" + wrong, b"\r\ny"))
    assert by_path(message)["1.1.1"].broken == "a header line is no field"
    assert by_path(message)["1.1.1"].content_type == "text/html"
    assert refusal(HEAD + multipart(wrong)).reply == MALFORMED
    assert refusal(b"Subject: x\r\ngeen veld\r\n\r\n").reply == MALFORMED
    assert refusal(b" begint gevouwen\r\n\r\n").reply == MALFORMED


def test_a_transfer_encoding_of_a_multipart_is_read_by_nobody() -> None:
    for name in (b"base64", b"quoted-printable", b'"base64"'):
        message = parse(HEAD + b"Content-Transfer-Encoding: " + name + b"\r\n" + multipart(b"\r\nx"))
        assert [(p.content_type, p.broken) for p in message.walk()] == [("multipart/mixed", ""), ("text/plain", "")]


# --- refused ---


@pytest.mark.parametrize(
    ("raw", "reply"),
    [
        (HEAD + b"Content-Type: text/plain\r\ncontent-type : text/html\r\n\r\n", MALFORMED),
        (HEAD + b"Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n\r\n", MALFORMED),
        (HEAD + multipart(b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\n"), MALFORMED),
        (HEAD + b"Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n", MALFORMED),
        (HEAD + b"Content-Type: multipart/mixed; boundary=a; boundary*=utf-8''b\r\n\r\n", MALFORMED),
        (HEAD + b"Content-Type: message/partial; id=1; number=1; total=2\r\n\r\n", UNSUPPORTED_MEDIA),
        (HEAD + multipart(b"Content-Type: Message/External-Body; access-type=url\r\n\r\n"), UNSUPPORTED_MEDIA),
        (b"Received: by x\r\n" * 100 + HEAD + b"\r\n", LOOP),
        (HEAD + b"\r\na\nb", BARE_LINE_END),
        (HEAD + b"\r\na\rb", BARE_LINE_END),
        (HEAD + b"\r\na\0b", BARE_LINE_END),
        (HEAD + b"X: " + b"x" * 300_000 + b"\r\n\r\n", TOO_BIG),
        (b"X: y\r\n" * 1001 + b"\r\n", MALFORMED),
    ],
)
def test_ambiguous_forbidden_and_oversized_messages_are_refused(raw: bytes, reply: Reply) -> None:
    assert refusal(raw).reply == reply


def test_ninety_nine_received_fields_pass() -> None:
    assert parse(b"Received: by x\r\n" * 99 + b"\r\n")


def test_a_message_over_the_size_limit_is_refused() -> None:
    assert refusal(HEAD + b"\r\n" + b"x" * 1000, Limits(message_size=500)).reply == TOO_BIG


def test_a_refusal_never_quotes_the_message() -> None:
    error = refusal(b"Subject: x\r\njan@school.example hier\r\n\r\n")
    assert "jan" not in str(error)
    assert error.offset == len(b"Subject: x\r\n")


def nested(depth: int) -> bytes:
    opening = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))
    return HEAD + opening + b"\r\nx\r\n" + b"".join(b"--b%d--\r\n" % n for n in reversed(range(depth)))


def test_nesting_is_allowed_up_to_the_limit_only() -> None:
    assert len(list(parse(nested(49)).walk())) == 50
    assert refusal(nested(50)).reply == MALFORMED
    assert refusal(nested(1000), Limits(depth=100_000)).reply == MALFORMED  # no RecursionError, whatever the settings


def test_too_many_parts_are_refused_before_they_are_built() -> None:
    raw = HEAD + multipart(*[b"\r\nx"] * 10_000)
    tracemalloc.start()
    assert refusal(raw).reply == MALFORMED
    assert tracemalloc.get_traced_memory()[1] < 2 * len(raw) + 1_000_000
    tracemalloc.stop()


def test_lines_that_mimic_a_boundary_are_counted() -> None:
    assert refusal(HEAD + multipart(b"\r\n" + b"--bX\r\n" * 12_000)).reply == MALFORMED


def test_large_content_under_many_boundaries_is_refused() -> None:
    opening = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(49))
    assert refusal(HEAD + opening + b"\r\n" + b"x\r\n" * 800_000).reason == "too much content nested too deep"


def test_parsing_a_large_message_copies_next_to_nothing() -> None:
    raw = HEAD + multipart(
        b"\r\nx", b"Content-Transfer-Encoding: base64\r\nContent-Type: image/png\r\n\r\n" + b"QUJD\r\n" * 800_000
    )
    tracemalloc.start()
    parse(raw)
    assert tracemalloc.get_traced_memory()[1] < 200_000
    tracemalloc.stop()


def test_bare_line_ends_are_seen() -> None:
    assert not bare_line_ends(b"a\r\nb\r\n")
    assert all(map(bare_line_ends, (b"a\nb", b"a\rb", b"\n\r", b"a\r\r\n", b"\0", b"\r\n\n")))


def test_doubled_fields_are_named() -> None:
    assert duplicates(parse(own("doubled-subject"))) == ["To", "Subject"]
    assert duplicates(parse(own("resent"))) == []
    assert duplicates(parse(own("plain"))) == []


# --- against another parser ---


def stdlib_tree(part: StdlibMessage) -> Any:
    kind = part.get_content_type()
    if kind.startswith("message/") and kind not in ("message/rfc822", "message/global"):
        return kind, []
    if kind == "message/global":
        return kind, []
    children = part.get_payload() if part.is_multipart() else []
    assert isinstance(children, list)
    return kind, [stdlib_tree(child) for child in children]  # type: ignore[arg-type]


def our_tree(part: Part) -> Any:
    children = () if part.content_type == "message/global" else part.children
    return part.content_type, [our_tree(child) for child in children]


def stdlib_leaves(part: StdlibMessage) -> list[StdlibMessage]:
    return [p for p in part.walk() if not p.is_multipart() and not p.get_content_type().startswith("message/")]


def unambiguous(encoding: str, content: bytes) -> bool:
    try:
        check(encoding, content)
    except Undecodable:
        return False
    return True


@pytest.mark.parametrize("path", [*OWN, *CORPUS], ids=lambda p: f"{p.parent.name}-{p.name}")
def test_the_tree_is_the_one_that_another_parser_sees(path: Path) -> None:
    raw = normalised(path)
    other = email.message_from_bytes(raw)
    defects = [d for p in other.walk() for d in p.defects]
    try:
        message = parse(raw)
    except MalformedMessage:
        return
    if defects or any(p.broken for p in message.walk()):
        return
    assert our_tree(message.root) == stdlib_tree(other)
    ours = [p for p in message.walk() if not p.children and not p.content_type.startswith("message/")]
    theirs = stdlib_leaves(other)
    if len(ours) == len(theirs):  # the blocks of a delivery status count as parts there
        for mine, its in zip(ours, theirs, strict=True):
            content = raw[slice(*mine.body)]
            label = str(its.get("content-transfer-encoding", ""))
            if unambiguous(mine.encoding, content) and label == label.strip():  # it does not strip a trailing space
                assert decode(mine.encoding, content) == its.get_payload(decode=True)
            assert bool(mine.filename) == bool(its.get_filename())


def test_the_open_corpus_is_there_or_said_to_be_absent() -> None:
    if not CORPUS_FOLDER.exists():
        pytest.skip(
            f"no open corpus at {CORPUS_FOLDER.name} beside the repository: compared with our own messages only"
        )
    assert len(CORPUS) > 200


# --- properties ---

fragments = st.sampled_from(
    [
        *(
            b"\r\n",
            b"\r\n\r\n",
            b"--b",
            b"--b--",
            b"--b\r\n",
            b" ",
            b"\t",
            b":",
            b";",
            b'"',
            b"(",
            b")",
            b"=",
            b"x",
            b"\xff",
        ),
        *(b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: message/rfc822\r\n", b"a: b\r\n"),
        *(b"Content-Transfer-Encoding: base64\r\n", b"Content-Type: text/html; charset*0*=utf-8''%e2;\r\n name*=x"),
        *(b"\n", b"\r", b"\0", b"=?utf-8?q?=", b"-----BEGIN PGP MESSAGE-----", b"boundary=", b"*1*=", b"''"),
    ]
)


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.binary(max_size=300), st.lists(fragments, max_size=40).map(b"".join)))
def test_any_bytes_are_mapped_or_refused(raw: bytes) -> None:
    try:
        message = parse(raw)
    except MalformedMessage:
        return
    for part in message.walk():
        assert 0 <= part.header[0] <= part.header[1] <= part.body[0] <= part.body[1] <= len(raw)
        assert all(part.body[0] <= c.header[0] and c.body[1] <= part.body[1] for c in part.children)
    for field in message.root.fields:
        message.text_value(field)
    message.text_parts()


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(OWN), st.integers(0, 4000), st.integers(0, 40), st.lists(fragments, max_size=3).map(b"".join))
def test_a_mutated_message_is_mapped_or_refused(path: Path, at: int, length: int, inserted: bytes) -> None:
    raw = path.read_bytes()
    at %= len(raw)
    try:
        message = parse(raw[:at] + inserted + raw[at + length :])
    except MalformedMessage:
        return
    assert message.root.body[1] == len(message.raw)
