from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.decision import Action
from gateway.filters.opt_out import FILTER, bodies
from gateway.message.draft import Draft
from gateway.message.parse import parse
from gateway.reply import NO_OPT_OUT
from tests.filters.example import URL, context, draft, organisation, render

LINK = URL.decode()
HOW_TO = {"scope": None, "header": "none", "text": "how-to"}


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(made: Draft, *, seven_bit: bool = False) -> str:
    return str(parsed(render(made, seven_bit=seven_bit)).get_content()).replace("\r\n", "\n")


def mixed(*parts: bytes, kind: str = "mixed") -> bytes:
    inner = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts)
    return b"--x--\r\n".join([inner, b""]).join([f"Content-Type: multipart/{kind}; boundary=x\r\n\r\n".encode(), b""])


PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\nHallo\r\n"
HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>Hallo</p></body></html>\r\n"
IMAGE = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <a@x>\r\n\r\nAAAA\r\n"
PDF = IMAGE.replace(b"image/png", b"application/pdf").replace(b"Content-ID: <a@x>", b"Content-Disposition: attachment")
NOTES = b"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nnotities\r\n"
SIGNED = (
    b'Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary=y\r\n\r\n--y\r\n'
    + PLAIN
    + b"\r\n--y\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--y--\r\n"
)


def message(body: bytes) -> Draft:
    return Draft(parse(b"From: a@voorbeeld.example\r\nMIME-Version: 1.0\r\n" + body))


