"""What newer rules demand of a text that older rules made."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.config.organisation import Organisation
from gateway.decision import Stream
from gateway.policy.edition import edition, lacking
from tests.policy.example import SETTINGS, organisation, with_stream

NEWSLETTER = Stream.NEWSLETTER
FOOTER = {"link": {"nl": "Afmelden: {link}\n"}, "how_to": {"nl": "Hoe\n"}}


def stored(rules: Organisation, stream: Stream = NEWSLETTER, **values: Any) -> list[str]:
    """Through the spool and back."""
    return json.loads(json.dumps(edition(rules, rules.streams.get(stream), **values)))


def test_the_same_rules_lack_nothing() -> None:
    for stream in Stream:
        assert lacking(organisation(), stream, stored(organisation(), stream)) == []


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"opt_out": {"scope": "source", "header": "one-click", "text": "link"}}, ["opt-out"]),
        ({"opt_out": {"scope": "list", "header": "link", "text": "link"}}, ["opt-out"]),
        ({"opt_out": {"text": "none"}}, []),
        ({"tracking": "never"}, []),
        ({"needs": []}, []),
    ],
)
def test_a_changed_opt_out_is_missing_and_one_less_demand_is_not(changes: dict[str, Any], missing: list[str]) -> None:
    assert lacking(with_stream("newsletter", **changes), NEWSLETTER, stored(organisation())) == missing


@pytest.mark.parametrize(
    ("before", "missing"),
    [
        ({"private": False, "edit": False}, ["private", "edit", "opt-out"]),
        ({"private": False}, ["private"]),
        ({"receipts": "keep"}, ["receipts"]),
    ],
)
def test_what_the_old_rules_did_not_ask_is_missing(before: dict[str, Any], missing: list[str]) -> None:
    assert lacking(organisation(), NEWSLETTER, stored(with_stream("newsletter", **before))) == missing


def test_mail_made_private_by_its_number_of_recipients_is_private_enough() -> None:
    old = stored(with_stream("newsletter", private=False), private=True)
    assert "private" not in lacking(organisation(), NEWSLETTER, old)


@pytest.mark.parametrize(
    "changes",
    [
        {"footer": FOOTER | {"link": {"nl": "Anders: {link}\n"}}},
        {"controller": SETTINGS["controller"] | {"name": "Andere naam"}},
        {"controller": SETTINGS["controller"] | {"postal_address": "Straat 2, 1000 AA Plaats"}},
        {"controller": SETTINGS["controller"] | {"policy_url": "https://voorbeeld.example/nieuw"}},
        {"opt_out_url": "https://weg.voorbeeld.example"},
    ],
)
def test_a_footer_that_says_something_else_is_missing(changes: dict[str, Any]) -> None:
    old = organisation(footer=FOOTER)
    new = organisation(**{"footer": FOOTER, **changes})
    assert lacking(new, NEWSLETTER, stored(old)) == ["opt-out"]
    assert lacking(new, Stream.PERSONAL, stored(old, Stream.PERSONAL)) == [], "a stream without one is not concerned"


def test_a_text_the_stream_does_not_use_is_of_no_concern() -> None:
    old, new = organisation(footer=FOOTER), organisation(footer=FOOTER | {"how_to": {"nl": "Anders\n"}})
    assert lacking(new, NEWSLETTER, stored(old)) == []


def test_a_stream_without_rules_is_left_to_the_decision() -> None:
    assert edition(organisation(), None) == []
    assert lacking(organisation(streams={}), NEWSLETTER, []) == []


LINK = {"scope": "source", "header": "one-click", "text": "link"}


@pytest.mark.parametrize("way", [{"when_sealed": "wrap"}, {"when_no_text": "header"}])
def test_another_way_for_mail_without_a_place_is_missing_and_the_usual_one_is_not(way: dict[str, str]) -> None:
    before = stored(with_stream(NEWSLETTER, opt_out=LINK))
    assert lacking(with_stream(NEWSLETTER, opt_out={**LINK, **way}), NEWSLETTER, before) == ["opt-out"]
    usual = {"when_sealed": "header", "when_no_text": "refuse"}
    assert lacking(with_stream(NEWSLETTER, opt_out={**LINK, **usual}), NEWSLETTER, before) == []


def test_placeholders_shape_the_opt_out() -> None:
    rules = organisation(footer={**FOOTER, "placeholders": ["{{afmelden}}"]})
    assert lacking(rules, NEWSLETTER, stored(organisation(footer=FOOTER))) == ["opt-out"]
