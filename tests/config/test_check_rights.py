"""Mistakes in `rights:` that need more than one key; how each reads is in tests/bad_config."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config.check_rights import check_rights
from gateway.config.organisation import Organisation
from gateway.config.rights import Rights, term_parts
from tests.house import organisation


def with_rights(**rights: Any) -> Organisation:
    return organisation(rights=rights)


def test_the_defaults_need_nothing() -> None:
    assert list(check_rights(with_rights())) == []


def test_a_sender_needs_a_route_for_the_stream_rights() -> None:
    ((loc, text),) = check_rights(with_rights(sender="privacy@school.example"))
    assert loc == ("rights", "sender")
    assert "no route carries stream rights from school.example" in text
    routed = organisation(rights={"sender": "privacy@school.example"}, routes=[{"provider": "desk"}])
    assert list(check_rights(routed)) == []


@pytest.mark.parametrize("place", ["NL", "BE", "DE-BY"])
def test_holidays_of_countries_and_subdivisions_are_known(place: str) -> None:
    assert list(check_rights(with_rights(holidays=place))) == []


@pytest.mark.parametrize("place", ["XX", "DE-XX", "XX-BY"])
def test_holidays_nobody_knows_are_a_mistake(place: str) -> None:
    [(loc, _)] = check_rights(with_rights(holidays=place))
    assert loc == ("rights", "holidays")


@pytest.mark.parametrize(
    ("term", "parts"),
    [("30 days", (30, "day")), ("1 week", (1, "week")), ("20 working days", (20, "working day"))],
)
def test_a_term_has_a_number_and_a_unit(term: str, parts: tuple[int, str]) -> None:
    assert term_parts(term) == parts


@pytest.mark.parametrize("term", ["0 days", "30", "days", "30 months", "1000 days", "-1 days"])
def test_what_is_no_term_is_refused(term: str) -> None:
    with pytest.raises(ValueError, match="such as 30 days"):
        Rights(promise=term)


def test_a_promise_for_a_kind_goes_before_the_one_for_all() -> None:
    rights = Rights(promise="30 days", promises={"access": "4 weeks"})
    assert (rights.promised("access"), rights.promised("tip")) == ("4 weeks", "30 days")
    assert Rights().promised("access") is None
