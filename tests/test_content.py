"""What is looked into, by whom, and that ordinary mail of every kind goes out: real files through a real pipeline."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from gateway import plan
from gateway.config.organisation import Organisation
from gateway.config.sensitive import Sensitive
from gateway.content import InProcess, InspectorUnavailable, inside, look
from gateway.facts import Scope, ScopeKind
from gateway.inspection import NOTHING, Inspection, Item
from gateway.observe import metrics
from gateway.registry.protocol import EventKind
from gateway.spool.protocol import State
from gateway.tenant import Tenant
from tests.house import SETTINGS, House, envelope, organisation, rules

ANNA, BERT, CARL = "anna@people.example", "bert@people.example", "carl@people.example"
PARTY = "orders@party.example"
NEWS = Scope(ScopeKind.LIST, 7)
TABLE = [["Naam", "E-mail", "Telefoon"]] + [
    [f"Persoon {n}", f"p{n}@elsewhere.example", f"06-123456{n:02}"] for n in range(60)
]


def settings(**changes: Any) -> Organisation:
    """A school with a course system, a shop and an office; lists are judged in course mail and of the office."""
    streams = dict(SETTINGS["streams"])
    streams["participation"] = {"basis": ["contract"], "blocked_by": ["everything"]}
    streams["webshop"] = {"basis": ["contract"], "blocked_by": ["everything"]}
    limits = {"name_list": {"streams": ["participation", "personal"]}, "own": ["070-1234567"]} | changes
    clients = [*SETTINGS["clients"], {"name": "shop", "secret": "shop"}, {"name": "course", "secret": "course"}]
    party = {
        "name": "party", "title": "Party", "addresses": [PARTY], "domains": ["party.example"],
        "contract": "2026-01-01", "rights_clause": True,
    }  # fmt: skip
    classify = [
        {"name": "shop", "when": {"client": "shop"}, "stream": "webshop"},
        {"name": "course", "when": {"client": "course"}, "stream": "participation"},
        *SETTINGS["classify"],
    ]
    return organisation(
        streams=streams, content=limits, clients=clients, third_parties=[party], classify=classify,
        routes=[{"provider": "desk"}],
    )  # fmt: skip


def organisation_with(sensitive: dict[str, Any]) -> Organisation:
    return settings().model_copy(update={"sensitive": Sensitive.model_validate(sensitive)})


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    opened = House.open(tmp_path, settings())
    yield opened
    await opened.close()


def mail(text: str = "Tot zaterdag!\n", *, html: str = "") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "School <info@school.example>"
    message["To"] = ANNA
    message["Subject"] = "Bericht"
    message["Date"] = "Mon, 2 Nov 2026 10:00:00 +0000"
    message["Message-ID"] = "<one@school.example>"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def csv(rows: Sequence[Sequence[str]]) -> bytes:
    return "".join(";".join(row) + "\n" for row in rows).encode()


def with_file(content: bytes, name: str = "lijst.csv", kind: str = "text/csv") -> EmailMessage:
    message = mail()
    main, _, sub = kind.partition("/")
    message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return message


def zipped(*files: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files:
            archive.writestr(name, content)
    return made.getvalue()


async def state(house: House, message: EmailMessage, *to: str, client: str = "course") -> str:
    """The reason why it is held, "" when it will leave, or the refusal."""
    reply = await house.send(message.as_bytes(policy=SMTP), *(to or (ANNA,)), client=client)
    if reply.code != 250:
        return str(reply)
    rows = [row for row in await house.rows() if row.message in reply.text]
    assert rows
    return "" if {r.state for r in rows} == {State.QUEUED} else rows[0].reason


# --- Lists of people (S-11) ---


async def test_s11_a_list_of_names_passes_in_every_shape(house: House) -> None:
    names = [["Voornaam", "Achternaam"], ["Anna", "de Vries"], ["Bert", "Bakker"]]
    rows = "".join(f"<tr><td>{a}<td>{b}</tr>" for a, b in names)
    assert await state(house, with_file(csv(names)), ANNA, BERT) == ""
    assert await state(house, mail("Anna de Vries\nBert Bakker\n", html=f"<table>{rows}</table>"), ANNA, BERT) == ""
    packed = zipped(("namen.csv", csv(names)))
    assert await state(house, with_file(packed, "namen.zip", "application/zip"), ANNA, BERT) == ""


@pytest.mark.parametrize("column", ["E-mail", "Telefoon", "Postcode", "Adres", "Geboortedatum"])
async def test_s11_a_list_with_another_column_is_held(house: House, column: str) -> None:
    values = {
        "E-mail": "anna@elsewhere.example", "Telefoon": "06-12345678", "Postcode": "1234 AB", "Adres": "Dorpsstraat 12",
        "Geboortedatum": "12-03-1985",
    }  # fmt: skip
    rows = [["Naam", column], ["Anna de Vries", values[column]], ["Bert Bakker", ""]]
    reason = await state(house, with_file(csv(rows)), ANNA, BERT)
    assert reason.startswith("content_check: name-list: 1 ")
    assert "part 1.2, row 2, column B" in reason
    assert values[column] not in reason
    table = "".join("<tr>" + "".join(f"<td>{cell}" for cell in row) for row in rows)
    assert (await state(house, mail(html=f"<table>{table}</table>"), ANNA, BERT)).startswith("content_check: name-list")


async def test_s11_a_person_is_told_at_once(house: House) -> None:
    rows = [["Naam", "Telefoon"], ["Anna", "06-12345678"]]
    told = await state(house, with_file(csv(rows)), ANNA, BERT, client="office")
    assert told.startswith("550 5.7.1")
    assert "1 phone in part 1.2, row 2, column B" in told
    assert await state(house, with_file(csv(rows)), ANNA, client="office") == "", "from one person to another"


async def test_s11_single_mails_of_one_campaign_are_no_way_around_it(house: House) -> None:
    assert "name-list" in await state(house, with_file(csv(TABLE[:4])), ANNA)


async def test_s11_what_nobody_can_look_into_is_held(house: House) -> None:
    for content, name in ((b"%PDF-1.7 broken", "a.pdf"), (b"\x00\x01\x02" * 99, "a.bin")):
        reason = await state(house, with_file(content, name, "application/octet-stream"), ANNA, BERT)
        assert reason.startswith("content_check: cannot-inspect: part 1.2"), reason
    assert await state(house, with_file(b"\x00\x01\x02" * 99, "a.bin", "application/x-y"), client="shop") == ""


async def test_a_file_is_what_it_holds_whatever_it_is_called(house: House) -> None:
    for content in (zipped(("a.csv", csv(TABLE[:3]))), csv(TABLE[:3]).decode().encode("utf-16")):
        assert "name-list" in await state(house, with_file(content, "a.txt", "text/plain"), ANNA, BERT)


async def test_i1_addresses_in_files_are_looked_up_like_those_in_the_text(house: House) -> None:
    await house.record(EventKind.CONSENT, CARL, scope=NEWS)
    for content in (f"Vraag het {CARL}.".encode(), zipped(("a.txt", CARL.encode()))):
        kind = "text/plain" if content[:2] != b"PK" else "application/zip"
        reason = await state(house, with_file(content, "a", kind), ANNA)
        assert reason.startswith("leak_check: known-people: 1 known people in part 1.2"), reason
        assert CARL not in reason
    packed = zipped(("a.txt", b"Vraag het dirk@people.example."))
    assert await state(house, with_file(packed, "a.zip", "application/zip"), ANNA) == "", "one stranger is no leak"


async def test_i1_co_recipients_in_a_file_are_a_leak(house: House) -> None:
    packed = zipped(("a.txt", BERT.encode()))
    assert "leak_check: recipients" in await state(house, with_file(packed, "a.zip", "application/zip"), ANNA, BERT)


# --- Data of many (S-53) ---


async def test_s53_a_list_of_fifty_goes_to_a_party_under_contract_only(house: House) -> None:
    listed = with_file(csv(TABLE))
    reason = await state(house, listed, ANNA, client="office")
    assert reason.startswith("content_check: data-of-many: 60 email, 60 phone in part 1.2, row 2")
    assert await state(house, listed, PARTY, client="office") == ""
    messages = {r.message for r in await house.rows()}
    rows = [row for message in messages for row in house.audited(message) if row.what == "edited"]
    (row,) = [r for r in rows if "given-to-party" in str(r.detail)]
    assert "p1@" not in str(row.detail)
    assert await state(house, listed, "wil@school.example", client="office") == "", "it stays inside"
    assert await state(house, with_file(csv(TABLE[:40])), ANNA, client="office") == ""


async def test_s53_addresses_in_the_text_itself_count_too(house: House) -> None:
    text = "\n".join(f"{row[0]} {row[1]}" for row in TABLE[1:])
    assert "data-of-many" in await state(house, mail(text), ANNA, client="office")


async def test_a_service_number_is_stopped_wherever_it_stands(house: House) -> None:
    assert (await state(house, mail("Je BSN is 111222333.\n"), ANNA, client="shop")).startswith(
        "content_check: bsn: 1 bsn"
    )
    assert (await state(house, mail("Je BSN is 111222333.\n"), ANNA, client="office")).startswith("550 5.7.1")
    assert await state(house, mail("Je bestelling is 111222333.\n"), ANNA, client="shop") == ""


# --- Ordinary mail ---

VENUE = """Beste Anna,

