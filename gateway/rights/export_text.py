"""Words of the page of an export: titles, explanations, columns and values, in Dutch and English.

what:       `Words` of one language; values that are words of the gateway are translated, everything else stays
takes→gives: language → words; a language we do not have → English
knows not:  HTML, the dossier
fails by:   `KeyError` for a text that does not exist
standard:   GDPR 12(1), 15(1)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("nl", "en")
# Columns whose values are the gateway's own words; in the others stand names, numbers and what somebody typed.
_WORDED = frozenset({
    "kind", "scope", "who", "channel", "stream", "basis", "decision", "outcome", "tracked", "got_data", "state", "data",
    "term", "purpose", "ended_by", "what",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """`language` is the one that was found."""

    language: str
    texts: Mapping[str, Any] = field(repr=False)

    def __getitem__(self, key: str) -> str:
        return str(self.texts["texts"][key])

    def title(self, profile: str) -> str:
        return str(self.texts["titles"][profile])

    def table(self, name: str) -> str:
        return str(self.texts["tables"][name][0])

    def about(self, name: str) -> str:
        """One sentence that says what a table holds."""
        return str(self.texts["tables"][name][1])

    def column(self, name: str) -> str:
        return str(self.texts["columns"][name])

    def value(self, column: str, text: str) -> str:
        """A word of ours in this language; `list:x` keeps its name. What is not a word of ours stays as it is."""
        if column not in _WORDED:
            return text
        values: Mapping[str, str] = self.texts["values"]
        number, _, unit = text.partition(" ")
        if number.isdigit() and unit in values:
            return f"{number} {values[unit]}"
        word, mark, name = text.partition(":")
        if text in values or not mark or word not in values:
            return values.get(text, text)
        return f"{values[word]}: {name}"


@cache
def words(language: str) -> Words:
    found = language if language in LANGUAGES else "en"
    text = files("gateway.rights").joinpath("page", f"{found}.json").read_text("utf-8")
    return Words(found, json.loads(text))
