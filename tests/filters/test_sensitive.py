"""Sensitive mail is recognised by what it says, and waits where it would not leave encrypted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.decision import Action, Classification, Stream
from gateway.filters import sensitive
from gateway.filters.context import Context
from gateway.message.draft import Draft
from gateway.message.parse import parse
from tests.filters.example import context, draft, organisation, render

WORDS = {"words": ["medicatie*", "bijzondere noden", "dieet"]}


def of(stream: Stream = Stream.PERSONAL, **rules: Any) -> Context:
    return replace(
        context(),
        organisation=organisation(sensitive=rules),
        classification=Classification(stream, sensitive=True),
    )


def why(text: str, kind: str = "text/plain; charset=utf-8", stream: Stream = Stream.PERSONAL, **rules: Any) -> str:
    return sensitive.why(draft(text, kind).message, organisation(sensitive=rules or WORDS), stream)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Uw Medicatielijst", "text/plain; charset=utf-8"),
        ("heeft u bijzondere\r\nnoden?", "text/plain; charset=utf-8"),
        ("<p>medi<b>catie</b></p>", "text/html; charset=utf-8"),
        ("<p>di&#101;et</p>", "text/html; charset=utf-8"),
        ("<table><tr><td>wens</td><td>dieet</td><td>geen</td></tr></table>", "text/html; charset=utf-8"),
        ("<p>wens</p><p>dieet</p>", "text/html; charset=utf-8"),
        ("BEGIN:VEVENT\r\nSUMMARY:over uw medi\r\n catielijst\r\nEND:VEVENT", "text/calendar; charset=utf-8"),
        ("wens<br>dieet<br>geen", "text/html; charset=utf-8"),
    ],
)
def test_s25_a_word_of_the_settings_counts_however_it_is_written(text: str, kind: str) -> None:
    assert why(text, kind) == "a word of the settings in part 1"


@pytest.mark.parametrize("text", ["dieetje", "een noden", "bijzondere en noden", ""])
def test_s25_another_word_does_not(text: str) -> None:
    assert why(text) == ""


def test_s25_a_word_in_the_subject_counts() -> None:
    message = parse(b"From: a@voorbeeld.example\r\nSubject: =?utf-8?q?uw_dieet?=\r\n\r\nDag\r\n")
    assert (
        sensitive.why(message, organisation(sensitive=WORDS), Stream.PERSONAL)
        == "a word of the settings in the subject"
    )


def test_s25_a_newsletter_about_it_says_nothing_of_its_reader() -> None:
    assert why("dieet", stream=Stream.NEWSLETTER) == ""
    assert why("x", stream=Stream.RESEARCH, always=["research"]) == "all mail of stream research"


@pytest.mark.parametrize(
    ("tls", "held"), [("verify", False), ("implicit", False), ("opportunistic", True), ("none", True)]
)
def test_s25_without_authenticated_tls_it_waits(tls: str, held: bool) -> None:
    outcomes = sensitive.apply(draft("x"), replace(of(), tls=tls))
    assert [o.kind for o in outcomes if o.action is Action.HOLD] == ["no-authenticated-tls"] * held


def test_s25_the_field_that_asks_to_do_without_tls_goes() -> None:
    made = draft("dag", "text/plain", head="TLS-Required: No\r\n")
    sensitive.apply(made, of())
    assert b"TLS-Required" not in render(made)
    kept = draft("dag", "text/plain", head="TLS-Required: No\r\n")
    assert sensitive.apply(kept, context()) == ()
    assert b"TLS-Required" in render(kept), "other mail is no concern of this filter"


@pytest.mark.parametrize(
    ("kind", "held"),
    [
        ("text/plain", True),
        ("multipart/encrypted; boundary=x", False),
        ("multipart/signed; boundary=x", True),
        ("application/pkcs7-mime; smime-type=enveloped-data", False),
        ("application/pkcs7-mime; smime-type=signed-data", True),
    ],
)
def test_s25_where_it_must_be_encrypted_end_to_end_it_is_or_waits(kind: str, held: bool) -> None:
    made = Draft(parse(f"From: a@voorbeeld.example\r\nContent-Type: {kind}\r\n\r\n--x\r\n\r\nx\r\n--x--\r\n".encode()))
    outcomes = sensitive.apply(made, of(end_to_end=True))
    assert [o.detail for o in outcomes] == ["it must be encrypted end to end"] * held


def test_what_was_recognised_is_noted() -> None:
    marked = of()
    found = replace(marked, classification=replace(marked.classification, detected="a word of the settings in part 1"))
    (note,) = sensitive.apply(draft("x"), found)
    assert (note.kind, note.action) == ("unmarked", Action.DELIVER)
