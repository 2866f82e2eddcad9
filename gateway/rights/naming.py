"""Scopes by the names and titles of one organisation's settings.

what:       `list:nieuwsbrief` and "Nieuwsbrief" for a scope
takes→gives: organisation, `Scope` → text; an id that left the settings is shown as its number
knows not:  what a scope does
fails by:   nothing
standard:   DESIGN §4 Tokens
"""

from __future__ import annotations

from gateway.config.organisation import Organisation
from gateway.facts import Purpose, Scope, ScopeKind


def scope_name(organisation: Organisation, scope: Scope | None) -> str:
    """`list:nieuwsbrief`, `marketing`, `purpose:tracking`; "" for no scope."""
    if scope is None:
        return ""
    word, found = scope.kind.name.lower(), _named(organisation, scope)
    return f"{word}:{found[0]}" if found else str(scope)


def scope_title(organisation: Organisation, scope: Scope | None) -> str:
    """The title that people know it by; "" where it has none."""
    found = _named(organisation, scope) if scope is not None else None
    return found[1] if found else ""


def category(organisation: Organisation, number: int) -> str:
    """Name of a category of products."""
    return next((c.name for c in organisation.categories if c.id == number), str(number))


def _named(organisation: Organisation, scope: Scope) -> tuple[str, str] | None:
    match scope.kind:
        case ScopeKind.LIST:
            found = next(((x.name, x.title) for x in organisation.lists if x.id == scope.id), None)
        case ScopeKind.TOPIC:
            found = next(((x.name, x.title) for x in organisation.topics if x.id == scope.id), None)
        case ScopeKind.CATEGORY:
            found = next(((x.name, x.title) for x in organisation.categories if x.id == scope.id), None)
        case ScopeKind.SOURCE:
            found = next(((x.name, x.name) for x in organisation.sources if x.id == scope.id), None)
        case ScopeKind.PURPOSE:
            found = next(((p.name.lower(), "") for p in Purpose if p == scope.id), None)
        case _:
            return None
    return found
