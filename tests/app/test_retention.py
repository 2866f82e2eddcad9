"""The daily purge over all stores: what is past its term goes, with proof; consents and blocks stay."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.address import Address
from gateway.app import retention
from gateway.app.retention import Purged, last_purge, purge, run_once
from gateway.audit.files import record
from gateway.audit.proof import verify
from gateway.audit.protocol import AuditRow
from gateway.audit.reading import AuditReader
from gateway.cases.protocol import CaseKind, Outcome, Registered
from gateway.cases.retention import CLOSED
from gateway.cases.sqlite import SQLiteCases
from gateway.facts import Scope, ScopeKind
from gateway.observe import metrics
from gateway.registry.protocol import Event, EventKind, Evidence
from gateway.rights.breach import iso
from gateway.rights.effects import CHANNEL, PURGE
from gateway.rights.retained import CLOCK
from tests.cases.house import STEP, new, store
from tests.house import House, organisation

DAY = 86400.0
NOW = datetime.fromisoformat("2026-11-22T04:00:00+01:00").timestamp()
ANNA, BERT = "anna@people.example", "bert@people.example"
PERSON = Evidence("person", "form", "v1", "case 1")
TERMS = {"audit": "2 years", "bounces": "1 year", "acts": "5 years", "shares": "1 year", "receipts": "6 months",
         "purchases": "3 years", "enrolments": "4 years", "requests": "5 years", "breaches": "5 years"}  # fmt: skip


@dataclass
class Stores:
    """One organisation with everything that is purged."""

    house: House
    cases: SQLiteCases

    @property
    def shard(self) -> Path:
        return self.house.spool.shard.database

    @property
    def houses(self) -> list[retention.House]:
        tenant = self.house.tenant
        return [retention.House(tenant.organisation, tenant.pseudonyms, self.house.registry, self.cases)]

    async def event(
        self, kind: EventKind, at: float, to: str = ANNA, evidence: Evidence = PERSON, **values: Any
    ) -> None:
        person = self.house.tenant.pseudonyms.person(Address.parse(to))
        await self.house.registry.record([Event(kind, person, int(at), evidence, **values)])

    async def purge(self, now: float = NOW, *, dry: bool = False) -> dict[str, Purged]:
        return {item.data_class: item for item in await purge(self.houses, [self.shard], now, dry=dry)}

    def audit(self, at: float, what: str) -> None:
        record(self.shard, [AuditRow(at, "school", "m1", what, b"p" * 32, {})])

    def audited(self) -> list[str]:
        return [row.what for row in AuditReader([self.shard]).rows()]

    async def kinds(self, to: str = ANNA) -> list[EventKind]:
        person = self.house.tenant.pseudonyms.person(Address.parse(to))
        return [event.kind for _, event in await self.house.registry.history(person)]


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Stores]:
    house = House.open(tmp_path, organisation(retention=TERMS))
    made = Stores(house, store(tmp_path))
    yield made
    await made.cases.close()
    await house.close()


SHARED = {"third_party": "maker", "message": "m1", "purpose": "order"}
FACTS: dict[str, tuple[EventKind, dict[str, Any]]] = {
    "shares": (EventKind.SHARED, {"detail": SHARED}),
    "receipts": (EventKind.RECEIPT, {"detail": {"message": "m1", "kind": "read"}}),
    "purchases": (EventKind.PURCHASE, {"detail": {"category": 1}}),
    "enrolments": (EventKind.ENROLMENT, {"detail": {"reference": "r1"}}),
}


def limit(stores: Stores, name: str) -> float:
    term = stores.house.tenant.organisation.retention.terms()[name]
    assert term is not None
    return term.before(NOW, "Europe/Amsterdam")


@pytest.mark.parametrize("name", FACTS)
async def test_s56_l05_a_fact_goes_once_it_is_past_its_term_and_not_before(stores: Stores, name: str) -> None:
    kind, values = FACTS[name]
    await stores.event(kind, limit(stores, name) - 1, **values)
    await stores.event(kind, limit(stores, name), BERT, **values)
    assert (await stores.purge(dry=True))[name].count == 1
    assert await stores.kinds() == [kind], "a dry run changes nothing"
    found = (await stores.purge())[name]
    assert (found.count, found.oldest) == (1, limit(stores, name))
    assert NOW - found.oldest <= NOW - found.before, "the oldest is within its limit"
    assert (await stores.kinds(), await stores.kinds(BERT)) == ([], [kind])
    assert (await stores.purge())[name].count == 0


@pytest.mark.parametrize(("name", "what"), [("audit", "delivered"), ("bounces", "failed"), ("acts", "released")])
async def test_s56_l05_audit_rows_go_by_class_and_the_chain_stays_whole(stores: Stores, name: str, what: str) -> None:
    stores.audit(limit(stores, name) - 1, what)
    stores.audit(limit(stores, name), what)
    found = (await stores.purge())[name]
    assert (found.count, found.oldest) == (1, limit(stores, name))
    assert stores.audited() == [what, "purged"]
    assert verify(stores.shard).whole


async def test_l05_what_went_is_proved_by_class_day_and_number(stores: Stores) -> None:
    stores.audit(limit(stores, "audit") - 1, "delivered")
    await stores.purge()
    (row,) = AuditReader([stores.shard]).rows(what={"purged"})
    assert (row.organisation, row.pseudonym) == ("school", b"")
    assert row.detail == {"class": "audit", "before": int(limit(stores, "audit")), "count": 1}
    await stores.purge()
    assert stores.audited() == ["purged"], "nothing went, so there is nothing to prove"


async def test_s55_i10_consents_and_blocks_are_never_purged(stores: Stores) -> None:
    news, everything = Scope(ScopeKind.LIST, 7), Scope(ScopeKind.EVERYTHING)
    await stores.event(EventKind.CONSENT, 1000, scope=news)
    await stores.event(EventKind.OPT_OUT, 1000, BERT, scope=news)
    await stores.event(EventKind.BOUNCE, 1000, BERT, Evidence("system"), scope=everything)
    much_later = NOW + 40 * 365 * DAY
    assert all(item.count == 0 for item in (await stores.purge(much_later)).values())
    people = stores.house.tenant.pseudonyms.people([Address.parse(ANNA), Address.parse(BERT)])
    anna, bert = await stores.house.registry.facts(people)
    assert [c.scope for c in anna.consents] == [news]
    assert {b.scope for b in bert.blocks} == {news, everything}


async def test_s29_l40_what_the_law_keeps_goes_on_its_own_day(stores: Stores) -> None:
    until = int(NOW + DAY)
    await stores.event(EventKind.RETAINED, 1000, detail={"id": "invoice 7", "reason": "AWR 52", "until": until})
    assert (await stores.purge(NOW))[retention.RETAINED].count == 0
    assert (await stores.purge(until + 1))[retention.RETAINED].count >= 1
    assert await stores.kinds() == []


async def test_s28_people_who_left_go_when_their_clock_runs_out(stores: Stores) -> None:
    clock = Evidence("person", CHANNEL, f"{PURGE}{int(NOW)}", "leaving")
    await stores.event(EventKind.ENROLMENT, NOW - 40 * DAY, detail={"reference": "r1"})
    await stores.event(EventKind.OPT_OUT, NOW - 30 * DAY, evidence=clock, scope=Scope(ScopeKind.EVERYTHING))
    detail = {"id": CLOCK, "reason": "left", "until": int(NOW)}
    await stores.event(EventKind.RETAINED, NOW - 30 * DAY, evidence=clock, detail=detail)
    waiting = (await stores.purge(NOW - 1))["leaving"]
    assert (waiting.count, waiting.oldest) == (0, NOW - 30 * DAY)
    anna = stores.house.tenant.pseudonyms.person(Address.parse(ANNA)).exact
    record(
        stores.shard,
        [AuditRow(NOW - DAY, "school", f"m{n}", "refused", p, {}) for n, p in enumerate((anna, b"b" * 32))],
    )
    assert (await stores.purge(NOW, dry=True))["leaving"].count == 1
    assert AuditReader([stores.shard]).by_person(anna)
    assert (await stores.purge(NOW))["leaving"].count == 1
    assert AuditReader([stores.shard]).by_person(anna) == [], "the sending log of who left goes too"
    assert len(AuditReader([stores.shard]).by_person(b"b" * 32)) == 1
    (facts,) = await stores.house.registry.facts([stores.house.tenant.pseudonyms.person(Address.parse(ANNA))])
    assert not facts.enrolments
    assert facts.blocks, "the block stays (I-10)"
    assert (await stores.purge(NOW + DAY))["leaving"].count == 0


async def test_s56_register_rows_and_closed_breaches_go(stores: Stores) -> None:
    for closed in (date(2021, 11, 21), date(2021, 11, 22)):
        case = await stores.cases.open(new(), STEP)
        await stores.cases.finish(
            case, STEP, Registered(CaseKind.ACCESS, "2021-Q4", Outcome.GRANTED, 7, False, 1, closed=closed)
        )
    for at in (limit(stores, "breaches") - 1, limit(stores, "breaches")):
        await stores.cases.breach_add(at, CLOSED, {"closed_at": iso(at)})
    found = await stores.purge()
    assert (found["requests"].count, found["breaches"].count) == (1, 1)
    assert found["breaches"].oldest == limit(stores, "breaches")
    assert (len(await stores.cases.register()), len(await stores.cases.breach_list())) == (1, 1)


async def test_s56_a_clock_that_went_back_purges_nothing_more(stores: Stores) -> None:
    stores.audit(limit(stores, "audit"), "delivered")
    await stores.event(EventKind.PURCHASE, limit(stores, "purchases"), detail={"category": 1})
    for now in (NOW, NOW - DAY, NOW - 1000 * DAY, 0.0, -1e18):
        assert sum(item.count for item in (await stores.purge(now)).values()) == 0


async def test_a_class_without_a_term_is_kept(stores: Stores, tmp_path: Path) -> None:
    house = stores.houses[0]
    endless = organisation()
    await stores.event(EventKind.ENROLMENT, 1000, detail={"reference": "r1"})
    houses = [retention.House(endless, house.pseudonyms, house.registry, house.cases)]
    found = {i.data_class: i for i in await purge(houses, [stores.shard], NOW)}
    assert (found["enrolments"].count, found["enrolments"].oldest) == (0, 1000)


async def test_rows_of_an_organisation_that_is_gone_have_the_default_term(stores: Stores) -> None:
    record(stores.shard, [AuditRow(NOW - 3 * 365 * DAY, "gone", "m1", "delivered", b"p" * 32, {})])
    found = await purge(stores.houses, [stores.shard], NOW)
    assert [(i.organisation, i.count) for i in found if i.count] == [("gone", 1)]


async def test_s56_ages_and_limits_are_measured(stores: Stores) -> None:
    stores.audit(limit(stores, "audit") + DAY, "delivered")
    retention.measure(list((await stores.purge()).values()), NOW)
    oldest = metrics.RETENTION_OLDEST.labels("school", "audit")._value.get()
    bound = metrics.RETENTION_LIMIT.labels("school", "audit")._value.get()
    assert (oldest, bound) == (NOW - limit(stores, "audit") - DAY, NOW - limit(stores, "audit"))
    assert oldest < bound


async def test_a_clock_far_ahead_of_the_last_purge_is_not_believed(stores: Stores, tmp_path: Path) -> None:
    stores.audit(limit(stores, "audit"), "delivered")
    await run_once(stores.houses, [stores.shard], tmp_path, NOW)
    assert last_purge(tmp_path) == NOW
    await run_once(stores.houses, [stores.shard], tmp_path, NOW + 61 * DAY)
    assert stores.audited() == ["delivered"]
    assert last_purge(tmp_path) == NOW
    retention.remember(tmp_path, NOW + 30 * DAY)  # by hand
    await run_once(stores.houses, [stores.shard], tmp_path, NOW + 61 * DAY)
    assert stores.audited() == ["purged"]


@pytest.mark.parametrize("text", ["", "{}", "[]", json.dumps({"at": "soon"})])
def test_a_memory_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "retention.json").write_text(text)
    assert last_purge(tmp_path) == 0.0


async def test_trouble_in_one_store_leaves_the_others_purged_and_proved(stores: Stores, tmp_path: Path) -> None:
    stores.audit(limit(stores, "audit") - 1, "delivered")
    stores.house.take_away_registry()
    await run_once(stores.houses, [stores.shard], tmp_path, NOW)
    assert stores.audited() == ["purged"]
    assert last_purge(tmp_path) == 0.0, "it is tried again"
