"""De Kleine Parel, "Afmelden / Opt-out": a link at the bottom of each automated mail, and what it stops."""

from __future__ import annotations

import re
import time
from email.message import EmailMessage

import pytest

from gateway.cli.registry_house import house_of, run
from gateway.demo.stage import Stage
from gateway.registry.protocol import Event, EventKind, Evidence, PeopleRegistry
from gateway.registry.scopes import parse_scope
from tests.conformance.steps import (
    CRM,
    NEWSLETTER,
    OFFICE,
    OFFICER,
    ORG,
    SHOP,
    SHOP_MAIL,
    attempted,
    counted,
    counts_more,
    from_database,
    kinds,
    looked_up,
    participant,
    pressed,
    provider_away,
    reader,
    refused,
    retry,
    visit,
)
from tests.documents.making import pdf
from tests.e2e.post import (
    EVIDENCE,
    PAREL,
    arrived,
    consent,
    header,
    mail,
    one_click,
    opt_out_url,
    person,
    send,
    settled,
    texts,
    wait,
)
from tests.e2e.watching import queue

DATABASE = "source:perfectview"
LINK = re.compile(r"http://127\.0\.0\.1:\d+/kleine-parel/[\w-]+")
KINDS = kinds("k21") | {"policy_change": {"stream": "policy_change", "reference": "v21"}}


def whole(message: EmailMessage) -> None:
    message.add_alternative("<html><body><p>Tot <b>zaterdag</b>.</p></body></html>", subtype="html")
    message.add_attachment(pdf(["Rooster"]), maintype="application", subtype="pdf", filename="rooster.pdf")


@pytest.mark.parametrize("kind", KINDS)
def test_s21_the_link_is_at_the_bottom_of_every_automated_mail_and_works(shared: Stage, kind: str) -> None:
    who = participant(shared, person("deelnemer"), "k21")
    before = counted(shared, "S-21")
    message = mail(PAREL, [who], text="Tot zaterdag.\n", **KINDS[kind])
    whole(message)
    assert send(shared, CRM, message, [who]).code == 250
    (copy,) = arrived(shared, [who])
    shown = texts(copy.content)
    assert sorted(shown) == ["text/html", "text/plain"]
    for text in shown.values():
        (url,) = LINK.findall(text)
        words, _, after = text.partition(url)
        assert "zaterdag" in words
        rest = re.sub(
            r"<[^>]*>|https://dekleineparel\.nl/privacybeleid", "", f'<a href="{after}' if "<" in after else after
        )
        assert re.sub(r"Meld je hier af|Ons privacybeleid:|[\s>\"]", "", rest) == "", (
            "only the footer's own lines follow"
        )
    page = visit(url)
    assert (page.status, visit(url, pressed(page)).status) == (200, 200)
    refused(from_database(shared, who, **NEWSLETTER), "opt-out")
    counts_more(shared, "S-21", before, 2)


def test_s21_one_click_where_nothing_depends_on_it_and_no_link_in_letters_of_people(shared: Stage) -> None:
    who = participant(shared, person("deelnemer"), "k21")
    clicks = {}
    for kind, marks in KINDS.items():
        seen = len([m for m in shared.recorder.mails if m.recipient == who])
        assert from_database(shared, who, **marks).code == 250
        copy = arrived(shared, [who], seen + 1)[-1]
        clicks[kind] = bool(header(copy.content, "List-Unsubscribe-Post"))
        assert LINK.fullmatch(opt_out_url(copy.content))
    assert clicks == {"newsletter": True, "notification": True, "participation": False, "policy_change": False}
    assert send(shared, OFFICE, mail("wil@dekleineparel.nl", [who]), [who]).code == 250
    letter = arrived(shared, [who], 5)[-1]
    assert (LINK.findall(letter.content.decode()), header(letter.content, "List-Unsubscribe")) == ([], [])


def test_s22_one_opt_out_stops_all_three_kinds_also_those_that_wait(shared: Stage) -> None:
    staff = f"{person('staf').partition('@')[0]}@dekleineparel.nl"
    who = participant(shared, person("stopt"), "k22")
    from_database(shared, who, **NEWSLETTER)
    url = opt_out_url(arrived(shared, [who])[0].content)
    before = counted(shared, "S-22")
    with provider_away(shared, "kleine-parel/mailing"):
        waiting = [from_database(shared, who, staff, **marks) for marks in kinds("k22").values()]
        for sent in waiting:
            attempted(shared, sent)
        assert one_click(url) == 200
    retry(shared, *waiting)
    wait(lambda: not any(queue(shared, sent.id) for sent in waiting), "an end of all three")
    settled(shared)
    assert len([m for m in shared.recorder.mails if m.recipient == who]) == 1, "only what came before"
    reports = arrived(shared, [staff], 3)
    assert all(who.encode() in r.content and b"opt-out" in r.content for r in reports), "staff can phone"
    for marks in kinds("k22").values():
        sent = from_database(shared, who, staff, **marks)
        refused(sent, "opt-out")
        assert who in sent.refused, "said for this recipient, before any text is handed over"
    counts_more(shared, "S-22", before, 4)


