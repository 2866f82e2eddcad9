"""One body: where the opt-out goes, in which characters, with which colours."""

from __future__ import annotations

import pytest

from gateway.filters.opt_out import FILTER
from gateway.filters.opt_out_part import disarm, read
from gateway.message.draft import Draft
from gateway.message.parse import parse
from tests.filters.example import URL, context, draft, only_content, render


def test_a_body_that_may_not_be_edited_says_why() -> None:
    made = draft("****", "text/html", "x-vreemd")
    assert "x-vreemd" in read(made, made.message.root, context()).closed
    assert disarm(made, made.message.root, context()) == ()


@pytest.mark.parametrize("charset", ["koi8-r", "iso-8859-7", "gb2312", "windows-1251"])
@pytest.mark.parametrize("encoding", ["8bit", "quoted-printable", "base64"])
def test_a_plain_text_whose_charset_lacks_a_character_becomes_utf_8(charset: str, encoding: str) -> None:
    import base64
    import quopri

    text = {"koi8-r": "Привет", "windows-1251": "Привет", "iso-8859-7": "Γειά", "gb2312": "你好"}[charset] + " x\r\n"
    octets = text.encode(charset)
    body = {
        "8bit": octets,
        "base64": base64.encodebytes(octets).replace(b"\n", b"\r\n"),
        "quoted-printable": quopri.encodestring(octets, quotetabs=False)
        .replace(b"\r\n", b"\n")
        .replace(b"\n", b"\r\n"),
    }[encoding]
    made = draft(body, f"text/plain; charset={charset}", encoding)
    FILTER.apply(made, context())
    finished = Draft(parse(render(made)))
    assert finished.message.root.charset == "utf-8"
    content = finished.content(finished.message.root).decode()
    assert content.startswith(text)
    assert "Coöperatie Voorbeeld & Zonen" in content
    assert URL.decode() in content


def test_edits_of_other_filters_go_along_into_utf_8() -> None:
    text = "Привет https://x.example/?u=1 мир https://y.example/?u=2\r\n"
    octets = text.encode("koi8-r")
    made = draft(octets, "text/plain; charset=koi8-r", "8bit")
    for found in (octets.index(b"?u=1"), octets.index(b"?u=2")):
        made.splice(made.message.root, found, found + 4, (), by="trackers", kind="link-parameter")
    FILTER.apply(made, context())
    assert only_content(made).decode().startswith("Привет https://x.example/ мир https://y.example/\r\n")
    assert [e.kind for e in made.edits if e.part][:2] == ["link-parameter"] * 2


def test_a_text_that_is_not_in_its_charset_keeps_it_and_gets_plain_letters() -> None:
    made = draft(b"\x81\xfe\xff x\r\n", "text/plain; charset=gb2312", "8bit")
    FILTER.apply(made, context())
    assert only_content(made).startswith(b"\x81\xfe\xff x\r\n")
    assert b"Cooperatie Voorbeeld" in only_content(made)


def test_on_a_dark_page_the_text_is_light() -> None:
    made = draft('<body bgcolor="#111111"><table bgcolor=white><tr><td>Hallo</table></body>')
    FILTER.apply(made, context())
    assert b"color:#ffffff;" in only_content(made)


def test_enriched_text_has_each_line_on_its_own() -> None:
    made = draft("<bold>Hallo</bold>\r\n", "text/enriched; charset=utf-8")
    FILTER.apply(made, context())
    block = only_content(made).split(b"------------------------")[1]
    assert all(line.endswith(b"\r\n\r\n") for line in block.splitlines(keepends=True)[1:-1:2]) or b"\r\n\r\n" in block
    assert block.count(b"\r\n\r\n") == block.count(b"\r\n") // 2