Zaterdag 12 december van 09.00 tot 17.00 uur. Locatie: De Hoeve, Dorpsstraat 12, 1234 AB Plaats.
Bereikbaar op 010-1234567, in geval van nood 06-12345678 (Wil). Vragen? cursus@hoeve.example of wil@school.example.

School, Street 1, 1000 AA Place, 070-1234567, info@school.example, KvK 12345678, NL91 ABNA 0417 1643 00
"""
INVOICE = """<table><tr><td>Factuur</td><td>2026-0612345</td></tr><tr><td>Klant</td><td>Anna de Vries</td></tr>
<tr><td>Adres</td><td>Siergaarde 47, 2285JD Rijswijk</td></tr><tr><td>Telefoon</td><td>06-12345678</td></tr>
<tr><td>E-mail</td><td>anna@people.example</td></tr></table><table><tr><th>Artikel<th>Aantal<th>Prijs</tr>
<tr><td>Boek 9789012345678<td>1<td>€ 12,50</tr><tr><td>Kaart<td>20<td>€ 1,00</tr></table>
<p>IBAN NL91 ABNA 0417 1643 00, BTW NL862342314B01, track 3SABCD0612345678</p>"""
REGISTRATION = (
    "<table><tr><th>Naam<th>E-mail<th>Telefoon<th>Geboortedatum<tr><td>Anna<td>{}<td>06-12345678<td>12-03-1985</table>"
)
MEETING = b"BEGIN:VCALENDAR\r\nORGANIZER:mailto:info@school.example\r\nEND:VCALENDAR\r\n"
SIGNED = """Dag,

