"""De Kleine Parel, "Regulier e-mail contact", "Website en Webwinkel" and "MyOnlineStore": course mail and orders."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from gateway.demo.stage import Stage
from tests.conformance.steps import (
    CRM,
    NEWSLETTER,
    OFFICE,
    SHOP,
    SHOP_MAIL,
    attempted,
    counted,
    counts_more,
    enrolment,
    exported,
    held,
    nothing_arrived,
    provider_away,
    reader,
    refused,
    retry,
)
from tests.e2e.altered import Altered
from tests.e2e.post import PAREL, Sent, arrived, header, mail, person, readable, send, settled
from tests.e2e.watching import queue

TEACHER = "wil@dekleineparel.nl"
COURSE = {"stream": "participation", "reference": "k10"}


def group(stage: Stage, number: int) -> list[str]:
    """Participants of one course."""
    people = [person("cursist") for _ in range(number)]
    stage.people("kleine-parel", [enrolment(a, "k10") for a in people])
    return people


@pytest.mark.parametrize(("client", "sender", "marks"), [(CRM, PAREL, COURSE), (OFFICE, TEACHER, {})])
def test_s10_of_25_participants_nobody_sees_another(
    shared: Stage, client: str, sender: str, marks: dict[str, str]
) -> None:
    people = group(shared, 25)
    before = counted(shared, "S-10")
    message = mail(sender, people[:10], html="<p>Tot zaterdag!</p>", **marks)
    message["Cc"] = ", ".join(people[10:])
    assert send(shared, client, message, people).code == 250
    copies = arrived(shared, people)
    settled(shared)
    assert sorted(c.recipient for c in copies) == sorted(people)
    for copy in copies:
        shown = readable(copy.content)
        assert [a for a in people if a != copy.recipient and a.partition("@")[0].encode() in shown] == []
        assert header(copy.content, "To") == [copy.recipient]
    counts_more(shared, "S-10", before)


def calendar(message: EmailMessage, who: str) -> None:
    invitation = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nATTENDEE:mailto:{who}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    message.add_attachment(invitation, subtype="calendar", filename="les.ics")


def quoted(message: EmailMessage, who: str) -> None:
    message.set_content(f"Dag allemaal.\n\n> Op dinsdag schreef {who}:\n> Ik kom!\n", cte="base64")


def hidden(message: EmailMessage, who: str) -> None:
    message.add_alternative(f'<p>Dag.</p><a href="mailto:{who}">mail</a>', subtype="html", cte="quoted-printable")


@pytest.mark.parametrize("show", [calendar, quoted, hidden])
def test_s10_a_copy_that_shows_another_person_is_stopped(shared: Stage, show: object) -> None:
    assert callable(show)
    people = group(shared, 2)
    office, database = mail(TEACHER, people), mail(PAREL, people, **COURSE)
    for message in (office, database):
        show(message, people[1])
    told = send(shared, OFFICE, office, people)
    refused(told)
    assert not any(a in told.reply for a in people)
    assert "recipients" in held(shared, send(shared, CRM, database, people))
    nothing_arrived(shared, *people)


def names(message: EmailMessage, rows: list[str]) -> None:
    message.set_content("De groep:\n" + "\n".join(rows) + "\n")
    message.add_alternative(f"<table><tr><td>{'</td></tr><tr><td>'.join(rows)}</td></tr></table>", subtype="html")
    message.add_attachment("\n".join(["naam", *rows]) + "\n", subtype="csv", filename="deelnemers.csv")


def test_s11_a_list_of_names_passes_and_one_with_addresses_does_not(shared: Stage) -> None:
    people = group(shared, 3)
    plain, table = mail(TEACHER, people), mail(TEACHER, people)
    names(plain, ["Anna de Vries", "Bert Bakker", "Cato van Dam"])
    names(table, [f"Deelnemer {n};{a}" for n, a in enumerate(people)])
    refused(send(shared, OFFICE, table, people))
    attached = mail(PAREL, people[:1], **COURSE)
    attached.add_attachment(f"naam,e-mail\nBert,{people[1]}\n", subtype="csv", filename="deelnemers.csv")
    assert "known people" in held(shared, send(shared, CRM, attached, people[:1]))
    nothing_arrived(shared, *people)
    assert send(shared, OFFICE, plain, people).code == 250
    for copy in arrived(shared, people):
        assert readable(copy.content).count(b"Cato van Dam") >= 3, "text, table and attachment"


def test_s12_each_provider_sees_the_mail_that_is_routed_to_it_and_no_other(shared: Stage) -> None:
    wanted = {}
    before = counted(shared, "S-12")
    for client, sender, marks, provider in (
        (SHOP, SHOP_MAIL, {"reference": "o12"}, "myonlinestore"),
        (CRM, PAREL, NEWSLETTER, "mailing"),
        (OFFICE, TEACHER, {}, "kantoor"),
    ):
        who = reader(shared, person("route"))
        assert send(shared, client, mail(sender, [who], **marks), [who]).code == 250
        wanted[who] = [f"kleine-parel/{provider}"]
    arrived(shared, list(wanted))
    settled(shared)
    assert {who: [m.provider for m in shared.recorder.mails if m.recipient == who] for who in wanted} == wanted
    counts_more(shared, "S-12", before, 3)


def test_s12_mail_without_a_route_is_refused_instead_of_going_to_any(altered: Altered) -> None:
    who = person("nergens")
    refused(send(altered.stage, CRM, mail(PAREL, [who], stream="policy_change", reference="v12"), [who]))
    assert not [m for m in altered.stage.recorder.mails if m.recipient == who]
    assert not [t for sink in (altered.office, altered.mailing) for t in sink.transactions if who in t.to]


@pytest.fixture
def order(shared: Stage) -> dict[str, str]:
    """Somebody ordered with aanbieder-bewegen: address, contact id and number of the order."""
    who = person("koper")
    found = {"who": who, "contact": f"C-{who[5:15]}", "reference": f"O-{who[5:15]}"}
    known = {"address": who, "kind": "contact", "client": SHOP, "contact": found["contact"]}
    bought = enrolment(who, found["reference"], third_party="aanbieder-bewegen")
    shared.people("kleine-parel", [known, bought])
    return found


def passed_on(stage: Stage, order: dict[str, str], party: str, address: str) -> Sent:
    marks = {"about": order["contact"], "reference": order["reference"], "shared_with": party}
    message = mail(SHOP_MAIL, [address], text=f"Nieuwe deelnemer: {order['who']}\n", **marks)
    return send(stage, SHOP, message, [address])


def test_s13_data_of_an_order_goes_to_its_aanbieder_and_stands_in_the_ledger(
    shared: Stage, order: dict[str, str], tmp_path: Path
) -> None:
    aanbieder = f"{person('docent').partition('@')[0]}@bewegen.example"
    before = counted(shared, "S-13")
    sent = passed_on(shared, order, "aanbieder-bewegen", aanbieder)
    assert sent.code == 250
    (copy,) = arrived(shared, [aanbieder])
    assert order["who"].encode() in copy.content
    (row,) = exported(shared, order["who"], tmp_path / "copy")["shares"]
    assert "bewegen" in str(row).lower()
    held(shared, passed_on(shared, order, "aanbieder-boeken", "bestellingen@boeken.example"))
    counts_more(shared, "S-13", before)


def test_s13_nobody_else_gets_it_and_what_did_not_leave_is_not_in_the_ledger(
    shared: Stage, order: dict[str, str], tmp_path: Path
) -> None:
    stranger = person("vreemd")
    before = counted(shared, "S-13")
    other = passed_on(shared, order, "aanbieder-boeken", "bestellingen@boeken.example")
    assert "no order at third party" in held(shared, other)
    assert "not of third party" in held(shared, passed_on(shared, order, "aanbieder-bewegen", stranger))
    refused(passed_on(shared, order, "onbekend", stranger), "Shared-With")
    nothing_arrived(shared, stranger)
    assert exported(shared, order["who"], tmp_path / "copy")["shares"] == []
    counts_more(shared, "S-13", before, 2)


def test_s14_mail_of_the_shop_waits_for_the_shop_platform(shared: Stage) -> None:
    buyer = person("koper")
    invoice = mail(SHOP_MAIL, [buyer], reference="o14")
    invoice.add_attachment(b"%PDF-1.4 factuur", maintype="application", subtype="pdf", filename="factuur.pdf")
    with provider_away(shared, "kleine-parel/myonlinestore"):
        sent = send(shared, SHOP, invoice, [buyer])
        attempted(shared, sent)
        assert [row["state"] for row in queue(shared, sent.id)] == ["queued"]
        assert not [m for m in shared.recorder.mails if m.recipient == buyer]
    retry(shared, sent)
    (copy,) = arrived(shared, [buyer])
    assert (copy.provider, b"factuur.pdf" in copy.content) == ("kleine-parel/myonlinestore", True)


@pytest.mark.parametrize("marketing", [{"offer": "similar materiaal"}, {"list": "nieuwsbrief"}, {"segment": "lente"}])
def test_s15_mail_of_the_shop_carries_no_marketing(shared: Stage, marketing: dict[str, str]) -> None:
    buyer = reader(shared, person("koper"))
    sale = {"address": buyer, "kind": "purchase", "category": "materiaal", "at": "2026-01-02"}
    shared.people("kleine-parel", [sale])
    before = counted(shared, "S-15")
    refused(send(shared, SHOP, mail(SHOP_MAIL, [buyer], reference="o15", **marketing), [buyer]), "mark on stream")
    nothing_arrived(shared, buyer)
    counts_more(shared, "S-15", before)


def test_s15_confirmations_invoices_and_reminders_reach_who_opted_out(shared: Stage) -> None:
    buyer = person("koper")
    shared.people("kleine-parel", [{"address": buyer, "kind": "opt-out", "scope": "source:perfectview"}])
    for subject in ("Orderbevestiging", "Factuur", "Betalingsherinnering"):
        sent = send(shared, SHOP, mail(SHOP_MAIL, [buyer], subject=subject, reference="o15"), [buyer])
        assert sent.code == 250, subject
    assert len(arrived(shared, [buyer], 3)) == 3
