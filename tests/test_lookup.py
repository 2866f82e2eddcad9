"""What a decision is told of the registry: one read for the people, more only for mail that names more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway import plan
from gateway.address import Address
from gateway.facts import Facts
from gateway.lookup import Found, look_up
from gateway.policy import postmaster
from gateway.policy.circumstances import Observed
from gateway.pseudonym import Person
from gateway.registry.protocol import EventKind, Registry
from tests.house import NOW, SETTINGS, House, envelope, mail, organisation, rules

ANNA, BERT, TEACHER = "anna@people.example", "bert@people.example", "cursus@aanbieder.example"
PARTY = {
    "name": "aanbieder",
    "title": "Aanbieder",
    "addresses": [TEACHER],
    "contract": "2026-01-01",
    "rights_clause": True,
}
RULES = organisation(third_parties=[PARTY])


@dataclass
class Counting:
    """The real registry, and what it was asked."""

    registry: Registry
    asked: list[str] = field(default_factory=list)

    async def facts(self, people: Sequence[Person]) -> list[Facts]:
        self.asked.append(f"facts of {len(people)}")
        return await self.registry.facts(people)

    async def published(self, ids: Collection[str]) -> frozenset[str]:
        self.asked.append("published")
        return await self.registry.published(ids)

    async def contact(self, client: str, contact: str) -> bytes | None:
        self.asked.append("contact")
        return await self.registry.contact(client, contact)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    opened = House.open(tmp_path, RULES)
    yield opened
    await opened.close()


async def found(house: House, *to: str, **marks: Any) -> tuple[Found, list[str]]:
    counting = Counting(house.registry)
    tenant = replace(house.tenant, registry=counting)  # type: ignore[arg-type]
    sent = postmaster.marked(tenant.organisation, envelope(*to, client="office"))
    reading = plan.read(tenant, rules(), sent, mail(*to, **marks), now=NOW)
    return await look_up(tenant, sent, reading, NOW), counting.asked


async def test_plain_mail_costs_one_batched_read(house: House) -> None:
    answer, asked = await found(house, ANNA)
    assert asked == ["facts of 1"]
    assert answer.around.opt_out_works
    assert answer.around.observed is Observed.NO


async def test_mail_that_only_the_postmaster_gets_asks_nothing(house: House) -> None:
    _, asked = await found(house, "postmaster@school.example")
    assert asked == []


async def test_s09_consents_to_publication_are_looked_up_whoever_gave_them(house: House) -> None:
    await house.record(EventKind.PUBLICATION, BERT, detail={"id": "P-1"})
    answer, asked = await found(house, ANNA, **{"Briefgeheim-Publication": "P-1, P-2"})
    assert asked == ["facts of 1", "published"]
    assert answer.around.published == {"P-1"}


async def test_s13_whom_a_shared_mail_is_about_is_found_by_the_clients_own_id(house: House) -> None:
    await house.record(EventKind.CONTACT, ANNA, detail={"client": "office", "contact": "C-9"})
    await house.record(EventKind.ENROLMENT, ANNA, detail={"reference": "K-1", "third_party": "aanbieder"})
    marks = {"Briefgeheim-Shared-With": "aanbieder", "Briefgeheim-About": "C-9"}
    answer, _ = await found(house, TEACHER, **marks)
    assert answer.about is not None
    assert answer.about.exact == house.tenant.pseudonyms.person(Address.parse(ANNA)).exact
    assert answer.around.about is not None
    assert answer.around.about.third_parties == {("K-1", "aanbieder")}
    assert answer.around.strangers == 0
    stranger, _ = await found(house, TEACHER, BERT, **marks)
    assert stranger.around.strangers == 1
    unknown, _ = await found(house, TEACHER, **marks | {"Briefgeheim-About": "C-10"})
    assert (unknown.about, unknown.around.about) == (None, None)


async def test_whom_a_shared_mail_is_about_is_no_leak_to_the_third_party(house: House) -> None:
    await house.record(EventKind.CONTACT, ANNA, detail={"client": "office", "contact": "C-9"})
    await house.record(EventKind.LANGUAGE, TEACHER, detail={"language": "nl"})
    marks = {"Briefgeheim-Shared-With": "aanbieder", "Briefgeheim-About": "C-9"}
    answer, _ = await found(house, TEACHER, **marks)
    people = {**answer.people, Address.parse(ANNA): (answer.about, Facts(known=True))}
    shown = replace(answer, people=people)  # type: ignore[arg-type]
    assert shown.known_others() == {Address.parse(TEACHER)}
    assert replace(shown, about=None).known_others() == {Address.parse(TEACHER), Address.parse(ANNA)}


async def test_l31_the_probe_is_asked_each_time(house: House) -> None:
    house.tenant = replace(house.tenant, opt_out_works=lambda: False)
    answer, _ = await found(house, ANNA)
    assert not answer.around.opt_out_works


async def test_what_is_observed_counts_from_intake(house: House) -> None:
    clients = [c | {"observe": [{"stream": "personal", "until": date(2027, 1, 31)}]} for c in SETTINGS["clients"]]
    house.tenant = replace(house.tenant, organisation=organisation(clients=clients, third_parties=[PARTY]))
    answer, _ = await found(house, ANNA)
    assert answer.around.observed is Observed.NOW
