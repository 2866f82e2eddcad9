"""L-15: all that is held about one person, and nothing about anybody else."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from gateway.cases.protocol import CaseKind
from gateway.facts import Scope, ScopeKind
from gateway.registry.protocol import Act, EventKind, Evidence
from gateway.rights.dossier import Dossier
from gateway.rights.tables import TABLES
from tests.rights.house import NOW, WHO, House, as_dict, house, text

LIST, TOPIC = Scope(ScopeKind.LIST, 1), Scope(ScopeKind.TOPIC, 2)


@pytest.fixture
async def parel(tmp_path: Path):
    async with house(tmp_path) as made:
        yield made


def rows(found: Dossier, table: str) -> list[dict[str, object]]:
    return [dict(as_dict(row)) for row in found.table(table)]


async def test_l15_every_kind_of_thing_that_is_held_is_shown(parel: House) -> None:
    day = 86400
    await parel.record(EventKind.CONSENT, scope=LIST, at=NOW - 90 * day)
    await parel.record(EventKind.REQUEST, scope=TOPIC, at=NOW - 80 * day)
    await parel.record(EventKind.ENROLMENT, reference="cursus-3", third_party="aanbieder-1", at=NOW - 70 * day)
    await parel.record(EventKind.PURCHASE, category=2, at=NOW - 60 * day)
    await parel.record(EventKind.LANGUAGE, language="en")
    await parel.record(EventKind.CONTACT, client="kleine-parel-crm", contact="c-77")
    await parel.record(EventKind.ORIGIN, origin="beurs 2026")
    await parel.record(EventKind.SHARED, third_party="aanbieder-1", message="m1", purpose="order")
    await parel.record(EventKind.RECEIPT, message="m1", kind="read")
    await parel.record(EventKind.RETAINED, id="factuur-17", reason="AWR 52", until=NOW + 99 * day)
    await parel.record(EventKind.BOUNCE, scope=Scope(ScopeKind.EVERYTHING), evidence=Evidence("system"))
    await parel.registry.act(Act(NOW - 5, "els", "asked by phone", "show"), parel.person())
    await parel.audit(parel.row("m1", "delivered", stream="newsletter", provider="mailing", rule="list-consent"))
    found = await parel.dossier(cases=[parel.case(CaseKind.ACCESS, number=3)])
    assert {name: len(found.table(name)) for name in TABLES} == {
        "blocks": 1,
        "consents": 2,
        "facts": 5,
        "sendings": 1,
        "shares": 1,
        "receipts": 1,
        "retained": 1,
        "recipients": len(parel.organisation.providers) + len(parel.organisation.third_parties),
        "terms": len(parel.organisation.retention.terms()) + 1,
        "requests": 1,
        "looks": 1,
        "periods": 5,
        "events": 11,
    }
    assert rows(found, "consents")[0] == {
        "kind": "consent", "scope": "list:nieuwsbrief", "title": "Nieuwsbrief", "since": "2026-10-17T08:00:00Z",
        "channel": "form", "wording": "v1", "proof": "form log 7",
    }  # fmt: skip
    facts = {(r["kind"], r["value"], r["third_party"]) for r in rows(found, "facts")}
    assert ("enrolment", "cursus-3", "aanbieder-1") in facts
    assert ("purchase", "materiaal", "") in facts
    assert [r["name"] for r in rows(found, "recipients") if r["got_data"] == "yes"][:1] == ["mailing"]


async def test_l15_a_course_mail_to_25_shows_no_other_recipient(parel: House) -> None:
    group = [f"cursist{n}@voorbeeld.example" for n in range(24)]
    await parel.put(WHO, *group)
    await parel.record(EventKind.ENROLMENT, address=group[0], reference="cursus-3")
    await parel.registry.act(Act(NOW, "els", "other person", "show"), parel.person(group[1]))
    cases = [parel.case(CaseKind.ACCESS, group[2], number=8)]
    found = await parel.dossier(cases=cases)
    shown = text([rows(found, name) for name in TABLES])
    assert len(found.table("sendings")) == 1
    assert not [a for a in group if a in shown]
    hidden = [form for a in group for p in (parel.person(a),) for form in (p.exact.hex(), p.wide.hex())]
    assert not [form for form in hidden if form in shown]
    assert [len(found.table(t)) for t in ("requests", "looks", "events")] == [0, 0, 0]
    assert "25" not in [r["fact"] for r in rows(found, "sendings")]


async def test_names_of_staff_are_left_out(parel: House) -> None:
    operator = Evidence("operator:Els Jansen", "phone", "", "called")
    await parel.record(EventKind.MANUAL, scope=Scope(ScopeKind.EVERYTHING), evidence=operator)
    await parel.registry.act(Act(NOW, "Els Jansen", "asked by phone", "show"), parel.person())
    found = await parel.dossier()
    assert "Jansen" not in text([rows(found, name) for name in TABLES])
    assert rows(found, "events")[0]["who"] == "a member of staff"
    assert rows(found, "looks")[0]["reason"] == "asked by phone"


async def test_s65_each_mail_says_what_it_rested_on_when_it_left(parel: House) -> None:
    await parel.record(EventKind.CONSENT, scope=LIST, at=NOW - 1000)
    await parel.audit(
        parel.row("m1", "accepted", at=NOW - 500, stream="newsletter", rule="list-consent", variant="nl/tracked"),
        parel.row("m1", "delivered", at=NOW - 499, stream="newsletter", provider="mailing"),
    )
    await parel.record(EventKind.WITHDRAWAL, scope=LIST, at=NOW - 300)
    await parel.audit(parel.row("m2", "refused", at=NOW - 100, stream="newsletter", rule="opt-out", fact="withdrawal"))
    first, second = rows(await parel.dossier(), "sendings")
    assert (first["basis"], first["in_force"]) == ("consent", "consent list:nieuwsbrief since 2027-01-15T07:43:20Z")
    assert (first["decision"], first["outcome"], first["provider"], first["tracked"]) == (
        "accepted", "delivered", "mailing", "yes",
    )  # fmt: skip
    assert (second["decision"], second["in_force"], second["fact"]) == ("refused", "", "withdrawal")


async def test_a_contract_mail_rests_on_the_enrolment_of_that_time(parel: House) -> None:
    await parel.record(EventKind.ENROLMENT, reference="cursus-3", at=NOW - 1000)
    await parel.record(EventKind.ENROLMENT, reference="cursus-3", active=False, at=NOW - 200)
    for message, at in (("m1", NOW - 500), ("m2", NOW - 100)):
        await parel.audit(parel.row(message, "accepted", at=at, stream="participation"))
    first, second = rows(await parel.dossier(), "sendings")
    assert (first["basis"], first["in_force"][:19]) == ("contract", "enrolment cursus-3 ")
    assert second["in_force"] == ""


async def test_l12_of_an_erased_person_the_block_is_shown(parel: House) -> None:
    await parel.record(EventKind.CONSENT, scope=LIST)
    await parel.registry.erase(parel.person(), NOW, Evidence("operator:els", "rights", "", "asked"))
    found = await parel.dossier()
    assert [(r["kind"], r["scope"]) for r in rows(found, "blocks")] == [("erasure", "everything")]
    assert found.table("consents") == ()
    assert found.known


async def test_of_a_stranger_nothing_is_known_and_that_is_said(parel: House) -> None:
    found = await parel.dossier("niemand@voorbeeld.example")
    assert not found.known
    assert all(not found.table(name) for name in TABLES if name not in ("recipients", "terms"))


async def test_rows_of_another_organisation_are_not_read(parel: House) -> None:
    from dataclasses import replace

    await parel.audit(replace(parel.row("m1", "delivered"), organisation="rezulto"))
    assert (await parel.dossier()).table("sendings") == ()


async def test_requests_of_this_person_show_their_last_day(parel: House) -> None:
    case = parel.case(CaseKind.ERASURE, number=4, due=date(2027, 2, 9))
    (shown,) = rows(await parel.dossier(cases=[case]), "requests")
    assert (shown["number"], shown["kind"], shown["due"]) == (4, "erasure", "2027-02-09")
