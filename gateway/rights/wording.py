"""The texts of replies and notices, as they stand in `texts/LANGUAGE/`.

what:       reading a template or a file of sections, and filling one in
takes→gives: language, name, values → subject and body; a language we do not have → English
knows not:  cases, what the values mean
fails by:   `KeyError` for a text or a value that is missing
standard:   GDPR 12(1): concise, plain; S-36
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from string import Template

FOLDER = Path(__file__).with_name("texts")
LANGUAGES = ("nl", "en")
_SECTION = re.compile(r"^\[([a-z.-]+)\]$", re.MULTILINE)
_SUBJECT = "Subject: "


def language_of(wanted: str) -> str:
    """The language a text is written in for somebody who wants `wanted`."""
    return wanted if wanted in LANGUAGES else "en"


def fill(language: str, name: str, values: Mapping[str, str]) -> tuple[str, str]:
    """Subject and body of one template. Every value is kept as it is: nothing in it is taken for a placeholder."""
    text = Template(_read(language_of(language), name)).substitute(values)
    subject, _, body = text.partition("\n\n")
    return " ".join(subject.removeprefix(_SUBJECT).split()), body.rstrip("\n") + "\n"


def section(language: str, name: str, *keys: str) -> str:
    """The text under the first of `keys` that the file has."""
    found = _sections(language_of(language), name)
    return next((found[key] for key in keys if key in found), "") or found[keys[-1]]


def word(language: str, key: str, **values: str) -> str:
    """One of the words of a language."""
    return Template(section(language, "words", key)).substitute(values)


def long_date(day: date, language: str) -> str:
    """As `22 november 2026`."""
    months = word(language, "months").split()
    return f"{day.day} {months[day.month - 1]} {day.year}"


@lru_cache(maxsize=64)
def _read(language: str, name: str) -> str:
    try:
        return (FOLDER / language / f"{name}.txt").read_text("utf-8")
    except FileNotFoundError:
        raise KeyError(f"{language}/{name}") from None


@lru_cache(maxsize=16)
def _sections(language: str, name: str) -> Mapping[str, str]:
    parts = _SECTION.split(_read(language, name))
    return {key: text.strip() for key, text in zip(parts[1::2], parts[2::2], strict=True)}
