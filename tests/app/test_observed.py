"""What the digest says about observe mode."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from gateway.app.observed import in_words, observed_rules
from gateway.facts import Scope, ScopeKind
from gateway.observe import metrics
from gateway.registry.protocol import EventKind
from gateway.spool.protocol import State
from tests.house import NOW, House, mail, news, with_client

UNTIL = date.fromtimestamp(NOW) + timedelta(days=3)
RULES = with_client("crm", observe=[{"stream": "newsletter", "until": UNTIL}])
ANNA, BERT, CARL = "anna@people.example", "bert@people.example", "carl@people.example"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    opened = House.open(tmp_path, RULES)
    yield opened
    await opened.close()


async def test_observed_mail_is_queued_counted_and_told_of(house: House) -> None:
    counter = metrics.OBSERVED.labels("school", "crm", "newsletter", "list-consent")
    before = counter._value.get()
    await house.record(EventKind.CONSENT, CARL, scope=Scope(ScopeKind.LIST, 7))
    assert (await house.send(news(ANNA, BERT, CARL), ANNA, BERT, CARL)).code == 250
    rows = await house.rows()
    assert [row.state for row in rows] == [State.QUEUED] * 3
    assert all(row.facts["observed"] is True for row in rows)
    assert counter._value.get() == before + 2
    counts = observed_rules(house.folder / "spool", NOW - 60)
    assert counts == {"school": Counter({"newsletter: list-consent": 2})}
    assert observed_rules(house.folder / "spool", NOW + 60) == {}


async def test_unmarked_mail_is_the_observed_stream_with_its_opt_out(house: House) -> None:
    assert (await house.send(mail(ANNA), ANNA)).code == 250
    (row,) = await house.rows()
    assert (row.state, row.stream) == (State.QUEUED, "newsletter")
    assert b"Afmelden" in await house.text(row)
    (audit,) = [r for r in house.audited(row.message) if r.what == "accepted"]
    said = {rule: fact for rule, _, fact in audit.detail["tried"]}  # type: ignore[attr-defined]
    assert audit.detail["rule"] == "observed"
    assert said["marks"].startswith("observed: would be refused: stream_missing")


async def test_after_the_day_new_mail_is_refused_as_ever(house: House) -> None:
    house.now = NOW + 4 * 86400
    assert (await house.send(mail(ANNA), ANNA)).code == 550
    assert (await house.send(news(ANNA), ANNA)).code == 550


async def test_the_digest_tells_it_though_nothing_is_held(house: House) -> None:
    await house.send(news(ANNA), ANNA)
    counts = observed_rules(house.folder / "spool", NOW - 60)["school"]
    await house.outbox.digest("school", {}, in_words(RULES, counts, NOW))
    (row,) = [row for row in await house.rows() if row.client == "gateway"]
    body = message_from_bytes(await house.text(row), policy=policy.default).get_content()
    assert f"newsletter of client crm is only observed until {UNTIL}" in body
    assert "     1  newsletter: list-consent" in body
    assert "besluit" not in body
    assert "@" not in body


def test_nothing_observed_is_no_line() -> None:
    assert in_words(with_client("crm"), Counter(), NOW) == []
