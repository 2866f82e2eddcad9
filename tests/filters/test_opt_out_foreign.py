"""Links of others that promise to stop mail are counted."""

from __future__ import annotations

import pytest

from gateway.filters.opt_out import FILTER
from gateway.filters.opt_out_foreign import Foreign, in_text
from gateway.message.html import scan
from tests.filters.example import context, draft, only_content

OWN = "https://afmelden.voorbeeld.example"


def count(html: str) -> int:
    foreign = Foreign(html.encode(), OWN)
    for node in scan(html.encode()):
        foreign.take(node)
    return foreign.count


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<a href='https://crm.example/unsubscribe?u=1'>hier</a>", 1),
        ("<a href='https://crm.example/x'>Afmelden</a>", 1),
        ("<a href='https://crm.example/x'><b>Se désabonner</b></a>", 1),
        ("<a href='mailto:x@crm.example?subject=unsubscribe'>x</a>", 1),
        ("<a href='https://crm.example/x'>Uitschrijven</a> <a href='https://crm.example/y'>abmelden</a> ", 2),
        ("<a href='https://crm.example/x'>Aanmelden</a> afmelden", 0),
        (f"<a href='{OWN}/x/y'>afmelden</a>", 0),
        ("<a href='#unsubscribe'>afmelden</a><a name=x>afmelden</a>", 0),
    ],
)
def test_links_whose_address_or_words_speak_of_stopping(html: str, expected: int) -> None:
    assert count(html) == expected


def test_in_text_it_is_lines_with_an_address() -> None:
    assert in_text(b"Afmelden: https://crm.example/x\r\nniet afmelden\r\nhttps://crm.example/y\r\n", OWN) == 1
    assert in_text(f"Afmelden: {OWN}/x\r\n".encode(), OWN) == 0


def test_they_stay_and_are_noted() -> None:
    made = draft("<p>x <a href='https://crm.example/unsubscribe'>Afmelden</a></p>")
    (note,) = FILTER.apply(made, context())
    assert (note.kind, note.detail) == ("foreign-opt-out", "part 1: 1")
    assert b"https://crm.example/unsubscribe" in only_content(made)
