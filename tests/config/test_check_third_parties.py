"""Who may get data of a person, and what must be settled before."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config.check_third_parties import check_third_parties
from tests.house import organisation

GOOD: dict[str, Any] = {
    "name": "aanbieder",
    "title": "Aanbieder",
    "addresses": ["cursus@aanbieder.example"],
    "contract": "2024-01-01",
    "rights_clause": True,
}


def errors(*parties: dict[str, Any]) -> list[tuple[object, str]]:
    found = check_third_parties(organisation(third_parties=[GOOD | party for party in parties]))
    return [(loc[2], text) for loc, text in found]


def test_a_contract_with_a_rights_clause_and_an_address_will_do() -> None:
    assert errors({}) == []


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"rights_clause": False}, "rights_clause", "expected yes"),
        ({"addresses": []}, "addresses", "notices of erasure"),
        ({"addresses": ["no address"]}, "addresses", "expected a mail address"),
        ({"domains": ["school.example"]}, "domains", "the organisation's own"),
    ],
)
def test_s27_what_is_missing_is_named(change: dict[str, Any], place: str, words: str) -> None:
    ((where, text),) = errors(change)
    assert where == place
    assert words in text


def test_s27_the_domain_of_ones_own_people_is_no_third_partys() -> None:
    party = GOOD | {"domains": ["staff.example"]}
    ((_, text),) = check_third_parties(organisation(third_parties=[party], internal_domains=["staff.example"]))
    assert "the organisation's own" in text


def test_each_name_once() -> None:
    ((_, text),) = errors({}, {})
    assert "a second time" in text