SHAPES = {
    "plain": (PLAIN, 1),
    "html": (HTML, 1),
    "alternative": (mixed(PLAIN, HTML, kind="alternative"), 2),
    "related": (mixed(HTML, IMAGE, kind="related"), 1),
    "mixed": (mixed(PLAIN, PDF), 1),
    "mixed-alternative": (
        mixed(mixed(PLAIN, HTML, kind="alternative").replace(b"x\r\n", b"z\r\n").replace(b"--x--", b"--z--"), NOTES),
        2,
    ),
    "picture-between-texts": (mixed(PLAIN, IMAGE, PLAIN), 1),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_alternative_ends_with_the_link(shape: str) -> None:
    body, expected = SHAPES[shape]
    made = message(body)
    assert FILTER.apply(made, context()) == ()
    found = 0
    for part in parsed(render(made)).walk():
        if part.get_content_type() in ("text/plain", "text/html") and not part.is_attachment():
            content = part.get_content()
            found += LINK in content
            assert content.count(LINK) <= 1
    assert found == expected == len(bodies(made.message))


def test_a_text_with_a_file_name_is_not_the_last_thing_shown() -> None:
    named = b"Content-Type: text/plain; name=notities.txt\r\n\r\nnotities\r\n"
    made = message(mixed(PLAIN, named))
    assert [part.path for part in bodies(made.message)] == ["1.1"]


def test_of_related_parts_only_the_first_is_a_body() -> None:
    assert [part.path for part in bodies(message(mixed(HTML, PLAIN, kind="related")).message)] == ["1.1"]


def test_an_attached_text_is_not_touched() -> None:
    made = message(mixed(PLAIN, NOTES))
    FILTER.apply(made, context())
    assert NOTES in render(made)


@pytest.mark.parametrize("encoding", ["8bit", "quoted-printable", "base64", "7bit"])
@pytest.mark.parametrize(
    "charset", ["utf-8", "iso-8859-1", "windows-1252", "us-ascii", "koi8-r", "iso-2022-jp", "shift_jis"]
)
@pytest.mark.parametrize("kind", ["plain", "html"])
def test_the_block_is_in_the_charset_and_encoding_of_its_part(encoding: str, charset: str, kind: str) -> None:
    import base64
    import quopri

    word = {"koi8-r": "Привет", "iso-2022-jp": "日本", "shift_jis": "日本", "us-ascii": "Hallo"}.get(charset, "Één")
    if encoding == "7bit" and charset not in ("us-ascii", "iso-2022-jp"):
        return
    text = f"<p>{word}</p>\r\n" if kind == "html" else f"{word}\r\n"
    octets = text.encode(charset)
    body = {
        "base64": base64.encodebytes(octets).replace(b"\n", b"\r\n"),
        "quoted-printable": quopri.encodestring(octets),
    }
    made = draft(
        body.get(encoding, octets).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
        f"text/{kind}; charset={charset}",
        encoding,
    )
    assert FILTER.apply(made, context()) == ()
    content = text_of(made)
    assert word in content
    assert content.index(word) < content.index(LINK)
    assert re.search(r"Co(ö|o|&#246;)peratie Voorbeeld (&amp;|&) Zonen", content)
    assert "Straat 1, 1000 AA Plaats" in content


def test_in_plain_text_the_address_stands_alone_on_its_line() -> None:
    made = draft("Hallo\r\n", "text/plain; charset=utf-8")
    FILTER.apply(made, context())
    assert f"\r\n{LINK}\r\n" in render(made).decode()


def test_flowed_text_stays_fixed_where_we_write() -> None:
    made = draft("Een zin die \r\ndoorloopt \r\n", "text/plain; charset=utf-8; format=flowed; delsp=yes")
    FILTER.apply(made, context(language="en"))
    added = text_of(made).split("doorloopt \n", 1)[1]
    assert added.startswith("\n")
    assert not any(line.endswith(" ") for line in added.split("\n"))


class Visible(HTMLParser):
    """What an independent reader sees, with the link as {link}."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("br", "img", "meta"):
            self.open.append(tag)
        if tag == "a" and dict(attrs).get("href") == LINK:
            self.text.append("{link}")
            self.where = [t for t in self.open if t in ("table", "title", "style", "select", "textarea")]

    def handle_endtag(self, tag: str) -> None:
        while tag in self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"style", "title", "script"} & set(self.open):
            self.text.append(data)


@pytest.mark.parametrize(
    "body",
    [
        "<html><body><p>Hallo</p></body></html>",
        "<p>Hallo",
        "<html><body><p>Hallo</p></body></html>\r\n<p>Hallo erna</p>",
        "<html><body>x</body><body><p>Hallo</p></body></html>",
        "<html><body><p>Hallo</p></html>",
        "<body>Hallo<table><tr><td>cel",
        "<body>Hallo<table><tr><td>cel</body></html>",
        "<body>Hallo<!-- vergeten",
        "<body>Hallo<title>vergeten",
        "<body>Hallo<style>p{color:red}",
        "<body>Hallo<textarea>vergeten",
        "<body>Hallo<a href='https://e.example/",
        "<body>Hallo<div style='display:none'>verborgen",
        "<body>Hallo<select><option>x",
        "<body>Hallo</body><!-- einde --></html><!-- nog een -->  \r\n",
        "<body>Hallo<!--[if mso]></td></tr></table><![endif]--></body>",
        "",
    ],
)
def test_the_link_is_the_last_thing_seen_in_any_html(body: str) -> None:
    made = draft(body)
    assert FILTER.apply(made, context(language="en")) == ()
    content = text_of(made)
    reader = Visible()
    reader.feed(content)
    reader.close()
    seen = "".join(reader.text)
    assert seen.index("Hallo") < seen.index("{link}") if "Hallo" in body else "{link}" in seen
    assert "Hallo erna" not in seen[seen.index("{link}") :]
    assert reader.where == []
    hidden = content.find("display:none")
    assert hidden < 0 or "</div>" in content[hidden : content.index(LINK)]


def test_the_link_says_what_it_does_and_takes_the_colours_around_it() -> None:
    made = draft("<body bgcolor=black text=white><p>Hallo</p></body>")
    FILTER.apply(made, context())
    content = text_of(made)
    block = content[content.index('<div lang="nl"') :]
    assert "Meld je hier af</a>" in block
    assert "background" not in block
    assert block.count("color:inherit") == 3
    assert "Co&ouml;peratie Voorbeeld &amp; Zonen" in block or "Coöperatie Voorbeeld &amp; Zonen" in block


@pytest.mark.parametrize(("language", "word"), [("nl", "afmelden|Meld je"), ("en", "Unsubscribe"), ("xx", "Meld je")])
def test_the_language_is_that_of_the_variant_or_of_the_organisation(language: str, word: str) -> None:
    made = draft("<p>Hallo</p>")
    FILTER.apply(made, context(language=language))
    assert re.search(word, text_of(made))


def test_a_text_of_the_organisation_is_used_and_completed_with_who_sends() -> None:
    own = organisation(footer={"link": {"nl": "Geen zin meer? {link} <b>"}})
    html, plain = draft("<p>Hallo</p>"), draft("Hallo\r\n", "text/plain")
    for made in (html, plain):
        FILTER.apply(made, context(organisation=own))
        assert "Straat 1, 1000 AA Plaats, Nederland" in text_of(made)
        assert LINK in text_of(made)
    assert "Geen zin meer? <a" in text_of(html)
    assert "&lt;b&gt;" in text_of(html)
    assert f"Geen zin meer?\n{LINK}\n<b>\n" in text_of(plain)


def test_a_text_without_its_link_gets_one() -> None:
    made = draft("Hallo\r\n", "text/plain")
    FILTER.apply(made, context(organisation=organisation(footer={"link": {"nl": "Dag {name} {address}"}})))
    assert LINK in text_of(made)


def test_how_to_says_how_without_a_link() -> None:
    for made in (draft("<p>Hallo</p>"), draft("Hallo\r\n", "text/plain")):
        assert FILTER.apply(made, context(opt_out=HOW_TO)) == ()
        content = text_of(made)
        assert "info@voorbeeld.example" in content
        assert LINK not in content


def test_a_stream_without_scope_never_gets_a_link() -> None:
    made = draft("<p>Hallo</p>")
    FILTER.apply(made, context(opt_out={"scope": None, "header": "one-click", "text": "link"}))
    assert LINK.encode() not in render(made)


def test_nothing_is_added_to_mail_of_the_null_sender_or_unedited_streams() -> None:
    for changed in (context(null_sender=True), context(rule={"edit": False})):
        made = draft("<p>Hallo</p>", head="List-Unsubscribe: <https://elders.example/>\r\n")
        assert FILTER.apply(made, changed) == ()
        assert render(made) == made.message.raw


@pytest.mark.parametrize("body", [PDF, mixed(PDF, NOTES), IMAGE], ids=["pdf", "attachments", "image"])
def test_marketing_without_a_place_for_the_link_is_refused(body: bytes) -> None:
    (outcome,) = FILTER.apply(message(body), context())
    assert outcome.action is Action.REFUSE
    assert outcome.reply is not None
    assert outcome.reply.code == NO_OPT_OUT.code
    assert "no text part" in outcome.reply.text


def test_other_mail_without_a_place_passes_with_a_note() -> None:
    (outcome,) = FILTER.apply(message(PDF), context(opt_out=HOW_TO))
    assert (outcome.kind, outcome.action) == ("no-place", Action.DELIVER)


def test_signed_mail_gets_the_header_alone_and_keeps_its_bytes() -> None:
    made = message(SIGNED)
    (outcome,) = FILTER.apply(made, context())
    assert (outcome.kind, outcome.action) == ("header-only", Action.DELIVER)
    out = render(made)
    assert SIGNED[SIGNED.index(b"--y") :] in out
    assert b"List-Unsubscribe: <" + URL + b">\r\n" in out


def test_signed_mail_whose_stream_has_no_header_is_refused() -> None:
    (outcome,) = FILTER.apply(message(SIGNED), context(opt_out={"scope": "list", "header": "none", "text": "link"}))
    assert outcome.action is Action.REFUSE


BROKEN = b"Content-Type: text/html\r\nContent-Transfer-Encoding: x-vreemd\r\n\r\n****\r\n"


def test_one_unreadable_alternative_refuses_the_whole() -> None:
    (outcome,) = FILTER.apply(message(mixed(PLAIN, BROKEN, kind="alternative")), context())
    assert outcome.action is Action.REFUSE


def test_a_signed_part_elsewhere_does_not_excuse_it() -> None:
    inner = mixed(PLAIN, BROKEN, kind="alternative").replace(b"=x\r\n", b"=z\r\n").replace(b"--x", b"--z")
    (outcome,) = FILTER.apply(message(mixed(SIGNED, inner)), context())
    assert outcome.action is Action.REFUSE


@pytest.mark.parametrize("kind", ["plain", "html"])
@pytest.mark.parametrize("rule", [None, HOW_TO], ids=["link", "how-to"])
def test_a_second_pass_adds_no_second_block(kind: str, rule: dict[str, str] | None) -> None:
    made = draft("Hallo" if kind == "plain" else "<body><p>Hallo</p></body>", f"text/{kind}; charset=utf-8")
    FILTER.apply(made, context(opt_out=rule))
    once = render(made)
    again = Draft(parse(once))
    FILTER.apply(again, context(opt_out=rule))
    assert render(again) == once


def test_a_quoted_block_of_an_earlier_mail_does_not_count() -> None:
    first = draft("Hallo\r\n", "text/plain; charset=utf-8")
    FILTER.apply(first, context())
    quoted = text_of(first).replace("T" * 120, "Z" * 120)
    made = draft(
        f"{quoted}\r\nEn dit is nieuw.\r\n".replace("\r", "").replace("\n", "\r\n"), "text/plain; charset=utf-8"
    )
    FILTER.apply(made, context())
    content = text_of(made)
    assert content.index("nieuw") < content.index(LINK)


pieces = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<div style='display:none'>",
        "</div>",
        "<table>",
        "<td>",
        "</table>",
        "<!--",
        "-->",
        "</body>",
        "</html>",
        "<title>",
        "</title>",
        "<style>",
        "</style>",
        "tekst",
        "<a href='",
        "'>",
        "<![endif]",
        "<!--[if mso]>",
        "\r\n",
        "é",
        "&amp;",
    ]
)


@settings(deadline=None, max_examples=150)
@given(st.lists(pieces, max_size=12).map("".join))
def test_any_html_keeps_its_bytes_and_gets_one_link_that_a_second_pass_keeps(body: str) -> None:
    made = draft(body)
    outcome = FILTER.apply(made, context())
    if any(o.action is Action.REFUSE for o in outcome):
        return
    out = render(made)
    (edit,) = [e for e in made.edits if e.part]
    assert edit.start == edit.end
    content = made.content(made.message.root)
    assert made.edited_content(made.message.root).startswith(content[: edit.start])
    assert made.edited_content(made.message.root).endswith(content[edit.start :])
    assert str(parsed(out).get_content()).count(LINK) == 1
