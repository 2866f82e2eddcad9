"""Transfer encodings and charsets."""

from __future__ import annotations

import quopri

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message.encodings import (
    Undecodable,
    check,
    codec,
    decode,
    encode_base64,
    encode_quoted_printable,
    first_long_line,
    scan,
    short_lines,
    soft_break,
)

text_like = st.lists(
    st.one_of(
        st.binary(max_size=5), st.sampled_from([b"\r\n", b" \r\n", b"\n", b"\r", b"=", b".", b"x" * 75, b"x" * 76])
    ),
    max_size=20,
).map(b"".join)


@settings(deadline=None, max_examples=400)
@given(text_like)
def test_quoted_printable_comes_back_and_fits_its_lines(content: bytes) -> None:
    encoded = encode_quoted_printable(content)
    assert decode("quoted-printable", encoded) == content
    assert quopri.decodestring(encoded) == content
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))
    assert encoded.count(b"\n") == encoded.count(b"\r\n") == encoded.count(b"\r")
    assert encoded.isascii()


@settings(deadline=None, max_examples=200)
@given(text_like, text_like)
def test_a_soft_break_joins_two_pieces(one: bytes, two: bytes) -> None:
    joined = soft_break(encode_quoted_printable(one)) + encode_quoted_printable(two)
    assert decode("quoted-printable", joined) == one + two
    assert all(len(line) <= 76 for line in joined.split(b"\r\n"))


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300))
def test_base64_comes_back_and_is_strict(content: bytes) -> None:
    encoded = encode_base64(content)
    check("base64", encoded)
    assert decode("base64", encoded + b"\r\n") == content
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))


@pytest.mark.parametrize("body", [b"QUJD\r\n-- \r\nlijst", b"QUJ", b"QUI=QUI=", b"====", b"QU\xffJD"])
def test_base64_that_readers_decode_differently_is_told(body: bytes) -> None:
    with pytest.raises(Undecodable):
        check("base64", body)
    decode("base64", body)  # reading stays possible


def test_transport_padding_after_a_soft_break_is_dropped() -> None:
    assert decode("quoted-printable", b"een= \t\r\ntwee") == b"eentwee"


def test_an_unknown_encoding_is_told_without_quoting_more_than_its_name() -> None:
    with pytest.raises(Undecodable, match="encoding x-a unknown"):
        check("x-a", b"x")


@pytest.mark.parametrize("encoding", ["foobar", "quoted printable", "7vladi", "8 bits of text"])
def test_a_name_that_promises_no_coding_leaves_words_as_they_stand(encoding: str) -> None:
    check(encoding, b"Goede morgen, dit zijn woorden.\r\n\r\nhttps://school.example/?a=zo\r\n")
    check(encoding, b"kort")


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        *((name, b"gewone woorden") for name in ("x-uuencode", "x-foobar", "base85", "uue", "gzip", "yenc", "binhex")),
        ("foobar", b"caf=C3=A9 om de hoek"),
        ("foobar", b"een regel die doorl=\r\noopt"),
        ("foobar", b"begin 644 brief.txt\r\n#0V%T\r\n"),
        ("foobar", b"tekst\r\n-----BEGIN X-----\r\n"),
        ("foobar", b"R29lZGUgbW9yZ2VuLCBkaXQgemlqbiB3b29yZGVu"),
    ],
)
def test_what_may_be_coded_in_a_way_that_nobody_knows_is_not_read(encoding: str, body: bytes) -> None:
    with pytest.raises(Undecodable, match="unknown"):
        check(encoding, body)


