"""Checks over several keys and several organisations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.config import checks
from gateway.config.organisation import Organisation
from tests.config.samples import organisation, raw

A, B = Path("a.yaml"), Path("b.yaml")


def beta(**changes: Any) -> Organisation:
    return Organisation.model_validate(raw("organisations/beta") | changes)


def across(other: Organisation) -> list[tuple[tuple[str | int, ...], str]]:
    findings = checks.across({A: organisation(), B: other})
    assert findings[A] == [], "the later file is the one that is told"
    return findings[B]


def test_the_good_settings_have_nothing_to_say() -> None:
    assert list(checks.organisation(organisation())) == []
    assert list(checks.organisation(beta())) == []
    assert across(beta()) == []


def test_a_client_name_is_unique_on_the_gateway_because_people_log_in_with_it() -> None:
    [(loc, text)] = across(beta(clients=[{"name": "alpha-crm", "secret": "x"}]))
    assert loc == ("clients", 0, "name")
    assert "also in a.yaml" in text


@pytest.mark.parametrize("key", ["id", "name"])
def test_ids_and_names_of_organisations_are_unique(key: str) -> None:
    [(loc, _)] = across(beta(**{key: getattr(organisation(), key)}))
    assert loc == (key,)


def test_two_organisations_may_use_the_same_names_for_everything_else() -> None:
    same = {k: raw()[k] for k in ("sources", "lists", "topics", "categories", "providers", "routes", "streams")}
    assert across(beta(**same)) == []


def test_one_network_belongs_to_one_client_without_a_secret() -> None:
    [(loc, _)] = across(beta(clients=[{"name": "b", "networks": ["192.0.2.1/32"]}]))
    assert loc == ("clients", 0, "networks", 0)
    assert across(beta(clients=[{"name": "b", "networks": ["192.0.2.1/32"], "secret": "b"}])) == []
    assert across(beta(clients=[{"name": "b", "networks": ["192.0.2.0/24"]}])) == [], "the narrower network decides"


@pytest.mark.parametrize("group", ["sources", "lists", "topics"])
def test_what_is_retired_can_no_longer_be_named(group: str) -> None:
    items = [item | {"retired": True} for item in raw()[group]]
    classify = raw()["classify"]
    classify[0]["topic"] = "music"
    found = [text for _, text in checks.organisation(organisation(classify=classify, **{group: items}))]
    assert len(found) == 1
    assert found[0].startswith(f"no {group[:-1]} ")