def test_s23_it_stops_what_comes_from_the_database_and_nothing_else(shared: Stage) -> None:
    who = participant(shared, person("stopt"), "k23")
    from_database(shared, who, **NEWSLETTER)
    assert one_click(opt_out_url(arrived(shared, [who])[0].content)) == 200
    others = {
        SHOP: mail(SHOP_MAIL, [who], reference="o23"),
        OFFICE: mail("wil@dekleineparel.nl", [who]),
        f"{OFFICE} rights": mail(PAREL, [who], stream="rights"),
    }
    for client, message in others.items():
        assert send(shared, client.partition(" ")[0], message, [who]).code == 250, client
    assert len(arrived(shared, [who], 4)) == 4
    for marks in kinds("k23").values():
        refused(from_database(shared, who, **marks), "opt-out")
    shared.people("kleine-parel", [{"address": who, "kind": "erasure"}])
    for client in (SHOP, OFFICE):
        refused(send(shared, client, others[client], [who]))
    settled(shared)
    assert len([m for m in shared.recorder.mails if m.recipient == who]) == 4


def stopped(stage: Stage) -> str:
    """Somebody who read the newsletter and used its link."""
    who = reader(stage, person("terug"))
    from_database(stage, who, **NEWSLETTER)
    assert one_click(opt_out_url(arrived(stage, [who])[0].content)) == 200
    refused(from_database(stage, who, **NEWSLETTER), "opt-out")
    return who


def said(stage: Stage, who: str, channel: str, *what: tuple[EventKind, str]) -> None:
    """What a person says by a form (unconfirmed), or from the mailbox (confirmed), as the form will record it."""
    house = house_of(stage.config, "kleine-parel")
    given = Evidence("person", channel, "v2", "answer 24")
    events = [
        Event(kind, house.person(who), int(time.time()), given, parse_scope(scope, house.organisation))
        for kind, scope in what
    ]

    async def record(registry: PeopleRegistry) -> None:
        await registry.record(events)

    run(house, record)


def test_s24_consent_from_the_mailbox_itself_lifts_the_opt_out_and_the_history_stays(shared: Stage) -> None:
    who = stopped(shared)
    both = ((EventKind.LIFTED, DATABASE), (EventKind.CONSENT, "list:nieuwsbrief"))
    said(shared, who, "form", *both)
    refused(from_database(shared, who, **NEWSLETTER), "opt-out")
    said(shared, who, "confirmed", *both)
    assert from_database(shared, who, **NEWSLETTER).code == 250
    assert len(arrived(shared, [who], 2)) == 2
    events = [(event["kind"], event["channel"]) for event in looked_up(shared, who)["events"]]
    confirmed = [("lifted", "confirmed"), ("consent", "confirmed")]
    assert (events[:2], events[-2:]) == ([("consent", "form"), ("opt-out", "journal")], confirmed)


def test_s24_consent_of_an_import_waits_for_an_operator(shared: Stage) -> None:
    who, unsure = stopped(shared), stopped(shared)
    stopped_at = int(time.time())
    wait(lambda: int(time.time()) > stopped_at, "a later second than that of the opt-out")
    later = {"at": str(stopped_at + 1)}
    shared.people("kleine-parel", [consent(a, "list:nieuwsbrief") | EVIDENCE | later for a in (who, unsure)])
    for address in (who, unsure):
        refused(from_database(shared, address, **NEWSLETTER), "opt-out")
    (pending,), (other,) = looked_up(shared, who)["returns"], looked_up(shared, unsure)["returns"]
    number, declined = (re.findall(r"event (\d+)", text)[0] for text in (pending, other))
    shared.command("registry", "return", "accept", number, *OFFICER, *ORG)
    shared.command("registry", "return", "decline", declined, *OFFICER, *ORG)
    assert from_database(shared, who, **NEWSLETTER).code == 250
    assert len(arrived(shared, [who], 2)) == 2
    refused(from_database(shared, unsure, **NEWSLETTER), "opt-out")
    settled(shared)
    # The newsletter before they stopped is all that the other one ever got: nobody is asked to come back.
    assert len([m for m in shared.recorder.mails if m.recipient == unsure]) == 1
