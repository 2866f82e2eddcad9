"""What a person reads about effects: the same sentences in every language we have."""

from __future__ import annotations

import re

import pytest

from gateway.rights.effects_text import TEXTS, day, say


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_every_language_has_every_sentence_with_the_same_places(language: str) -> None:
    places = {key: set(re.findall(r"\{(\w+)\}", text)) for key, text in TEXTS["en"].items()}
    assert {key: set(re.findall(r"\{(\w+)\}", text)) for key, text in TEXTS[language].items()} == places


def test_an_unknown_language_is_english_and_an_unknown_sentence_an_error() -> None:
    assert say("fr", "lifted") == say("en", "lifted")
    assert say("nl", "left", day="2027-02-14") != say("en", "left", day="2027-02-14")
    with pytest.raises(KeyError):
        say("nl", "nonsense")


def test_a_day_is_that_of_utc() -> None:
    assert (day(0), day(86399), day(86400)) == ("1970-01-01", "1970-01-01", "1970-01-02")
