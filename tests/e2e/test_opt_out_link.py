"""The opt-out is the last thing a reader sees, in every alternative, whatever the mail is made of, and works (S-21)."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage, Message
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gateway.demo.stage import Stage
from tests.e2e.post import PAREL, arrived, consent, mail, one_click, opt_out_url, person, send, texts

MESSAGES = Path(__file__).parents[1] / "messages"
POLICY = b"Briefgeheim-Stream: policy_change\r\nBriefgeheim-Reference: 2027-01\r\n"
PIXEL = bytes.fromhex("89504e470d0a1a0a")
KINDS = {
    "newsletter": {"list": "nieuwsbrief"},
    "notification": {"topic": "lezingen", "ready": "yes"},
    "participation": {"reference": "cursus-21"},
    "policy_change": {"reference": "2027-01"},
}


def plain(message: EmailMessage) -> None:
    message.set_content("Tot zaterdag.\n")


def html(message: EmailMessage) -> None:
    message.set_content("<html><body><table><tr><td>Tot zaterdag.</td></tr></table></body></html>", subtype="html")


def alternative(message: EmailMessage) -> None:
    plain(message)
    message.add_alternative("<p>Tot <b>zaterdag</b>.</p>", subtype="html")


def related(message: EmailMessage) -> None:
    alternative(message)
    body = message.get_payload(1)
    assert isinstance(body, EmailMessage)
    body.set_content('<p>Tot zaterdag.</p><img src="cid:kaart"><!-- slot -->', subtype="html")
    body.add_related(PIXEL, "image", "png", cid="<kaart>")


def mixed(message: EmailMessage) -> None:
    alternative(message)
    message.add_attachment(PIXEL, maintype="image", subtype="png", filename="programma.png")
    message.add_attachment("losse tekst\n", filename="bijlage.txt")


class Visible(HTMLParser):
    """The text of a page as a reader sees it, with the address of the last link."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.link, self._hidden = "", "", 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "script", "title")
        if tag == "a":
            self.link = str(dict(attrs)["href"])
            self.text += f" [{self.link}] "

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "script", "title")

    def handle_data(self, data: str) -> None:
        self.text += data if not self._hidden else ""


def shown(content: bytes) -> Iterator[str]:
    """Each alternative of the body as text, links written out; attachments are no body."""
    for part in email.message_from_bytes(content, policy=email.policy.default).walk():
        if part.get_content_maintype() == "text" and not part.get_filename():
            yield _text(part)


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    text = payload.decode(part.get_content_charset() or "utf-8")
    if part.get_content_subtype() == "plain":
        return text
    page = Visible()
    page.feed(text)
    return page.text


def check_last(text: str, url: str, before: str) -> None:
    """The link is there once, behind the mail's own words, and only the footer's own lines follow it."""
    assert text.count(url) == 1
    assert before in text.partition(url)[0]
    after = re.sub(r"\[?https://dekleineparel\.nl/privacybeleid\]?", "", text.partition(url)[2])
    assert re.sub(r"Meld je hier af|Ons privacybeleid:|[\s\[\]]", "", after) == ""


def participant(stage: Stage) -> str:
    who = person("deelnemer")
    dated = {k: v for k, v in consent(who, "").items() if k not in ("address", "kind", "scope")}
    stage.people(
        "kleine-parel",
        [
            consent(who, "list:nieuwsbrief"),
            {"address": who, "kind": "enrolment", "reference": "cursus-21"},
            {"address": who, "kind": "request", "topic": "lezingen", **dated},
        ],
    )
    return who


def urls(content: bytes) -> list[str]:
    return [u for text in shown(content) for u in re.findall(r"http://127\.0\.0\.1:\d+/kleine-parel/[\w-]+", text)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("build", "bodies"), [(plain, 1), (html, 1), (alternative, 2), (related, 2), (mixed, 2)])
def test_s21_the_link_is_last_in_every_alternative(
    shared: Stage, build: Callable[[EmailMessage], None], bodies: int, kind: str
) -> None:
    who = participant(shared)
    message = mail(PAREL, [who], stream=kind, **KINDS[kind])
    message.clear_content()
    build(message)
    sent = send(shared, "kleine-parel-crm", message, [who])
    assert sent.code == 250, sent.reply
    (copy,) = arrived(shared, [who])
    found = list(shown(copy.content))
    links = urls(copy.content)
    assert len(found) == len(links) == bodies
    for text, url in zip(found, links, strict=True):
        check_last(text, url, "zaterdag")


SHAPES = {
    "alternative.eml": 2,
    "8bit-utf8.eml": 1,
    "base64-text.eml": 1,
    "course-mail.eml": 2,
    "format-flowed.eml": 1,
    "html.eml": 1,
    "iso-2022-jp.eml": 1,
    "iso-8859-15.eml": 1,
    "mixed-pdf.eml": 1,
    "preamble-epilogue.eml": 1,
    "quoted-printable.eml": 1,
    "related.eml": 1,
    "utf-16-base64.eml": 1,
    "windows-1252.eml": 1,
}


def test_s21_real_shapes_and_charsets_carry_it_and_each_link_works(shared: Stage) -> None:
    for name, bodies in SHAPES.items():
        who = participant(shared)
        raw = (MESSAGES / name).read_bytes().replace(b"cursus@kleineparel.example", PAREL.encode())
        sent = send(shared, "kleine-parel-crm", POLICY + raw, [who], sender=PAREL)
        assert sent.code == 250, f"{name}: {sent.reply}"
        (copy,) = arrived(shared, [who])
        links = urls(copy.content)
        assert len(links) == bodies, name
        assert [one_click(url) for url in links] == [200] * bodies
        again = mail(PAREL, [who], stream="newsletter", list="nieuwsbrief")
        assert send(shared, "kleine-parel-crm", again, [who]).code == 550, name


def newsletter(name: str) -> bytes:
    raw = (MESSAGES / name).read_bytes().replace(b"cursus@kleineparel.example", PAREL.encode())
    return b"Briefgeheim-Stream: newsletter\r\nBriefgeheim-List: nieuwsbrief\r\n" + raw


def test_s21_sealed_mail_keeps_its_seal_and_carries_the_link_in_its_header(shared: Stage) -> None:
    who = participant(shared)
    assert send(shared, "kleine-parel-crm", newsletter("encrypted-smime.eml"), [who], sender=PAREL).code == 250
    (copy,) = arrived(shared, [who])
    assert one_click(opt_out_url(copy.content)) == 200


def test_s21_r049_a_newsletter_without_its_closing_boundary_carries_the_link_and_gets_the_boundary(
    shared: Stage,
) -> None:
    who = participant(shared)
    raw = newsletter("no-closing-boundary.eml")
    assert b"--open--" not in raw
    assert send(shared, "kleine-parel-crm", raw, [who], sender=PAREL).code == 250
    (copy,) = arrived(shared, [who])
    assert copy.content.rstrip().endswith(b"--open--")
    assert all(opt_out_url(copy.content) in text for text in texts(copy.content).values())
    assert one_click(opt_out_url(copy.content)) == 200


def test_s21_a_newsletter_with_no_place_for_it_does_not_leave(shared: Stage) -> None:
    who = participant(shared)
    message = mail(PAREL, [who], stream="newsletter", list="nieuwsbrief")
    message.set_content(b"GIF89a", "image", "gif")
    sent = send(shared, "kleine-parel-crm", message, [who])
    assert (sent.code, sent.reply[:5]) == (550, "5.7.1")
    assert "no place for the opt-out" in sent.reply
