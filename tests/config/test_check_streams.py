"""Stream rules against the law's table, themselves, and what the organisation has."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config.check_streams import BASES, check_footer, check_streams
from gateway.decision import Basis, Stream
from tests.config.samples import organisation

LINK = {"scope": "marketing", "header": "one-click", "text": "link"}
NEEDS = {
    Stream.NEWSLETTER: ["list-consent"],
    Stream.RESEARCH: ["research-consent"],
    Stream.NOTIFICATION: ["soft-opt-in"],
}


def wrong(stream: str, **rule: Any) -> list[tuple[str | int, ...]]:
    settings = organisation(streams={stream: rule})
    return [loc[2:] for loc, _ in check_streams(settings)]


@pytest.mark.parametrize("stream", BASES)
@pytest.mark.parametrize("basis", Basis)
def test_stream_and_basis_are_a_fixed_table(stream: Stream, basis: Basis) -> None:
    marketing = stream in (Stream.NEWSLETTER, Stream.NOTIFICATION)
    rule: dict[str, Any] = {"basis": [basis.value], "needs": NEEDS.get(stream, [])}
    if marketing:
        rule |= {"opt_out": LINK, "blocked_by": ["everything", "marketing"]}
    found = wrong(stream.value, **rule)
    if basis in BASES[stream]:
        assert found == []
    else:
        assert ("basis", 0) in found


def test_every_stream_but_the_refused_one_is_in_the_table() -> None:
    assert set(BASES) == set(Stream) - {Stream.UNCLASSIFIED}


def test_newsletters_and_research_rest_on_consent_alone() -> None:
    assert BASES[Stream.NEWSLETTER] == BASES[Stream.RESEARCH] == {Basis.CONSENT}


def test_a_stream_has_a_basis() -> None:
    assert ("basis",) in wrong("webshop", basis=[])


@pytest.mark.parametrize("scope", ["source", "list", "topic", "category", "marketing"])
def test_a_link_stops_the_stream_it_stands_in(scope: str) -> None:
    rule = {"basis": ["contract"], "opt_out": {"scope": scope, "text": "link"}}
    assert wrong("participation", **rule) == [("opt_out", "scope")]
    assert wrong("participation", **rule, blocked_by=["everything", scope]) == []


@pytest.mark.parametrize("narrow", ["list", "topic", "category"])
def test_a_link_for_all_marketing_reaches_what_a_narrow_block_reaches(narrow: str) -> None:
    rule = {"basis": ["contract"], "opt_out": {"scope": "marketing"}}
    assert wrong("participation", **rule, blocked_by=["everything", narrow]) == []


@pytest.mark.parametrize(
    ("scope", "group"), [("source", "sources"), ("list", "lists"), ("topic", "topics"), ("category", "categories")]
)
def test_what_a_link_stops_exists(scope: str, group: str) -> None:
    rule = {"basis": ["contract"], "opt_out": {"scope": scope}, "blocked_by": [scope]}
    settings = organisation(streams={"participation": rule}, **{group: []})
    assert [loc[2:] for loc, _ in check_streams(settings)] == [("opt_out", "scope")]


@pytest.mark.parametrize("opt_out", [{"header": "one-click"}, {"header": "link"}, {"text": "link"}])
def test_a_link_says_what_it_stops(opt_out: dict[str, str]) -> None:
    assert wrong("webshop", basis=["contract"], opt_out=opt_out) == [("opt_out", next(iter(opt_out)))]


@pytest.mark.parametrize("stream", ["newsletter", "notification", "research"])
def test_what_rests_on_consent_can_always_be_stopped(stream: str) -> None:
    rule = {"basis": ["consent"], "needs": NEEDS[Stream(stream)], "unstoppable": True}
    assert ("unstoppable",) in wrong(stream, **rule)


def test_an_unstoppable_stream_has_no_link_and_heeds_no_narrow_block() -> None:
    rule = {"basis": ["contract"], "unstoppable": True, "refuses_offers": True}
    assert wrong("informational", **rule) == []
    assert ("opt_out",) in wrong("informational", **rule, opt_out={"scope": "marketing", "header": "link"})
    assert ("blocked_by",) in wrong("informational", **rule, blocked_by=["everything", "marketing"])


@pytest.mark.parametrize("stream", [s.value for s in BASES if s is not Stream.NEWSLETTER])
def test_only_newsletters_may_be_tracked(stream: str) -> None:
    assert ("tracking",) in wrong(stream, basis=["consent"], tracking="consent")


def footer(**texts: dict[str, str]) -> list[str]:
    return [text for _, text in check_footer(organisation(footer=texts))]


def test_texts_that_no_stream_uses_may_be_missing() -> None:
    settings = organisation(streams={"webshop": {"basis": ["contract"]}}, footer={})
    assert list(check_footer(settings)) == []


def test_texts_in_use_must_be_there_in_the_own_language() -> None:
    assert len(footer()) == 2
    assert footer(link={"nl": "{name} {address} {link}"}, how_to={"en": "{name} {address}"})[0].startswith(
        "no text in 'en'"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{name} {address}", "lacks {link}"),
        ("{link} {address}", "lacks {name}"),
        ("{name} {link}", "lacks {address}"),
        ("{name} {address} {link} {x}", "unknown {x}"),
        ("{name} {address} {link} {}", "unknown {}"),
        ("{name} {address} {link", "a brace"),
        ("{name} {address} {link} }", "a brace"),
    ],
)
def test_a_link_text_names_the_sender_and_has_the_link(text: str, expected: str) -> None:
    assert footer(link={"en": text}, how_to={"en": "{name} {address}"})[0].startswith(expected)


def test_a_how_to_text_has_no_link() -> None:
    assert "has {link}" in footer(link={"en": "{name} {address} {link}"}, how_to={"en": "{name} {address} {link}"})[0]
