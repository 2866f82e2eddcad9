"""The opt-out speaks the language of the mail."""

from __future__ import annotations

import pytest

from gateway.filters.opt_out import FILTER, bodies
from gateway.filters.opt_out_language import language
from tests.filters.example import context, draft, only_content

NL = "Beste lezer, wij willen u graag iets vertellen over onze nieuwe cursus, die wij voor het eerst geven."
EN = "Dear reader, we would like to tell you about the new course that we will give for the first time this year."
DE = "Guten Tag, wir möchten Ihnen eine neue Ausbildung zeigen, die wir auch für Sie nicht zum ersten Mal geben."
FR = "Bonjour, nous aimerions vous parler de notre nouvelle formation, que vous pouvez suivre avec nous pour une année."


@pytest.mark.parametrize(("text", "expected"), [(NL, "nl"), (EN, "en"), (DE, "de"), (FR, "fr"), ("Hallo!", "")])
@pytest.mark.parametrize("kind", ["plain", "html"])
def test_words_say_the_language(kind: str, text: str, expected: str) -> None:
    made = draft(text if kind == "plain" else f"<p>{text}</p>", f"text/{kind}; charset=utf-8")
    assert language(made, bodies(made.message)) == expected


@pytest.mark.parametrize(
    ("head", "html", "expected"),
    [
        ("Content-Language: de-AT\r\n", f"<html lang=en><p>{NL}</p>", "de"),
        ("Content-Language: nl, en\r\n", f"<html lang=fr><p>{NL}</p>", "nl"),
        ("Content-Language: und\r\n", "<html lang=fr><p>Hallo</p>", "fr"),
        ("", f"<html lang=en><p>{NL}</p>", "nl"),
        ("", "<html lang='en-GB'><p>Hallo</p>", "en"),
        ("", "<!DOCTYPE html><html lang=und><p>Hallo</p>", ""),
        ("", f"<style>{EN}</style><title>{EN}</title><!-- {EN} --><p>Hallo</p>", ""),
        ("", f"<p>{NL} {EN}</p>", ""),
    ],
)
def test_the_header_goes_before_words_and_words_before_the_template(head: str, html: str, expected: str) -> None:
    made = draft(html, head=head)
    assert language(made, bodies(made.message)) == expected


def test_a_body_that_cannot_be_read_says_nothing() -> None:
    made = draft("****", "text/html", "x-vreemd")
    assert language(made, bodies(made.message)) == ""


@pytest.mark.parametrize(
    ("text", "person", "expected"),
    [
        (EN, "nl", b"Unsubscribe here"),
        (DE, "nl", b"Hier abmelden"),
        ("Hi", "en", b"Unsubscribe here"),
        ("Hi", "xx", b"Meld je"),
    ],
)
def test_mail_then_person_then_organisation(text: str, person: str, expected: bytes) -> None:
    made = draft(f"<p>{text}</p>")
    FILTER.apply(made, context(language=person))
    assert expected in only_content(made)
