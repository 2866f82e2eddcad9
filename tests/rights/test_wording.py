"""The texts: both languages have the same ones, with the same places, and nothing is left open."""

from __future__ import annotations

import re
from datetime import date

import pytest

from gateway.cases.protocol import CaseKind, Outcome
from gateway.rights.wording import FOLDER, LANGUAGES, fill, language_of, long_date, section, word

NAMES = sorted(path.stem for path in (FOLDER / "nl").glob("*.txt"))
PLACE = re.compile(r"\$([a-z_]+)")


def read(language: str, name: str) -> str:
    return (FOLDER / language / f"{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_have_the_text_with_the_same_places(name: str) -> None:
    places = [set(PLACE.findall(read(language, name))) for language in LANGUAGES]
    assert places[0] == places[1]


def test_both_languages_have_the_same_files_and_sections() -> None:
    assert sorted(path.stem for path in (FOLDER / "en").glob("*.txt")) == NAMES
    for name in ("outcomes", "words"):
        found = [re.findall(r"^\[(.+)\]$", read(language, name), re.MULTILINE) for language in LANGUAGES]
        assert found[0] == found[1]
        assert len(set(found[0])) == len(found[0])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_a_word_and_every_outcome_a_sentence(language: str) -> None:
    assert all(word(language, kind.value) for kind in CaseKind)
    assert all(section(language, "outcomes", f"{k}.{o}", o, "answered") for k in CaseKind for o in Outcome)


def test_a_value_is_put_in_as_it_is_and_not_read_as_a_place() -> None:
    values = dict.fromkeys(PLACE.findall(read("en", "receipt")), "x") | {"kind": "$due ${policy} \n$$"}
    _, body = fill("en", "receipt", values)
    assert "$due ${policy} \n$$" in body


def test_a_missing_value_is_an_error_not_an_open_place() -> None:
    with pytest.raises(KeyError):
        fill("nl", "receipt", {})
    with pytest.raises(KeyError):
        fill("nl", "no-such-text", {})


def test_a_language_we_do_not_have_gets_english() -> None:
    assert (language_of("nl"), language_of("fy")) == ("nl", "en")


def test_days_are_written_in_words() -> None:
    assert long_date(date(2026, 3, 1), "nl") == "1 maart 2026"
    assert long_date(date(2026, 12, 31), "en") == "31 December 2026"
