"""What may be observed, and for how long."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from gateway.config.check_observe import check_observe
from tests.house import SETTINGS, organisation, with_client

TODAY = date(2026, 11, 22)


def errors(*items: dict[str, object], client: str = "crm") -> list[tuple[object, str]]:
    observed = [{"until": TODAY, **item} for item in items]
    found = check_observe(with_client(client, observe=observed), TODAY)
    return [(loc[-1], text) for loc, text in found]


def test_nothing_observed_is_nothing_wrong() -> None:
    assert list(check_observe(organisation(), TODAY)) == []


@pytest.mark.parametrize(("days", "fine"), [(-400, True), (-1, True), (0, True), (90, True), (91, False)])
def test_ninety_days_ahead_are_allowed_and_a_day_that_is_past_is_no_error(days: int, fine: bool) -> None:
    assert (errors({"stream": "newsletter", "until": TODAY + timedelta(days=days)}) == []) is fine


def test_the_client_must_be_able_to_send_the_stream() -> None:
    ((place, text),) = errors({"stream": "personal"})
    assert (place, text) == (
        "stream",
        "personal is no stream of client 'crm', expected one that a classify entry gives it",
    )


@pytest.mark.parametrize("stream", ["rights", "confirmation", "unclassified"])
def test_mail_that_no_block_stops_is_never_observed(stream: str) -> None:
    entries = [{"name": "any", "when": {"client": "crm"}, "stream": stream}]
    streams = SETTINGS["streams"] | {"rights": {"basis": ["legal"]}, "confirmation": {"basis": ["legal"]}}
    rules = with_client("crm", observe=[{"stream": stream, "until": TODAY}])
    rules = organisation(clients=[c.model_dump() for c in rules.clients], streams=streams, classify=entries)
    ((_, text),) = check_observe(rules, TODAY)
    assert "cannot be observed" in text


def test_each_stream_once() -> None:
    ((_, text),) = errors({"stream": "newsletter"}, {"stream": "newsletter"})
    assert "a second time" in text
