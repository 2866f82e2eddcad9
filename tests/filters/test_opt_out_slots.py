"""The organisation's own place for the opt-out in its templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.config.organisation import Controller
from gateway.decision import Action
from gateway.filters.opt_out import FILTER
from gateway.filters.opt_out_slots import Kind, in_html, in_text, shows_who, visible_text
from gateway.message.draft import Draft
from gateway.message.parse import parse
from tests.filters.example import SETTINGS, URL, context, draft, organisation, render

NAMES = ("{{unsubscribe}}", "*|UNSUB|*", "[[afmelden]]")
LINK = URL.decode()
WHO = (
    "Coöperatie Voorbeeld &amp; Zonen<br>Straat 1<br>1000AA Plaats "
    "<a href='https://voorbeeld.example/privacy/'>Privacy</a>"
)
WHO_TEXT = "Coöperatie Voorbeeld & Zonen\r\nStraat 1, 1000 AA Plaats\r\nhttps://voorbeeld.example/privacy\r\n"


def sent(body: str, kind: str = "html", rule: Mapping[str, Any] | None = None) -> str:
    made = draft(body, f"text/{kind}; charset=utf-8")
    own = organisation(footer={"placeholders": NAMES})
    assert [
        o for o in FILTER.apply(made, context(organisation=own, opt_out=rule)) if o.action is not Action.DELIVER
    ] == []
    finished = Draft(parse(render(made)))
    return finished.content(finished.message.root).decode()


@pytest.mark.parametrize("name", NAMES)
def test_a_template_that_shows_everything_is_filled_and_gets_nothing_else(name: str) -> None:
    html = f"<body><p>Hallo</p>{WHO} <a href='%s'>Afmelden</a></body>"
    assert sent(html % name) == html % LINK
    text = f"Hallo\r\n{WHO_TEXT}Afmelden: %s\r\n"
    assert sent(text % name, "plain") == text % LINK


@pytest.mark.parametrize(
    "address",
    [
        "%7B%7Bunsubscribe%7D%7D",
        "http://{{unsubscribe}}",
        "https://%7b%7bUnsubscribe%7d%7d",
        "&#123;&#123;unsubscribe&#125;&#125;",
        "https://redirect.example/?to={{unsubscribe}}",
    ],
)
def test_addresses_are_filled_whatever_an_editor_made_of_them(address: str) -> None:
    now = sent(f'<body>Hallo {WHO} <a class=x href="{address}">Afmelden</a></body>')
    assert now == f'<body>Hallo {WHO} <a class=x href="{LINK}">Afmelden</a></body>'


def test_in_a_text_the_place_becomes_a_link_and_inside_one_its_words() -> None:
    assert f'href="{LINK}"' in sent(f"<p>Hallo {WHO} {{{{unsubscribe}}}}</p>")
    now = sent(f"<p>Hallo {WHO} <a href='{{{{unsubscribe}}}}'>{{{{unsubscribe}}}}</a></p>")
    assert f"<a href='{LINK}'>Meld je hier af</a>" in now
    assert now.count(LINK) == 1


def test_outlooks_own_markup_is_filled_but_is_not_what_others_see() -> None:
    button = "<!--[if mso]><v:roundrect href='{{unsubscribe}}'>Afmelden</v:roundrect><![endif]-->"
    now = sent(f"<body>Hallo {WHO}{button}</body>")
    assert f"<v:roundrect href='{LINK}'>" in now
    assert now.count(LINK) == 2
    both = sent(f"<body>Hallo {WHO}{button}<a href='*|UNSUB|*'>Afmelden</a></body>")
    assert both.count(LINK) == 2


@pytest.mark.parametrize(
    "hidden",
    [
        "<div style='display:none'><a href='{{unsubscribe}}'>x</a></div>",
        "<a href='{{unsubscribe}}' hidden>x</a>",
        "<a href='{{unsubscribe}}'> </a>",
        "<link href='{{unsubscribe}}'>",
        "<title>{{unsubscribe}}</title>",
        "<!-- {{unsubscribe}} -->",
        "<p style='font-size:0'>{{unsubscribe}}</p>",
    ],
)
def test_a_place_that_nobody_sees_does_not_count(hidden: str) -> None:
    now = sent(f"<body>{hidden}<p>Hallo</p></body>")
    assert "Meld je hier af" in now.split("Hallo")[1]


def test_a_link_around_a_picture_is_seen() -> None:
    now = sent(f"<p>Hallo {WHO}<a href='{{{{unsubscribe}}}}'><img src=a alt=Afmelden></a></p>")
    assert now.count(LINK) == 1


def test_s38_s54_who_sends_is_added_where_the_template_does_not_say_it() -> None:
    now = sent("<body>Hallo <a href='{{unsubscribe}}'>Afmelden</a></body>")
    assert now.count(LINK) == 1
    behind = now.split("Afmelden</a>")[1]
    assert "Straat 1, 1000 AA Plaats, Nederland" in behind
    assert "https://voorbeeld.example/privacy" in behind
    plain = sent("Hallo\r\nAfmelden: {{unsubscribe}}\r\n", "plain")
    assert plain.count(LINK) == 1
    assert plain.index(LINK) < plain.index("Straat 1, 1000 AA Plaats, Nederland")
    assert sent(now).count(LINK) == 1


def test_an_alternative_without_the_place_gets_the_text() -> None:
    own = organisation(footer={"placeholders": NAMES})
    raw = (
        b"From: a@voorbeeld.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: text/plain\r\n\r\nHallo\r\n--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        + f"<p>Hallo {WHO} <a href='{{{{unsubscribe}}}}'>Afmelden</a></p>\r\n--x--\r\n".encode()
    )
    made = Draft(parse(raw))
    FILTER.apply(made, context(organisation=own))
    assert [(e.part, e.kind) for e in made.edits if e.part] == [("1.1", "opt-out-text"), ("1.2", "opt-out-filled")]


def test_a_stream_without_link_fills_in_whom_to_tell() -> None:
    rule = {"scope": None, "header": "none", "text": "how-to"}
    now = sent("<p>Hallo <a href='{{unsubscribe}}'>Stop</a> {{unsubscribe}}</p>", rule=rule)
    assert now.startswith("<p>Hallo <a href='mailto:info@voorbeeld.example'>Stop</a> info@voorbeeld.example</p>")
    assert "{{" not in now


def test_without_such_settings_the_characters_mean_nothing() -> None:
    made = draft("<p>{{unsubscribe}}</p>")
    FILTER.apply(made, context())
    assert b"<p>{{unsubscribe}}</p>" in render(made)


def test_what_is_found_says_what_it_is() -> None:
    found = in_html(b"<a href='{{unsubscribe}}'>{{unsubscribe}}</a>{{unsubscribe}}", NAMES)
    assert [(f.kind, f.seen) for f in found] == [(Kind.ADDRESS, True), (Kind.LABEL, False), (Kind.TEXT, True)]
    assert [(f.start, f.end) for f in in_text(b"zie https://{{unsubscribe}}.", NAMES)] == [(4, 27)]
    assert in_text(b"{{unsubscribe}}", ()) == in_html(b"{{unsubscribe}}", ()) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WHO_TEXT, True),
        (WHO_TEXT.upper().replace("HTTPS://VOORBEELD.EXAMPLE/PRIVACY", "https://voorbeeld.example/privacy"), True),
        (WHO_TEXT.replace("1000 AA", "1000"), False),
        (WHO_TEXT.replace("Coöperatie", "De"), False),
        (WHO_TEXT.replace("privacy", "contact"), False),
    ],
)
def test_who_sends_is_name_postal_address_and_policy(text: str, expected: bool) -> None:
    controller = Controller.model_validate(SETTINGS["controller"])
    assert shows_who(text, text, controller) is expected


def test_visible_text_is_what_is_shown() -> None:
    html = b"<title>a</title><style>b</style><p>c&amp;d</p><!--[if mso]>e<![endif]-->"
    assert visible_text(html, "utf-8").split() == ["c&d"]
