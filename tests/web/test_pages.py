"""Texts and templates."""

from __future__ import annotations

import string

import pytest

from gateway.facts import Scope, ScopeKind
from gateway.web import pages
from tests.web.house import organisation


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_the_same_things() -> None:
    dutch, english = pages.TEXTS["nl"], pages.TEXTS["en"]
    assert dutch.keys() == english.keys()
    assert {k: placeholders(v) for k, v in dutch.items()} == {k: placeholders(v) for k, v in english.items()}


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_every_text_is_used(language: str) -> None:
    templates = "".join(
        (pages._HERE / "templates" / f"{name}.html").read_text("utf-8") for name in ("base", "ask", "done", "problem")
    )
    by_code = {
        "months",
        "language_name",
        *(k for k in pages.TEXTS[language] if k.startswith(("stop", "bad_", "later"))),
    }
    assert [key for key in pages.TEXTS[language] if key not in by_code and f"t.{key}" not in templates] == []


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (Scope(ScopeKind.LIST, 7), "Nieuws & meer <vandaag>"),
        (Scope(ScopeKind.SOURCE, 1), "any e-mail from the mailing database"),
        (Scope(ScopeKind.MARKETING), "newsletters, advertising or offers"),
        (Scope(ScopeKind.LIST, 99), "newsletters, advertising or offers"),
    ],
)
def test_s22_s60_the_page_names_what_the_link_stops(scope: Scope, words: str) -> None:
    assert words in pages.reach(organisation(1, "alfa"), scope, "en", "stops")


@pytest.mark.parametrize(
    ("kind", "offered"),
    [(ScopeKind.LIST, True), (ScopeKind.CATEGORY, True), (ScopeKind.MARKETING, False), (ScopeKind.SOURCE, False)],
)
def test_s60_more_is_offered_only_where_there_is_more_to_stop(kind: ScopeKind, offered: bool) -> None:
    assert pages.wider_offered(Scope(kind, 0 if kind is ScopeKind.MARKETING else 1)) is offered


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_a_name_that_ends_in_a_full_stop_ends_no_sentence(language: str) -> None:
    assert [key for key, text in pages.TEXTS[language].items() if "{name}." in text] == []


def test_a_moment_is_said_in_the_readers_language() -> None:
    assert pages.Moment.of(1_760_000_000, "nl") == pages.Moment("2025-10-09T08:53:20Z", "9 oktober 2025, 08:53 UTC")
    assert pages.Moment.of(1_760_000_000, "en").people == "9 October 2025, 08:53 UTC"


def test_names_from_the_settings_cannot_become_markup() -> None:
    owner = organisation(1, "alfa")
    owner = owner.model_copy(update={"controller": owner.controller.model_copy(update={"name": "<b>Alfa & Zn</b>"})})
    page = pages.render("ask", owner, "nl", stops="<script>", wider=True).decode()
    assert "<b>" not in page
    assert "<script>" not in page
    assert "&lt;b&gt;Alfa &amp; Zn" in page
