"""Conditions of classify entries."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.address import Address
from gateway.config.organisation import When
from gateway.decision import Stream
from gateway.policy.when import Traits, count_holds, holds

TRAITS = Traits(
    client="crm",
    sender=Address.parse("terug+les@voorbeeld.example"),
    from_address=Address.parse("Info@Voorbeeld.example"),
    recipients=3,
    headers={
        "x-kind": (" a ", "b"),
        "list-id": ("Nieuws <Nieuws.voorbeeld.example>",),
        "briefgeheim-stream": ("Newsletter",),
    },
)

HOLD: list[dict[str, Any]] = [
    {},
    {"client": "crm"},
    {"from_domain": "voorbeeld.example"},
    {"from_address": "info@voorbeeld.example"},
    {"sender_tag": "LES"},
    {"list_id": "nieuws.voorbeeld.example"},
    {"recipients": ">=2"},
    {"header": {"X-Kind": None}},
    {"header": {"X-Kind": "a"}},
    {"header": {"x-kind": "b"}},
    {"stream_mark": "newsletter"},
    {"client": "crm", "recipients": "3", "stream_mark": "newsletter"},
]
FAIL: list[dict[str, Any]] = [
    {"client": "winkel"},
    {"from_domain": "example"},
    {"from_address": "else@voorbeeld.example"},
    {"from_address": "not an address"},
    {"sender_tag": "le"},
    {"list_id": "voorbeeld.example"},
    {"recipients": "<3"},
    {"header": {"X-Other": None}},
    {"header": {"X-Kind": "c"}},
    {"stream_mark": Stream.WEBSHOP},
    {"client": "crm", "recipients": "4"},
]


@pytest.mark.parametrize("when", HOLD)
def test_conditions_that_hold(when: dict[str, Any]) -> None:
    assert holds(When.model_validate(when), TRAITS)


@pytest.mark.parametrize("when", FAIL)
def test_one_condition_that_fails_is_enough(when: dict[str, Any]) -> None:
    # built without checks, as settings refuse what cannot be read; here it must still not match
    assert not holds(When.model_construct(**(dict(When()) | when)), TRAITS)


def test_conditions_on_sender_and_from_fail_where_there_is_none() -> None:
    bare = Traits("crm", None, None, 1, {})
    for when in ({"from_domain": "x.example"}, {"from_address": "a@x.example"}, {"sender_tag": "x"}):
        assert not holds(When.model_validate(when), bare)


@pytest.mark.parametrize(
    ("condition", "counts"),
    [
        (">=2", {2, 3, 4}),
        (">2", {3, 4}),
        ("<=2", {0, 1, 2}),
        ("<2", {0, 1}),
        ("2", {2}),
        ("=2", {2}),
        ("==2", {2}),
        ("!=2", {0, 1, 3, 4}),
        (" >= 2 ", {2, 3, 4}),
        ("", set()),
        ("two", set()),
        ("2..3", set()),
        ("²", set()),
    ],
)
def test_recipient_counts(condition: str, counts: set[int]) -> None:
    assert {n for n in range(5) if count_holds(condition, n)} == counts
