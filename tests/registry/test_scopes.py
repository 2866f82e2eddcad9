"""Scopes as people write them."""

from __future__ import annotations

import pytest

from gateway.facts import Purpose, Scope, ScopeKind
from gateway.registry.scopes import parse_scope, scope_text
from tests.registry.test_importing import organisation


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("everything", Scope(ScopeKind.EVERYTHING)),
        ("marketing", Scope(ScopeKind.MARKETING)),
        ("list:nieuws", Scope(ScopeKind.LIST, 3)),
        ("topic:yoga", Scope(ScopeKind.TOPIC, 5)),
        ("category:boeken", Scope(ScopeKind.CATEGORY, 6)),
        ("source:crm", Scope(ScopeKind.SOURCE, 1)),
        ("purpose:tracking", Scope(ScopeKind.PURPOSE, Purpose.TRACKING)),
    ],
)
def test_words_and_scopes_go_both_ways(text, scope):
    assert parse_scope(f" {text.upper()} ", organisation()) == scope
    assert scope_text(scope, organisation()) == text


@pytest.mark.parametrize("text", ["", "list", "list:", "list:3", "marketing:all", "planet:mars"])
def test_anything_else_is_an_error_that_says_what_is_expected(text):
    with pytest.raises(ValueError, match="expected"):
        parse_scope(text, organisation())


def test_an_id_that_left_the_settings_is_shown_by_number():
    assert scope_text(Scope(ScopeKind.LIST, 99), organisation()) == "list:99"
