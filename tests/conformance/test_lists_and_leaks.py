"""De Kleine Parel, "alleen je voor- en achternaam"; Rezulto, "alleen met jouw toestemming": in any file."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from gateway.demo.stage import Stage
from tests.conformance.steps import (
    CRM,
    OFFICE,
    OFFICER,
    counted,
    counts_more,
    enrolment,
    held,
    nothing_arrived,
    refused,
    traced,
)
from tests.documents.making import docx, pdf, table, xlsx, zipped
from tests.e2e.post import PAREL, REZULTO, Sent, arrived, mail, person, send, wait
from tests.e2e.watching import metric

TEACHER = "wil@dekleineparel.nl"
COURSE = {"stream": "participation", "reference": "k11"}
NAMES = [["Voornaam", "Achternaam"], ["Anna", "de Vries"], ["Bert", "Bakker"], ["Cato", "van Dam"]]
PHONES = [
    ["Naam", "Telefoon"],
    ["Anna de Vries", "06-12345678"],
    ["Bert Bakker", "06-12345679"],
    ["Cato", "0201234567"],
]
SECRETS = ("06-12345678", "06-12345679", "0201234567")


def group(stage: Stage, number: int) -> list[str]:
    people = [person("lijst") for _ in range(number)]
    stage.people("kleine-parel", [enrolment(a, "k11") for a in people])
    return people


def html(rows: list[list[str]]) -> str:
    cells = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def csv(rows: list[list[str]]) -> bytes:
    return "".join(";".join(row) + "\r\n" for row in rows).encode()


SHAPES = {
    "csv": lambda rows: ("text/csv", csv(rows)),
    "xlsx": lambda rows: ("application/vnd.ms-excel", xlsx({"Deelnemers": rows})),
    "docx": lambda rows: ("application/msword", docx(["Deelnemers"], body=table(rows))),
    "pdf": lambda rows: ("application/pdf", pdf(["\n".join("   ".join(row) for row in rows)])),
    "zip": lambda rows: ("application/zip", zipped({"lijst.xlsx": xlsx({"Deelnemers": rows})})),
}


def course_mail(shape: str, rows: list[list[str]], to: list[str]) -> EmailMessage:
    if shape == "html":
        return mail(PAREL, to, html=html(rows), **COURSE)
    if shape == "text":
        return mail(PAREL, to, text="\n".join("  ".join(row) for row in rows) + "\n", **COURSE)
    message = mail(PAREL, to, **COURSE)
    kind, content = SHAPES[shape](rows)
    main, _, sub = kind.partition("/")
    message.add_attachment(content, maintype=main, subtype=sub, filename=f"deelnemers.{shape}")
    return message


@pytest.mark.parametrize("shape", ["text", "html", *SHAPES])
def test_s11_names_go_out_and_a_column_of_numbers_is_held_in_every_shape(shared: Stage, shape: str) -> None:
    people = group(shared, 2)
    reason = held(shared, send(shared, CRM, course_mail(shape, PHONES, people), people))
    assert reason.startswith("content_check: name-list: 3 phone in part 1"), reason
    assert not any(number in reason for number in SECRETS)
    nothing_arrived(shared, *people)
    assert send(shared, CRM, course_mail(shape, NAMES, people), people).code == 250
    assert {m.recipient for m in arrived(shared, people)} == set(people)


def test_s11_a_list_that_nobody_can_look_into_is_held_too(shared: Stage) -> None:
    people = group(shared, 2)
    for name, content in (
        ("lijst.xlsx", xlsx({"A": PHONES})[:300]),
        ("lijst.zip.gpg", b"\x85\x01" + bytes(range(256))),
    ):
        message = mail(PAREL, people, **COURSE)
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
        assert held(shared, send(shared, CRM, message, people)).startswith("content_check: cannot-inspect: part 1.2: ")
    nothing_arrived(shared, *people)


def test_s11_a_teacher_hears_it_at_once_and_what_is_said_names_nobody(shared: Stage) -> None:
    people = group(shared, 2)
    before = counted(shared, "S-11")
    message = mail(TEACHER, people, html=html(PHONES))
    told = send(shared, OFFICE, message, people)
    refused(told, "3 phone in part 1.2, table row 2, column B")
    assert not any(number in told.reply for number in SECRETS)
    counts_more(shared, "S-11", before)
    assert metric(shared, "briefgeheim_content_found_total", organisation="kleine-parel", kind="phone") >= 3


def test_s40_an_operator_who_looked_lets_a_list_go(shared: Stage) -> None:
    (who,) = group(shared, 1)
    sent = send(shared, CRM, course_mail("xlsx", PHONES, [who]), [who])
    held(shared, sent)
    shared.command("queue", "release", sent.id, *OFFICER)
    (copy,) = arrived(shared, [who])
    assert b"deelnemers.xlsx" in copy.content
    traced(shared, who, "released", "name-list", "officer")


def test_i1_r030_a_forward_that_shows_twelve_of_twenty_five_is_held(shared: Stage) -> None:
    people = group(shared, 25)
    text = "Zie hieronder.\n\nVan: Wil\nAan: " + ", ".join(people[:12]) + "\nOnderwerp: les\n\nTot dan.\n"
    assert "12 recipients" in held(shared, send(shared, CRM, mail(PAREL, people, text=text, **COURSE), people))
    nothing_arrived(shared, *people)


def test_i1_a_participant_in_a_spreadsheet_is_found_like_one_in_the_text(shared: Stage) -> None:
    people = group(shared, 2)
    message = mail(PAREL, people[:1], **COURSE)
    content = xlsx({"Blad": [["Vraag het", people[1]]]})
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename="info.xlsx")
    reason = held(shared, send(shared, CRM, message, people[:1]))
    assert reason.startswith("leak_check: known-people: 1 known people in part 1.2"), reason
    assert people[1] not in reason


def fifty(to: str, number: int = 50) -> EmailMessage:
    message = mail(REZULTO, [to])
    rows = [["Naam", "E-mail"], *([f"Lezer {n}", f"lezer{n}@elders.example"] for n in range(number))]
    message.add_attachment(
        xlsx({"Lezers": rows}), maintype="application", subtype="octet-stream", filename="lezers.xlsx"
    )
    return message


def given(stage: Stage, message: EmailMessage, to: str) -> Sent:
    return send(stage, "rezulto-office", message, [to])


def test_s53_fifty_addresses_go_to_a_party_under_contract_and_to_nobody_else(shared: Stage) -> None:
    stranger, party = person("iemand", "elders.example"), person("orders", "verzendhuis.example")
    before = counted(shared, "S-53", "rezulto")
    waiting = given(shared, fifty(stranger), stranger)
    assert held(shared, waiting).startswith("content_check: data-of-many: 50 email in part 1.2, sheet 1, row 2")
    assert given(shared, fifty(party), party).code == 250
    arrived(shared, [party])
    nothing_arrived(shared, stranger)
    look = shared.command("trace", "--to", party, *OFFICER, "--organisation", "rezulto", "--json")
    assert "given-to-party" in look, "logged"
    assert "lezer7" not in look
    wait(lambda: counted(shared, "S-53", "rezulto") >= before + 2, "the hold and the note to count")
    assert given(shared, fifty(stranger, 49), stranger).code == 250
    arrived(shared, [stranger])


def test_s53_a_list_in_the_text_counts_and_one_customer_does_not(shared: Stage) -> None:
    stranger, customer = person("iemand", "elders.example"), person("klant")
    text = "\n".join(f"lezer{n}@elders.example" for n in range(50))
    assert "data-of-many" in held(shared, given(shared, mail(REZULTO, [stranger], text=text), stranger))
    own = f"Anna de Vries, {customer}\nSarphatipark 1, 1073 CP Amsterdam\n06-12345678\nVragen? 085 9024886\n"
    assert given(shared, mail(REZULTO, [customer], text=own), customer).code == 250
    arrived(shared, [customer])
    nothing_arrived(shared, stranger)


def test_s53_a_citizen_service_number_stays_here(shared: Stage) -> None:
    who = person("klant")
    refused(given(shared, mail(REZULTO, [who], text="Uw BSN: 111222333\n"), who), "1 bsn in part 1, line 1")
    nothing_arrived(shared, who)
