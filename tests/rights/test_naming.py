"""Scopes by the names of the settings, and by their number once those are gone."""

from __future__ import annotations

import pytest

from gateway.facts import Scope, ScopeKind
from gateway.rights.naming import category, scope_name, scope_title
from tests.rights.house import example

PAREL = example().organisation("kleine-parel")


@pytest.mark.parametrize(
    ("scope", "name", "title"),
    [
        (Scope(ScopeKind.LIST, 1), "list:nieuwsbrief", "Nieuwsbrief"),
        (Scope(ScopeKind.TOPIC, 2), "topic:cursussen", "Cursussen en workshops"),
        (Scope(ScopeKind.CATEGORY, 2), "category:materiaal", "Materialen en boeken"),
        (Scope(ScopeKind.SOURCE, 1), "source:perfectview", "perfectview"),
        (Scope(ScopeKind.PURPOSE, 1), "purpose:tracking", ""),
        (Scope(ScopeKind.MARKETING), "marketing", ""),
        (Scope(ScopeKind.EVERYTHING), "everything", ""),
        (Scope(ScopeKind.LIST, 99), "list:99", ""),
        (Scope(ScopeKind.PURPOSE, 99), "purpose:99", ""),
        (None, "", ""),
    ],
)
def test_a_scope_has_a_name_and_where_there_is_one_a_title(scope: Scope | None, name: str, title: str) -> None:
    assert (scope_name(PAREL, scope), scope_title(PAREL, scope)) == (name, title)


def test_a_category_that_is_gone_keeps_its_number() -> None:
    assert (category(PAREL, 1), category(PAREL, 77)) == ("opleiding", "77")
