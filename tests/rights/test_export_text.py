"""Words of the page: complete in each language, and only words of ours are translated."""

from __future__ import annotations

import pytest

from gateway.registry.protocol import EventKind
from gateway.rights.export import Profile
from gateway.rights.export_text import LANGUAGES, words
from gateway.rights.tables import TABLES, columns


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_title_and_column(language: str) -> None:
    say = words(language)
    assert say.language == language
    for name in TABLES:
        assert say.table(name)
        assert say.about(name).endswith(".")
        assert all(say.column(column) for column in columns(name))
    for profile in Profile:
        assert say.title(profile.value)
        assert say[f"intro-{profile.value}"]


def test_another_language_is_english() -> None:
    assert words("fr").language == "en"


def test_every_kind_of_event_has_a_dutch_word() -> None:
    say = words("nl")
    kinds = {kind.value.removeprefix("fact-") for kind in EventKind}
    assert {kind for kind in kinds if say.texts["values"].get(kind) is None} == set()


@pytest.mark.parametrize(
    ("column", "text", "shown"),
    [
        ("scope", "list:nieuwsbrief", "lijst: nieuwsbrief"),
        ("scope", "marketing", "alle reclame"),
        ("term", "2 years", "2 jaar"),
        ("term", "30 days", "30 dagen"),
        ("kind", "opt-out", "afmelding"),
        ("kind", "something new", "something new"),
        ("scope", "unknown:x", "unknown:x"),
        ("reason", "order", "order"),
        ("value", "contract", "contract"),
    ],
)
def test_words_of_ours_are_translated_and_what_people_typed_is_not(column: str, text: str, shown: str) -> None:
    assert words("nl").value(column, text) == shown
