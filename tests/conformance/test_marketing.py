"""Rezulto: newsletters, offers and research, and what each of them rests on."""

from __future__ import annotations

import html
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.demo.stage import Stage
from gateway.facts import Facts, Purchase
from gateway.policy.soft_opt_in import Terms, soft_opt_in
from tests.conformance.steps import nothing_arrived, refused
from tests.e2e.post import (
    REZULTO,
    Sent,
    arrived,
    consent,
    dns,
    header,
    mail,
    one_click,
    opt_out_url,
    person,
    send,
    texts,
    verifies,
    wait,
)  # fmt: skip

CRM, SHOP = "rezulto-crm", "rezulto-webshop"
NEWS = {"stream": "newsletter", "basis": "consent"}
OFFER = {"stream": "notification", "offer": "similar lesmateriaal", "basis": "soft_opt_in"}
ORDER = {"stream": "informational", "basis": "contract"}
SURVEY = {"stream": "research", "basis": "consent"}
ZONE = ZoneInfo("Europe/Amsterdam")


def people(stage: Stage, *rows: dict[str, str]) -> None:
    stage.people("rezulto", rows)


def bought(who: str, category: str = "lesmateriaal", declined: str = "no", at: str = "2026-09-01") -> dict[str, str]:
    return {"address": who, "kind": "purchase", "category": category, "declined": declined, "at": at}


def refusal(who: str, kind: str, scope: str) -> dict[str, str]:
    return {"address": who, "kind": kind, "scope": scope}


def sent(stage: Stage, who: str, content: str = "", client: str = CRM, **marks: str) -> Sent:
    return send(stage, client, mail(REZULTO, [who], html=content, **marks), [who])


def test_s41_each_mail_says_its_basis_and_a_wrong_pair_is_refused(shared: Stage) -> None:
    who = person("docent")
    people(shared, consent(who, "list:lestips"))
    refused(sent(shared, who, stream="newsletter", list="lestips"), "Basis")
    refused(sent(shared, who, stream="newsletter", list="lestips", basis="contract"), "Basis")
    assert sent(shared, who, list="lestips", **NEWS).code == 250
    arrived(shared, [who], 1)


def test_s42_mail_for_a_segment_needs_consent_to_profiling(shared: Stage) -> None:
    who, agreed = person("docent"), person("docent")
    people(shared, consent(who, "list:lestips"), consent(agreed, "list:lestips"), consent(agreed, "purpose:profiling"))
    refused(sent(shared, who, list="lestips", segment="groep-8", **NEWS), "purpose:3")
    assert sent(shared, agreed, list="lestips", segment="groep-8", **NEWS).code == 250
    arrived(shared, [agreed])


def test_s43_mail_about_an_order_names_it_and_reaches_who_opted_out(shared: Stage) -> None:
    who = person("koper")
    people(shared, refusal(who, "objection", "marketing"))
    refused(sent(shared, who, **ORDER), "Reference")
    assert sent(shared, who, reference="O-17", **ORDER).code == 250
    arrived(shared, [who])


def test_s44_where_an_address_came_from_is_no_ground_for_an_offer(shared: Stage) -> None:
    who = person("winnaar")
    people(shared, {"address": who, "kind": "origin", "origin": "contest"})
    refused(sent(shared, who, **OFFER), "purchase")
    refused(sent(shared, who, list="lestips", **NEWS), "consent")
    nothing_arrived(shared, who)


def test_s45_consent_is_per_newsletter_and_each_has_a_list_id_of_its_own(shared: Stage) -> None:
    who = person("docent")
    people(shared, consent(who, "list:lestips"))
    refused(sent(shared, who, list="onderwijsnieuws", **NEWS), "list:1")
    assert sent(shared, who, list="lestips", **NEWS).code == 250
    (copy,) = arrived(shared, [who])
    assert header(copy.content, "List-Id") == ["Lestips <lestips.rezulto.nl>"] or "lestips.rezulto.nl" in str(
        header(copy.content, "List-Id")
    )


LINK = "https://rezulto.nl/proefles?mc_eid=9c1f00a7d2&les=5"
PIXEL = "https://rezulto.list-manage.com/track/open.php?u=5be1&id=77&e=9c1f00a7d2"
PAGE = (
    f'<html><body><p><a href="{html.escape(LINK)}">Lees</a></p>'
    f'<img src="{html.escape(PIXEL)}" width="1" height="1"></body></html>'
)


@pytest.mark.parametrize(
    ("marks", "kept"),
    [({"list": "lestips", **NEWS}, True), (OFFER, False), ({"reference": "O-1", **ORDER}, False), (SURVEY, False)],
    ids=["newsletter", "offer", "order", "survey"],
)
def test_s46_clicks_are_followed_in_newsletters_on_consent_only(
    shared: Stage, marks: dict[str, str], kept: bool
) -> None:
    who = person("docent")
    people(shared, *(consent(who, s) for s in ("list:lestips", "purpose:tracking", "purpose:research")), bought(who))
    assert sent(shared, who, PAGE, **marks).code == 250
    (copy,) = arrived(shared, [who])
    assert ("mc_eid" in texts(copy.content)["text/html"]) is kept


