"""Where lines over 998 octets are."""

from __future__ import annotations

from gateway.message.lines import LongLine, long_lines
from gateway.message.parse import parse
from tests.message.samples import OWN, own


def test_long_lines_are_named_by_part() -> None:
    message = parse(own("long-line"))
    assert [(p.part, p.where) for p in long_lines(message)] == [("1.1", "body"), ("1.2", "body")]
    assert message.raw[long_lines(message)[0].offset :].startswith(b"<p>Tekst")


def test_long_lines_in_headers_and_between_parts_are_named() -> None:
    long = b"x" * 999
    head = b"X-Lang: " + long + b"\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    raw = head + long + b"\r\n--b\r\nX-Ook: " + long + b"\r\n\r\n--b\r\n\r\ny\r\n--b--\r\n" + long + b"\r\n"
    found = long_lines(parse(raw))
    assert [(p.part, p.where) for p in found] == [
        ("1", "header"),
        ("1", "between"),
        ("1", "between"),
        ("1.1", "header"),
    ]


def test_998_octets_are_allowed() -> None:
    assert long_lines(parse(b"Subject: x\r\n\r\n" + b"x" * 998 + b"\r\n")) == []
    assert long_lines(parse(b"Subject: x\r\n\r\n" + b"x" * 999 + b"\r\n")) == [LongLine("1", "body", 14)]


def test_only_the_sample_with_long_lines_has_them() -> None:
    assert [path.stem for path in OWN if long_lines(parse(path.read_bytes()))] == ["long-line"]