def test_i7_an_address_in_the_place_of_a_name_is_not_quoted() -> None:
    with pytest.raises(Undecodable, match=r"encoding \(not a name\) unknown"):
        check("jan@school.example", b"=41")


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("UTF-8", "utf-8"),
        ("latin1", "iso8859-1"),
        ("windows-1252", "cp1252"),
        *((bad, "") for bad in ("x-eigen", "idna", "punycode", "unicode_escape", "zlib", "rot13", "base64", "hex", "")),
        ("a" * 100, ""),
        ("utf-8\0", ""),
    ],
)
def test_only_charsets_of_mail_are_codecs(charset: str, name: str) -> None:
    assert codec(charset) == name


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-32", "iso-2022-jp", "iso-2022-kr", "utf-7", "hz"])
def test_charsets_that_cannot_be_scanned_are_recoded(charset: str) -> None:
    content = "x".encode(charset)
    assert scan(charset, content).recoded
    assert scan(charset, content).content == b"x"


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-15", "windows-1252", "gb18030", "shift_jis", "big5", "euc-kr"])
def test_charsets_that_can_be_scanned_keep_their_octets(charset: str) -> None:
    content = "x".encode(charset)
    assert scan(charset, content).content is content
    assert not scan(charset, content).recoded


def test_utf16_is_read_in_the_order_of_its_mark_or_else_of_its_letters() -> None:
    for raw in (b"\xff\xfe" + "één".encode("utf-16-le"), b"\xfe\xff" + "één".encode("utf-16-be")):
        assert (scan("utf-16", raw).content.decode(), scan("utf-16", raw).why_not) == ("één", "")
    for order in ("utf-16-le", "utf-16-be"):
        bare = scan("UTF-16", "<p>één – €</p>".encode(order))
        assert (bare.content.decode(), bare.why_not) == ("<p>één – €</p>", "")


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("x-gbk", "gbk"),
        ("x-mac-cyrillic", "mac-cyrillic"),
        ("windows1252", "cp1252"),
        ("win-1251", "cp1251"),
        ("8859-15", "iso8859-15"),
        ("iso-8859-8-i", "iso8859-8"),
        ("charset=us-ascii", "ascii"),
        ("'utf-8'", "utf-8"),
        ("ks_c_5601-1987", "cp949"),
        ("windows-874", "cp874"),
        ("iso-8859-99", ""),
        ("x-unknown", ""),
    ],
)
def test_names_that_real_programs_write_are_known(label: str, name: str) -> None:
    assert codec(label) == name


def test_text_under_an_unknown_name_is_edited_like_text_without_one() -> None:
    assert scan("x-unknown", b"Dag") == scan("", b"Dag")
    assert scan("x-unknown", b"\xe9") == scan("", b"\xe9")
    for shifted in (b"\x1b$B%A", b"a\0b\0", b"~{<:Ky~}", b"+AGE-"):
        assert "unknown" in scan("x-unknown", shifted).why_not


def test_octets_that_base64_does_not_know_are_no_obstacle() -> None:
    check("base64", b"QU-JD*\r\n")
    for broken in (b"QUJ\r\n", b"QQ==QUJD", b"Q"):
        with pytest.raises(Undecodable, match="base64"):
            check("base64", broken)


@pytest.mark.parametrize(
    ("content", "short"),
    [
        (b"x" * 998 + b"\r\n", True),
        (b"x" * 999 + b"\r\n", False),
        (b"x" * 998, True),
        (b"x" * 999, False),
        (b"a\nb", False),
    ],
)
def test_short_lines(content: bytes, short: bool) -> None:
    assert short_lines(content) is short


@settings(deadline=None, max_examples=200)
@given(st.lists(st.integers(0, 25), max_size=12), st.booleans())
def test_the_first_long_line_is_found(lengths: list[int], ended: bool) -> None:
    raw = b"\r\n".join(b"x" * n for n in lengths) + b"\r\n" * ended
    position, expected = 0, -1
    for length in lengths:
        if length > 10:
            expected = position
            break
        position += length + 2
    assert first_long_line(raw, 0, len(raw), 10) == expected


@pytest.mark.parametrize("tail", [b" ", b"\t", b"   "])
@pytest.mark.parametrize("width", range(68, 80))
def test_a_space_at_the_end_of_a_full_line_makes_it_no_longer_than_76(width: int, tail: bytes) -> None:
    content = b"x" * width + tail + b"\r\nverder"
    encoded = encode_quoted_printable(content)
    assert quopri.decodestring(encoded) == content
    assert max(map(len, encoded.split(b"\r\n"))) <= 76