def test_s46_consent_to_the_newsletter_alone_follows_nobody(shared: Stage) -> None:
    who = person("docent")
    people(shared, consent(who, "list:lestips"))
    sent(shared, who, PAGE, list="lestips", **NEWS)
    (copy,) = arrived(shared, [who])
    assert "mc_eid" not in texts(copy.content)["text/html"]
    assert "proefles?les=5" in texts(copy.content)["text/html"]


def test_s47_no_pixel_and_no_receipt_leaves_not_even_with_consent_to_tracking(shared: Stage) -> None:
    who = person("docent")
    people(shared, consent(who, "list:lestips"), consent(who, "purpose:tracking"))
    message = mail(REZULTO, [who], html=PAGE, list="lestips", **NEWS)
    message["Disposition-Notification-To"] = REZULTO
    message["Return-Receipt-To"] = REZULTO
    assert send(shared, CRM, message, [who]).code == 250
    (copy,) = arrived(shared, [who])
    shown = texts(copy.content)["text/html"]
    assert "track/open" not in shown
    assert "mc_eid" in shown, "the click link is still there"
    assert header(copy.content, "Disposition-Notification-To") == header(copy.content, "Return-Receipt-To") == []


def test_s48_research_needs_consent_and_leads_nobody_back_to_a_person(shared: Stage) -> None:
    stranger, one, two = person("docent"), person("docent"), person("docent")
    people(shared, consent(one, "purpose:research"), consent(two, "purpose:research"))
    refused(sent(shared, stranger, PAGE, **SURVEY), "purpose:2")
    for who, own in ((one, "9c1f00a7d2"), (two, "0b7744aa91")):
        assert sent(shared, who, PAGE.replace("9c1f00a7d2", own), **SURVEY).code == 250
    first, second = arrived(shared, [one, two])
    assert _links(first.content) == _links(second.content) == {"https://rezulto.nl/proefles?les=5"}
    refused(sent(shared, one, PAGE, identified="yes", **SURVEY), "purpose:4")


def _links(content: bytes) -> set[str]:
    shown = texts(content)["text/html"]
    return {html.unescape(part.partition('"')[0]) for part in shown.split('href="')[1:] if "proefles" in part}


def test_s49_an_offer_goes_to_who_bought_something_similar_and_did_not_decline(shared: Stage) -> None:
    match, declined, other = person("koper"), person("koper"), person("koper")
    people(shared, bought(match), bought(declined, declined="yes"), bought(other, category="trainingen"))
    assert sent(shared, match, **OFFER).code == 250
    refused(sent(shared, declined, **OFFER), "declined")
    refused(sent(shared, other, **OFFER), "category:1 missing")
    arrived(shared, [match])
    nothing_arrived(shared, declined, other)


def test_s50_offers_end_two_years_after_the_last_purchase_and_a_new_one_starts_again(shared: Stage) -> None:
    ahead = timedelta(minutes=2)
    wait(lambda: (datetime.now(ZONE) + ahead).date() == datetime.now(ZONE).date(), "a day with time left")
    today = datetime.now(ZONE).date()
    last, past = _years_ago(today), _years_ago(today) - timedelta(days=1)
    on_the_last_day, a_day_late, again, member = (person("koper") for _ in range(4))
    people(shared, bought(on_the_last_day, at=last.isoformat()), bought(a_day_late, at=past.isoformat()))
    people(shared, bought(again, at=past.isoformat()), bought(again, at=(today - timedelta(days=30)).isoformat()))
    people(shared, {"address": member, "kind": "subscription", "category": "lesmateriaal"})
    refused(sent(shared, a_day_late, **OFFER), "which is past")
    for who in (on_the_last_day, again, member):
        assert sent(shared, who, **OFFER).code == 250
    arrived(shared, [on_the_last_day, again, member])


@pytest.mark.parametrize(
    ("bought_on", "last"), [("2024-02-29", "2026-02-28"), ("2024-02-28", "2026-02-28"), ("2023-12-31", "2025-12-31")]
)
def test_s50_a_term_that_began_on_a_leap_day_ends_on_the_28th(bought_on: str, last: str) -> None:
    terms = Terms(years=2, free=False)
    facts = Facts(purchases=(Purchase(1, False, _at(bought_on, 23, 59)),))
    assert soft_opt_in(facts, 1, _at(last, 23, 59), "Europe/Amsterdam", terms).allowed
    day_after = (date.fromisoformat(last) + timedelta(days=1)).isoformat()
    assert not soft_opt_in(facts, 1, _at(day_after, 0, 0), "Europe/Amsterdam", terms).allowed


