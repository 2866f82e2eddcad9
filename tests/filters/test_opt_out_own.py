"""Opt-outs of ours that a mail brings along."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.decision import Action
from gateway.filters.opt_out import FILTER
from gateway.filters.opt_out_own import Taken, own_html, own_text
from gateway.message.draft import Draft
from gateway.message.parse import parse
from tests.filters.example import URL, context, draft, only_content, organisation, render

TOKEN = b"T" * 120
OTHER = URL.replace(TOKEN, b"Z" * 120)
BASE = b"https://afmelden.voorbeeld.example/voorbeeld/"
HOW_TO = {"scope": None, "header": "none", "text": "how-to"}


def once(kind: str, body: str = "", rule: dict[str, str | None] | None = None) -> bytes:
    """The content of a mail as it left earlier, with the token of another person."""
    text = body or ("Hallo\r\n" if kind == "plain" else "<html><body><p>Hallo</p></body></html>\r\n")
    made = draft(text, f"text/{kind}; charset=utf-8")
    FILTER.apply(made, context(opt_out=rule))
    raw = render(made)
    again = Draft(parse(raw))
    return again.content(again.message.root).replace(TOKEN, b"Z" * 120)


def sent(content: bytes, kind: str, **changes: Any) -> bytes:
    """The content with the slot filled, as it leaves now."""
    made = draft(content, f"text/{kind}; charset=utf-8")
    assert [o for o in FILTER.apply(made, context(**changes)) if o.action is not Action.DELIVER] == []
    finished = Draft(parse(render(made)))
    return finished.content(finished.message.root)


@pytest.mark.parametrize("kind", ["plain", "html", "enriched", "x-amp-html", "watch-html"])
def test_a_renewed_block_has_this_mails_address_alone(kind: str) -> None:
    now = sent(once(kind), kind)
    assert (now.count(URL), now.count(b"Z" * 16)) == (1, 0)
    assert now == once(kind).replace(b"Z" * 120, TOKEN)


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_a_block_in_another_language_or_with_another_text_is_renewed_too(kind: str) -> None:
    own = organisation(footer={"link": {"en": "{name}, {address}: stop with {link} ({policy})"}})
    now = sent(once(kind), kind, organisation=own, language="en")
    assert b"stop with" in b" ".join(now.split())
    assert b"Geen mail van deze soort" not in now
    assert now.count(URL) == 1


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_a_block_without_link_is_renewed_too(kind: str) -> None:
    before = once(kind, rule=HOW_TO)
    assert sent(before, kind, opt_out=HOW_TO) == before


def quoted(content: bytes) -> bytes:
    return b"".join(b"> " + line + b"\r\n" for line in content.split(b"\r\n"))


REPLIES = {
    "plain-quoted": ("plain", b"Dank!\r\n\r\n" + quoted(once("plain"))),
    "plain-below": ("plain", quoted(once("plain")) + b"\r\nDank!\r\n"),
    "plain-not-quoted": ("plain", b"Dank!\r\n-----Oorspronkelijk bericht-----\r\n" + once("plain") + b"\r\nKlaas\r\n"),
    "html-blockquote": ("html", b"<p>Dank!</p><blockquote>" + once("html") + b"</blockquote>"),
    "html-div": ("html", b"<p>Dank!</p><div class='gmail_quote'>" + once("html", "<p>Hallo</p>") + b"</div>"),
    "html-below": ("html", once("html", "<p>Hallo</p>") + b"<p>Dank!</p>"),
}


@pytest.mark.parametrize("shape", REPLIES)
def test_what_is_quoted_is_disarmed_and_this_mail_has_one_of_its_own_at_the_end(shape: str) -> None:
    kind, content = REPLIES[shape]
    made = draft(content, f"text/{kind}; charset=utf-8")
    assert [(o.kind, o.detail) for o in FILTER.apply(made, context())] == [("quoted-opt-out", "part 1: 1")]
    finished = Draft(parse(render(made)))
    now = finished.content(finished.message.root)
    assert now.count(URL) == 1
    assert b"Z" * 16 not in now
    assert now.index(b"Dank!") < now.index(URL)
    assert now.index(BASE) < now.index(URL)


@pytest.mark.parametrize(
    "address",
    [
        OTHER,
        b"https://links.example/?url=https%3A%2F%2Fafmelden.voorbeeld.example%2Fvoorbeeld%2F" + b"Z" * 120 + b"&data=1",
        BASE + b"Z" * 30 + b"\r\n> " + b"Z" * 12,
        OTHER.upper().replace(b"HTTPS", b"https"),
    ],
)
def test_addresses_are_disarmed_in_every_spelling(address: bytes) -> None:
    now = sent(b"> Afmelden: " + address + b"\r\n\r\nDank!\r\n", "plain")
    assert b"Z" * 16 not in now
    assert b"Dank!" in now


def test_addresses_of_other_organisations_stay() -> None:
    foreign = b"https://afmelden.example.org/x/" + b"Z" * 120
    assert foreign in sent(b"> " + foreign + b"\r\n", "plain")
    page = BASE + b"over-ons"
    assert page in sent(b"Kijk op " + page + b"\r\n", "plain")


def test_a_text_without_opt_out_is_disarmed_as_well() -> None:
    made = draft(b"> " + OTHER + b"\r\n", "text/plain")
    notes = FILTER.apply(made, context(opt_out={"scope": None, "header": "none", "text": "none"}))
    assert [n.kind for n in notes] == ["quoted-opt-out"]
    assert only_content(made) == b"> " + BASE + b"\r\n"


def test_what_another_filter_unwraps_is_disarmed_too() -> None:
    wrapped = b"https://links.example/?url=" + OTHER
    made = draft(b"> " + wrapped + b"\r\nDank!\r\n", "text/plain")
    made.splice(made.message.root, 2, 2 + len(wrapped), (OTHER,), by="trackers", kind="redirect")
    FILTER.apply(made, context())
    assert only_content(made).startswith(b"> " + BASE + b"\r\nDank!")


def test_our_block_with_something_edited_in_it_is_left_and_disarmed() -> None:
    content = once("plain")
    made = draft(content, "text/plain; charset=utf-8")
    at = content.index(b"privacy")
    made.splice(made.message.root, at, at + 7, (b"beleid",), by="trackers", kind="link-parameter")
    FILTER.apply(made, context())
    assert b"Z" * 16 not in only_content(made)
    assert render(made).count(URL.removesuffix(TOKEN)) == 3  # header, what was left of the old one, the new one


def test_a_rule_of_dashes_alone_is_not_ours() -> None:
    text = b"Hallo\r\n------------------------\r\nJan, tel. 0\r\n"
    assert own_text(text, context()) is None
    assert own_text(b"", context()) is None
    assert own_html(b'<div lang="nl" dir="auto">x</div>', 30) is None
    assert sent(text, "plain").startswith(text)


line = st.sampled_from(
    [b"Hallo", b"", b"------------------------", b"> x", OTHER, b"<p>", b"</p>", b"<blockquote>", b"</blockquote>"]
)


@settings(deadline=None, max_examples=150)
@given(st.lists(line | st.just(once("html", "<p>x</p>")) | st.just(once("plain")), max_size=8), st.booleans())
def test_always_one_link_and_nobody_elses(lines: list[bytes], html: bool) -> None:
    kind = "html" if html else "plain"
    now = sent(b"\r\n".join(lines), kind)
    assert now.count(URL) == 1
    assert b"Z" * 16 not in now
    assert sent(now, kind) == now


def test_the_organisations_name_is_no_token() -> None:
    long = organisation(name="voorbeeld-opleidingen-en-meer", opt_out_url="https://af.voorbeeld.example")
    page = b"https://af.voorbeeld.example/voorbeeld-opleidingen-en-meer/"
    made = draft(b"> " + page + b"Z" * 120 + b"\r\nx\r\n", "text/plain")
    FILTER.apply(made, replace(context(), organisation=long))
    assert only_content(made).startswith(b"> " + page + b"\r\n")


def test_what_is_taken_is_known_by_its_neighbours() -> None:
    made = draft(b"0123456789", "text/plain")
    part = made.message.root
    for start, end in ((2, 4), (6, 8), (9, 9)):
        made.splice(part, start, end, (b"x",), by="trackers", kind="x")
    taken = Taken(made, part)
    free = [(start, end) for start in range(10) for end in range(start + 1, 11) if taken.free(start, end)]
    assert free == [
        (start, end)
        for start in range(10)
        for end in range(start + 1, 11)
        if all(end <= first or last <= start for first, last in ((2, 4), (6, 8)))
    ]