Tot morgen.

--
Wil Visser
T: 070-1234567
M: 06-12345679
F: 070-1234568
wil@school.example
Street 1
1000 AA Place
"""


@pytest.mark.parametrize(
    ("client", "message", "to"),
    [
        ("course", mail(VENUE), [ANNA, BERT]),
        ("course", mail(html=REGISTRATION.format(ANNA)), [ANNA]),
        ("shop", mail(html=INVOICE), [ANNA]),
        ("office", mail(SIGNED), [ANNA, BERT]),
        ("office", mail("Bel Bert: 06-12345678, bert@people.example, Dorpsstraat 1, 1234 AB Plaats.\n"), [ANNA]),
        ("course", with_file(VENUE.encode(), "route.txt", "text/plain"), [ANNA, BERT]),
        ("course", with_file(b"\x89PNG\r\n\x1a\n" + bytes(99), "kaart.png", "image/png"), [ANNA, BERT]),
        ("course", with_file(MEETING, "a.ics", "text/calendar"), [ANNA, BERT]),
    ],
)  # fmt: skip
async def test_ordinary_mail_goes_out(house: House, client: str, message: EmailMessage, to: list[str]) -> None:
    assert await state(house, message, *to, client=client) == ""


async def test_the_organisations_own_data_never_counts(house: House) -> None:
    rows = [
        ["Naam", "E-mail", "Telefoon"],
        ["Wil", "wil@school.example", "070-1234567"],
        ["Kees", "kees@school.example", ""],
    ]
    assert await state(house, with_file(csv(rows)), ANNA, BERT) == ""
    packed = zipped(("team.csv", csv(rows)))
    assert await state(house, with_file(packed, "team.zip", "application/zip"), ANNA, BERT) == ""
    other = zipped(("team.csv", csv(rows).replace(b"070-1234567", b"070-1234568")))
    assert "1 phone" in await state(house, with_file(other, "team.zip", "application/zip"), ANNA, BERT)


# --- Sensitive words in attachments (S-25) ---


def careful(house: House, *words: str) -> Tenant:
    """With words that count in course mail."""
    return replace(house.tenant, organisation=organisation_with({"words": words, "streams": ["participation"]}))


async def detected(who: Tenant, message: EmailMessage, *to: str, client: str = "course") -> str:
    """Why the mail is sensitive once its attachments were looked into."""
    sent = envelope(*(to or (ANNA,)), client=client)
    reading = plan.read(who, rules(), sent, message.as_bytes(policy=SMTP), now=0.0)
    assert not reading.classification.sensitive
    found = await look(who, sent, reading, inside(who, sent, reading), InProcess())
    assert found.said is found.classification
    assert found.said.sensitive == bool(found.said.detected)
    return found.said.detected


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b"Dieetwensen van Anna", "wensen.txt", "text/plain"),
        (csv([["Naam", "Opmerking"], ["Anna", "dieet"]]), "lijst.csv", "text/csv"),
        (zipped(("a/b.txt", b"dieet"), ("c.txt", b"x")), "a.zip", "application/zip"),
        (b"niets", "dieet.txt", "text/plain"),
    ],
)
async def test_s25_a_word_in_an_attachment_makes_mail_sensitive(
    house: House, content: bytes, name: str, kind: str
) -> None:
    who, message = careful(house, "dieet*"), with_file(content, name, kind)
    assert await detected(who, message) == "a word of the settings in part 1.2"
    assert await detected(who, message, "wil@school.example") != "", "inside the organisation too"


async def test_s25_where_words_do_not_count_no_attachment_is_read_for_them(house: House) -> None:
    sheet = with_file(csv([["Naam", "Opmerking"], ["Anna", "dieet"]]))
    assert await detected(careful(house, "dieet"), sheet, client="shop") == ""
    assert await detected(careful(house, "medicatie"), sheet) == ""
    who, sent = careful(house, "dieet"), envelope(ANNA, client="shop")
    reading = plan.read(who, rules(), sent, sheet.as_bytes(policy=SMTP), now=0.0)
    assert inside(who, sent, reading).items == ()


async def test_s25_mail_inside_the_organisation_is_read_for_words_and_nothing_else(house: House) -> None:
    who, sent = careful(house, "dieet"), envelope("wil@school.example", client="course")
    locked = with_file(b"-----BEGIN PGP MESSAGE-----\n", "a.asc", "application/pgp-encrypted")
    for message in (with_file(csv(TABLE)), locked):
        reading = plan.read(who, rules(), sent, message.as_bytes(policy=SMTP), now=0.0)
        assert (await look(who, sent, reading, inside(who, sent, reading), InProcess())).inspection is NOTHING


async def test_s25_r047_encrypted_text_is_not_read_for_words(house: House) -> None:
    who, sent = careful(house, "dieet"), envelope(ANNA, BERT, client="course")
    message = EmailMessage()
    message["From"], message["Subject"] = "info@school.example", "Vertrouwelijk"
    message.set_content("-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n")
    reading = plan.read(who, rules(), sent, message.as_bytes(policy=SMTP), now=0.0)
    assert inside(who, sent, reading).items == ()


async def test_s25_a_sensitive_attachment_without_consent_is_held(tmp_path: Path) -> None:
    house = House.open(tmp_path, organisation_with({"words": ["dieet"], "streams": ["participation"]}))
    try:
        assert (await state(house, with_file(b"dieet", "a.txt", "text/plain"))).startswith("sensitive")
        assert await state(house, with_file(b"niets", "a.txt", "text/plain")) == ""
    finally:
        await house.close()


# --- The inspector ---


class Away:
    async def inspect(self, items: Sequence[Item], words: tuple[str, ...] = ()) -> Inspection:
        raise InspectorUnavailable


async def test_i3_without_an_inspector_only_mail_with_something_inside_waits(tmp_path: Path) -> None:
    house = House.open(tmp_path, settings())
    try:
        with_inspector, house.pipeline._inspector = house.pipeline._inspector, Away()
        assert (await house.send(mail().as_bytes(policy=SMTP), ANNA, client="course")).code == 250
        assert [r.state for r in await house.rows()] == [State.QUEUED]
        await house.send(with_file(csv(TABLE[:4])).as_bytes(policy=SMTP), ANNA, client="course")
        (waiting,) = [r for r in await house.rows() if r.state is State.UNDECIDED]
        assert waiting.reason == "inspector away"
        assert await house.revisit() == 0
        (waiting,) = [r for r in await house.rows() if r.state is State.UNDECIDED]
        assert waiting.due > house.now, "not tried again all the time"
        house.pipeline._inspector = with_inspector
        house.now += 60
        assert await house.revisit() == 1
        assert [r.reason[:24] for r in await house.rows() if r.state is State.HELD] == ["content_check: name-list"]
    finally:
        await house.close()


async def test_only_what_needs_it_is_asked_about(house: House) -> None:
    asked: list[Sequence[Item]] = []

    class Counting:
        async def inspect(self, items: Sequence[Item], words: tuple[str, ...] = ()) -> Inspection:
            asked.append(items)
            return Inspection()

    house.pipeline._inspector = Counting()
    await house.send(mail(VENUE).as_bytes(policy=SMTP), ANNA, client="shop")
    await house.send(with_file(csv(TABLE)).as_bytes(policy=SMTP), "wil@school.example", client="office")
    assert asked == []
    await house.send(with_file(zipped(("a", b"x"))).as_bytes(policy=SMTP), ANNA, client="shop")
    assert [[i.part for i in items] for items in asked] == [["1.2"]]


async def test_what_cannot_be_read_is_counted_by_its_reason_without_names(house: House) -> None:
    counted: Callable[[], float] = metrics.CONTENT_UNREAD.labels("school", "an unknown format")._value.get
    before = counted()
    packed = zipped(("geheim.bin", b"\x00\x01\x02" * 99), ("namen.txt", b"Anna de Vries"))
    reason = await state(house, with_file(packed, "a.zip", "application/zip"), ANNA, BERT)
    assert reason.startswith("content_check: cannot-inspect")
    assert counted() == before + 1


async def test_findings_are_counted_by_kind(house: House) -> None:
    counted: Callable[[], float] = metrics.CONTENT_FOUND.labels("school", "phone")._value.get
    before = counted()
    await state(house, with_file(csv([["Naam", "Telefoon"], ["A", "06-12345678"], ["B", "0612345678"]])), ANNA, BERT)
    assert counted() == before + 1, "different values"


async def test_i1_what_an_edit_takes_out_of_the_text_is_no_leak(house: House) -> None:
    """Addresses in text are the leak check's, which reads what leaves; those in files are the inspector's."""
    packed = zipped(("a.txt", f"Bel 06-12345678, {CARL}".encode()))
    seen: list[Inspection] = []

    class Watching(InProcess):
        async def inspect(self, items: Sequence[Item], words: tuple[str, ...] = ()) -> Inspection:
            seen.append(await super().inspect(items, words))
            return seen[-1]

    rows = [["Naam", "E-mail"], ["Anna", BERT], ["Bert", CARL]]
    message = mail(html="<table>" + "".join(f"<tr><td>{a}<td>{b}" for a, b in rows) + "</table>")
    message.add_attachment(packed, maintype="application", subtype="zip", filename="a.zip")
    raw = message.as_bytes(policy=SMTP)
    tenant, sent = house.tenant, envelope(ANNA, client="course")
    reading = plan.read(tenant, rules(), sent, raw, now=house.now)
    found = await look(tenant, sent, reading, inside(tenant, sent, reading), Watching())
    assert {a.reveal() for a in seen[-1].addresses} == {BERT, CARL}
    assert {a.reveal(): places for a, places in found.inspection.addresses.items()} == {
        CARL: ("part 1.2, file 1 (txt), line 1",)
    }