def _at(day: str, hour: int, minute: int) -> int:
    moment = datetime.fromisoformat(day).replace(hour=hour, minute=minute, tzinfo=ZONE)
    return int(moment.astimezone(UTC).timestamp())


def _years_ago(day: date) -> date:
    """The earliest purchase whose two years have not ended on `day`."""
    try:
        return day.replace(year=day.year - 2)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 2, month=3, day=1)


def test_s58_objection_to_a_category_stops_that_one_and_to_all_marketing_everything(shared: Stage) -> None:
    who, all_of_it = person("koper"), person("koper")
    for one in (who, all_of_it):
        people(shared, bought(one), bought(one, category="trainingen"), consent(one, "list:lestips"))
    operator = ("--operator", "jan", "--organisation", "rezulto")
    shared.command("rights", "open", "--kind", "objection", "--to", who, "--scope", "category:lesmateriaal", *operator)
    shared.command("rights", "open", "--kind", "objection", "--to", all_of_it, "--scope", "marketing", *operator)
    other = OFFER | {"offer": "similar trainingen"}
    refused(sent(shared, who, **OFFER), "objection category:1")
    assert sent(shared, who, **other).code == 250
    for marks in (OFFER, other, {"list": "lestips", **NEWS}):
        refused(sent(shared, all_of_it, **marks), "objection marketing")


def test_s60_the_link_of_one_newsletter_stops_that_one_and_leaves_the_other(shared: Stage) -> None:
    who = person("docent")
    people(shared, consent(who, "list:lestips"), consent(who, "list:onderwijsnieuws"))
    sent(shared, who, list="lestips", **NEWS)
    (copy,) = arrived(shared, [who])
    assert one_click(opt_out_url(copy.content)) == 200
    refused(sent(shared, who, list="lestips", **NEWS), "opt-out list:2")
    assert sent(shared, who, list="onderwijsnieuws", **NEWS).code == 250
    arrived(shared, [who], 2)


def test_s61_mail_about_an_order_cannot_be_stopped_and_carries_no_offer(shared: Stage) -> None:
    who = person("koper")
    people(shared, refusal(who, "opt-out", "marketing"), bought(who))
    assert sent(shared, who, reference="O-17", **ORDER).code == 250
    (copy,) = arrived(shared, [who])
    assert header(copy.content, "List-Unsubscribe-Post") == []
    refused(sent(shared, who, reference="O-17", offer="similar lesmateriaal", **ORDER))
    other = person("koper")
    people(shared, bought(other))
    refused(sent(shared, other, reference="O-17", offer="similar lesmateriaal", **ORDER), "offer")
    refused(sent(shared, other, reference="O-17", segment="groep-8", **ORDER), "segment")


def test_s51_every_message_says_how_to_stop(shared: Stage) -> None:
    who = person("koper")
    people(shared, consent(who, "list:lestips"), consent(who, "purpose:research"), bought(who))
    kinds: tuple[tuple[str, dict[str, Any]], ...] = (
        (CRM, {"list": "lestips", **NEWS}), (CRM, OFFER), (CRM, {"reference": "O-1", **ORDER}), (CRM, SURVEY),
        (SHOP, {"reference": "O-1"}),
    )  # fmt: skip
    for client, marks in kinds:
        assert sent(shared, who, client=client, **marks).code == 250
    for copy in arrived(shared, [who], len(kinds)):
        text = " ".join(texts(copy.content)["text/plain"].split())
        assert "Geen berichten als dit meer ontvangen:" in text or "stopt u met de link onderaan die berichten" in text


def test_s54_marketing_is_signed_and_says_who_sends_it_and_where_they_live(shared: Stage) -> None:
    who = person("docent")
    people(shared, consent(who, "list:lestips"))
    sent(shared, who, list="lestips", **NEWS)
    (copy,) = arrived(shared, [who])
    assert verifies(copy.content, dns(shared))
    text = " ".join(texts(copy.content)["text/plain"].split())
    assert "Rezulto B.V. (KvK 84541423), Sarphatipark 25, 1073 CP Amsterdam" in text


def test_s69_a_work_address_needs_a_ground_like_any_other(shared: Stage) -> None:
    personal, role = person("docent", "basisschool.example"), person("directie", "basisschool.example")
    for who in (personal, role):
        refused(sent(shared, who, list="lestips", **NEWS), "consent")
    people(shared, consent(role, "list:lestips"))
    assert sent(shared, role, list="lestips", **NEWS).code == 250
    (copy,) = arrived(shared, [role])
    assert "KvK 84541423" in texts(copy.content)["text/plain"]
    nothing_arrived(shared, personal)
