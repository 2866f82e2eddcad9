"""Scopes as people write them: `list:nieuwsbrief`, `marketing`, `purpose:tracking`.

what:       words ↔ `Scope`, by the names of one organisation
takes→gives: text → `Scope`; `Scope` → text
knows not:  what a scope does
fails by:   `ValueError` that says what is expected
standard:   DESIGN §4 Tokens: ids are never reused, names may change
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.config.organisation import Organisation
from gateway.facts import Purpose, Scope, ScopeKind

_PURPOSES: Mapping[str, int] = {purpose.name.lower(): int(purpose) for purpose in Purpose}
_ALONE = {"everything": ScopeKind.EVERYTHING, "marketing": ScopeKind.MARKETING}


def parse_scope(text: str, organisation: Organisation) -> Scope:
    """A scope from `KIND` or `KIND:NAME`; NAME is a name from the settings."""
    word, _, name = text.strip().lower().partition(":")
    if word in _ALONE and not name:
        return Scope(_ALONE[word])
    names = _names(organisation).get(word)
    if names is None:
        raise ValueError("expected everything, marketing, or list:, topic:, category:, source: or purpose: with a name")
    if name not in names:
        raise ValueError(f"no such {word}; expected one of: {', '.join(sorted(names)) or '(none in the settings)'}")
    return Scope(_kind(word), names[name])


def scope_text(scope: Scope, organisation: Organisation) -> str:
    """Inverse of `parse_scope`; an id that left the settings is shown as its number."""
    word = scope.kind.name.lower()
    if word in _ALONE:
        return word
    by_id = {number: name for name, number in _names(organisation)[word].items()}
    return f"{word}:{by_id.get(scope.id, scope.id)}"


def _kind(word: str) -> ScopeKind:
    return ScopeKind[word.upper()]


def _names(organisation: Organisation) -> dict[str, Mapping[str, int]]:
    return {
        "list": organisation.list_ids,
        "topic": organisation.topic_ids,
        "category": organisation.category_ids,
        "source": organisation.source_ids,
        "purpose": _PURPOSES,
    }
