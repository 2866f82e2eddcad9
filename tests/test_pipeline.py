"""What each failure between DATA and 250 means, on a real spool and a real registry."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway import plan
from gateway.facts import Scope, ScopeKind
from gateway.filters.context import Filter
from gateway.observe import metrics
from gateway.registry.protocol import EventKind
from gateway.spool.blackbox import Blackbox, note_crash
from gateway.spool.protocol import QUARANTINE, Entry, State, Update
from tests.house import House, envelope, mail, news

ANNA, BERT = "anna@people.example", "bert@people.example"
NEWS = Scope(ScopeKind.LIST, 7)


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr("gateway.registry.sqlite._RETRY", 0.02)
    opened = House.open(tmp_path)
    yield opened
    await opened.close()


def broken(*_: Any) -> Any:
    raise RuntimeError(f"a fault that quotes {ANNA}")


def break_a_filter(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan, "FILTERS", (Filter("broken", "raises", broken),))


async def states(house: House) -> list[State]:
    return [entry.state for entry in await house.rows()]


async def test_i4_a_250_means_that_the_copies_are_in_the_spool(house: House) -> None:
    await house.record(EventKind.CONSENT, ANNA, scope=NEWS)
    reply = await house.send(news(ANNA), ANNA)
    assert str(reply).startswith("250 2.6.0")
    (row,) = await house.rows()
    assert (row.state, row.stream, row.provider) == (State.QUEUED, "newsletter", "bulk")
    assert row.message in reply.text
    assert house.woken == 1
    assert {r.what for r in house.audited(row.message)} == {"accepted", "edited"}


async def test_s17_mail_without_a_kind_counts_as_a_decision_for_each_recipient(house: House) -> None:
    counted = metrics.DECISIONS.labels("school", "unclassified", "refuse", "unclassified")._value
    before = counted.get()
    assert str(await house.send(mail(ANNA, BERT), ANNA, BERT)).startswith("550 5.7.1")
    assert counted.get() == before + 2
    assert str(await house.send(b"From: a@school.example\r\nFrom: b@school.example\r\n\r\n", ANNA)).startswith("550")
    assert counted.get() == before + 2, "a broken message is no decision"


async def test_i3_a_fault_of_ours_sets_the_mail_aside_and_loses_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.record(EventKind.CONSENT, ANNA, scope=NEWS)
    counted = metrics.QUARANTINED.labels("school")._value.get()
    with monkeypatch.context() as patch:
        break_a_filter(patch)
        reply = await house.send(news(ANNA), ANNA)
        assert reply.code == 250
        (row,) = await house.rows()
        assert row.state is State.QUARANTINED
        assert "RuntimeError at" in row.reason
        assert ANNA not in row.reason
        assert await house.spool.claim(house.now + 1e6, 10) == []
        assert metrics.QUARANTINED.labels("school")._value.get() == counted + 1
        assert (await house.spool.open(row)).body == news(ANNA)
        assert await house.revisit() == 0
        assert await states(house) == [State.QUARANTINED]
    assert await house.revisit() == 1
    (again,) = await house.rows()
    assert (again.state, again.message) == (State.QUEUED, row.message)
    assert b"Afmelden" in await house.text(again)


async def test_i3_a_fault_on_a_later_visit_waits_for_an_operator_and_is_not_tried_all_the_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.take_away_registry()
    await house.send(news(ANNA), ANNA)
    await house.put_back_registry()
    house.now += 10
    break_a_filter(monkeypatch)
    await house.record(EventKind.CONSENT, ANNA, scope=NEWS)
    assert await house.revisit() == 0
    (row,) = await house.rows()
    assert (row.state, row.due) == (State.QUARANTINED, house.now + QUARANTINE)
    assert row.message in house.pipeline.vain


async def test_i3_without_its_registry_mail_is_stored_undecided_and_decided_when_it_is_back(house: House) -> None:
    await house.record(EventKind.CONSENT, ANNA, scope=NEWS)
    house.take_away_registry()
    reply = await house.send(news(ANNA, BERT), ANNA, BERT)
    assert reply.code == 250
    assert await states(house) == [State.UNDECIDED, State.UNDECIDED]
    assert await house.spool.claim(house.now + 1e6, 10) == []
    assert await house.revisit() == 0
    await house.put_back_registry()
    assert await house.revisit() == 1
    found = {row.client: row.state for row in await house.rows()}
    assert found == {"crm": State.QUEUED, "gateway": State.QUEUED}, "one copy, and one report about the other"
    assert {r.what for r in house.audited(reply.text.split()[-1])} >= {"undecided", "accepted", "refused"}


async def test_i3_a_client_that_prefers_to_wait_hears_451(house: House) -> None:
    house.take_away_registry()
    reply = await house.send(news(ANNA), ANNA, client="careful")
    assert str(reply).startswith("451 4.3.2")
    assert await house.rows() == []


async def test_i3_a_spool_that_cannot_store_answers_451_and_keeps_nothing(house: House) -> None:
    await house.record(EventKind.CONSENT, ANNA, scope=NEWS)
    await house.spool.close()
    reply = await house.send(news(ANNA), ANNA)
    assert (reply.code, reply.enhanced) == (451, "4.3.1")


async def test_i3_a_message_that_ended_two_workers_is_not_parsed_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = news(ANNA)
    for _ in range(2):
        crashed = Blackbox(house.folder, 5)
        crashed.enter(hashlib.sha256(raw).digest())
        note_crash(house.folder, 5)
    monkeypatch.setattr(plan, "read", broken)
    reply = await house.send(raw, ANNA)
    assert reply.code == 250
    (row,) = await house.rows()
    assert (row.state, row.reason) == (State.QUARANTINED, "ended a worker twice")


async def test_i3_a_poisonous_message_that_waits_for_its_registry_ends_no_third_worker(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = news(ANNA)
    house.take_away_registry()
    await house.send(raw, ANNA)
    await house.put_back_registry()
    for _ in range(2):
        crashed = Blackbox(house.folder, 5)
        crashed.enter(hashlib.sha256(raw).digest())
        note_crash(house.folder, 5)
    monkeypatch.setattr(plan, "read", broken)
    assert await house.revisit() == 0
    (row,) = await house.rows()
    assert (row.state, row.reason) == (State.QUARANTINED, "ended a worker twice")


async def test_i3_before_a_retry_parses_quarantined_mail_it_is_put_off_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.record(EventKind.CONSENT, ANNA, scope=NEWS)
    break_a_filter(monkeypatch)
    await house.send(news(ANNA), ANNA)
    (row,) = await house.rows()
    await house.spool.update([Update(row.row, State.QUARANTINED, due=house.now)], ())
    seen: list[float] = []

    async def look(*_: Any) -> Any:
        seen.extend(entry.due for entry in await house.rows())
        raise RuntimeError

    monkeypatch.setattr(house.pipeline, "_plan", look)
    await house.revisit()
    assert seen == [house.now + QUARANTINE], "a process that dies here would die again and again"


async def test_i4_set_aside_mail_of_many_recipients_is_decided_whole_however_few_rows_were_found(
    house: House,
) -> None:
    people = [f"p{n}@people.example" for n in range(5)]
    for who in people:
        await house.record(EventKind.CONSENT, who, scope=NEWS)
    house.take_away_registry()
    await house.send(news(*people), *people)
    await house.put_back_registry()
    first = (await house.rows())[:1]
    assert await house.pipeline.revisit(house.spool, first) == 1
    assert await states(house) == [State.QUEUED] * 5


async def test_r014_set_aside_mail_that_is_refused_ends_in_a_report_and_leaves_nothing_else(house: House) -> None:
    house.take_away_registry()
    reply = await house.send(news(ANNA), ANNA)
    await house.put_back_registry()
    assert await house.revisit() == 1
    (row,) = await house.rows()
    assert row.client == "gateway"
    assert ANNA.encode() in (text := await house.text(row))
    assert b"5.7.1" in text
    assert [r.what for r in house.audited(reply.text.split()[-1])][-1] == "edited"


async def test_r014_nobody_left_is_a_550_and_no_report(house: House) -> None:
    reply = await house.send(news(ANNA), ANNA)
    assert (reply.code, reply.enhanced) == (550, "5.7.1")
    assert await house.rows() == []


async def test_r014_some_left_is_250_and_one_report_in_the_same_commit(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.record(EventKind.CONSENT, ANNA, scope=NEWS)
    puts: list[tuple[str, ...]] = []
    whole = house.spool.put

    async def put(messages: Any, audit: Any) -> None:
        puts.append(tuple(m.client for m in messages))
        await whole(messages, audit)

    monkeypatch.setattr(house.spool, "put", put)
    assert (await house.send(news(ANNA, BERT), ANNA, BERT)).code == 250
    assert puts == [("crm", "gateway")]
    report = next(row for row in await house.rows() if row.client == "gateway")
    text = await house.text(report)
    assert BERT.encode() in text
    assert ANNA.encode() not in text


async def test_i3_a_report_that_cannot_be_written_sets_the_mail_aside(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.record(EventKind.CONSENT, ANNA, scope=NEWS)
    monkeypatch.setattr(house.pipeline, "_report", broken)
    assert (await house.send(news(ANNA, BERT), ANNA, BERT)).code == 250
    assert await states(house) == [State.QUARANTINED] * 2


async def test_mail_whose_client_is_gone_from_the_settings_waits_for_a_person(house: House) -> None:
    house.take_away_registry()
    await house.send(news(ANNA), ANNA)
    await house.put_back_registry()
    house.pipeline.parts = type(house.pipeline.parts)(house.pipeline.parts.rules, {})
    assert await house.revisit() == 0
    (row,) = await house.rows()
    assert (row.state, row.reason) == (State.QUARANTINED, "its client is no longer in the settings")


async def test_a_compiled_mail_whose_seal_was_in_doubt_goes_back_to_the_queue_when_told(house: House) -> None:
    await house.record(EventKind.CONSENT, ANNA, scope=NEWS)
    await house.send(news(ANNA), ANNA)
    (row,) = await house.rows()
    await house.spool.update([Update(row.row, State.QUARANTINED, due=house.now, reason="seal")], ())
    assert await house.revisit() == 1
    assert await states(house) == [State.QUEUED]


@pytest.mark.parametrize("spelling", ["postmaster", "Postmaster", "POSTMASTER@school.example"])
@pytest.mark.parametrize("client", ["crm", "careful", "office"])
async def test_r022_unmarked_mail_to_the_postmaster_is_taken(house: House, spelling: str, client: str) -> None:
    raw = mail(spelling)
    reply = await house.send(raw, spelling, client=client)
    assert reply.code == 250
    (row,) = await house.rows()
    assert (row.state, row.stream, row.provider) == (State.QUEUED, "personal", "desk")
    opened = await house.spool.open(row)
    expected = "beheer@school.example" if "@" not in spelling else spelling
    assert opened.row["address"] == expected
    assert opened.row["postmaster"] is True
    assert (await house.text(row)).endswith(raw), "untouched but for the trace"


@pytest.mark.parametrize("client", ["crm", "careful"])
async def test_r022_also_while_the_registry_is_down(house: House, client: str) -> None:
    house.take_away_registry()
    assert (await house.send(mail("postmaster"), "postmaster", client=client)).code == 250
    assert await states(house) == [State.QUEUED]
    assert await house.pipeline.check_recipient("crm", envelope("postmaster").recipients[0].address) is None


async def test_r022_no_block_stops_it(house: House) -> None:
    for who in ("beheer@school.example", "postmaster@school.example"):
        await house.record(EventKind.ERASURE, who, scope=Scope(ScopeKind.EVERYTHING))
        assert (await house.send(news("postmaster"), "postmaster")).code == 250
    assert [r.rule for r in [await _decision(house, e) for e in await house.rows()]] == ["postmaster"] * 2


async def _decision(house: House, entry: Entry) -> Any:
    row = next(r for r in house.audited(entry.message) if r.what == "accepted")
    return type("Found", (), {"rule": row.detail["rule"]})


async def test_r022_others_in_the_same_unmarked_mail_are_refused_one_by_one(house: House) -> None:
    assert (await house.send(mail("postmaster", ANNA), "postmaster", ANNA)).code == 250
    rows = await house.rows()
    copies = [(await house.spool.open(row)).row["address"] for row in rows if row.client == "crm"]
    assert copies == ["beheer@school.example"]
    (report,) = [row for row in rows if row.client == "gateway"]
    assert b"Briefgeheim-Stream" in await house.text(report)


async def test_i2_a_strangers_postmaster_is_a_person_whose_block_holds(house: House) -> None:
    who = "postmaster@people.example"
    await house.record(EventKind.CONSENT, who, scope=NEWS)
    assert (await house.send(news(who), who)).code == 250
    await house.record(EventKind.OPT_OUT, who, scope=NEWS)
    assert (await house.send(news(who), who)).code == 550


async def test_the_database_hears_at_rcpt_of_a_person_blocked_everywhere(house: House) -> None:
    await house.record(EventKind.OPT_OUT, ANNA, scope=Scope(ScopeKind.MARKETING))
    (blocked, free) = envelope(ANNA, BERT).recipients
    found = await house.pipeline.check_recipient("crm", blocked.address)
    assert found is not None
    assert found.code == 550
    assert await house.pipeline.check_recipient("crm", free.address) is None
    house.take_away_registry()
    assert await house.pipeline.check_recipient("crm", blocked.address) is None, "decided after DATA, or stored"
