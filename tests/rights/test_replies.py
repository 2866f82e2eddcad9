"""Letters as they leave: the authority is named, what was done and what stays is said, nobody else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import product

import pytest

from gateway.address import Address
from gateway.cases.protocol import (
    Case,
    CaseKind,
    CaseState,
    Channel,
    Content,
    MailKind,
    MailState,
    NewOutgoing,
    Outcome,
    Paper,
)
from gateway.config.organisation import Organisation, ThirdParty
from gateway.pseudonym import Pseudonyms
from gateway.rights.protocol import Notice, NoticeKind
from gateway.rights.replies import Letters
from tests.rights.house import NOW, example

ANNA = "anna@people.example"
ALFA = ThirdParty(
    name="alfa", title="Alfa Cursussen", addresses=("avg@alfa.example", "x@alfa.example"),
    contract=date(2018, 5, 25), rights_clause=True,
)  # fmt: skip
ORGANISATIONS = [o.model_copy(update={"third_parties": (ALFA,)}) for o in example().organisations]
PAREL = ORGANISATIONS[0]
CONTENT = Content(
    address=ANNA,
    name="Anna Zonderling",
    text="Wis alles.",
    new_address="anna@elders.example",
    code="00FFAA1122",
    report=("Uw gegevens zijn weg.",),
    kept=(("factuur 7", "de belastingwet", "2033-12-31"), ("bestelling 9", "nog niet klaar", "")),
)


def case(kind: CaseKind = CaseKind.ERASURE, language: str = "nl", content: Content = CONTENT) -> Case:
    person = Pseudonyms((b"k" * 32,)).person(Address.parse(ANNA))
    return Case(
        12, 3, kind, CaseState.OPEN, Channel.EMAIL, date(2027, 1, 10), NOW, date(2027, 2, 9), False, None, None, None,
        person, NOW, NOW, 0.0, 0.0, replace(content, language=language),
    )  # fmt: skip


def letters_to_the_person(organisation: Organisation, kind: CaseKind, language: str) -> list[NewOutgoing]:
    letters, about = Letters(organisation), case(kind, language)
    replies = [letters.reply(about, outcome, "Met $dank.", NOW) for outcome in Outcome]
    return [
        letters.receipt(about, NOW),
        letters.proof(about, NOW),
        letters.extension(about, date(2027, 4, 10), "het is veel", NOW),
        letters.announcement(about, "klaar", NOW),
        *replies,
    ]


def read(mail: NewOutgoing) -> tuple[EmailMessage, str]:
    message = message_from_bytes(mail.mail, policy=policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    assert body is not None
    return message, body.get_content().replace("\r\n", "\n")


@pytest.mark.parametrize(("organisation", "kind", "language"), list(product(ORGANISATIONS, CaseKind, ("nl", "en"))))
def test_s36_every_letter_to_a_person_names_the_authority_and_leaves_nothing_open(
    organisation: Organisation, kind: CaseKind, language: str
) -> None:
    for mail in letters_to_the_person(organisation, kind, language):
        message, text = read(mail)
        assert "Autoriteit Persoonsgegevens" in text
        assert "https://autoriteitpersoonsgegevens.nl" in text
        assert organisation.controller.name in text
        assert organisation.controller.policy_url in text
        assert organisation.controller.contact in text
        assert "$" not in text.replace("Met $dank.", "")
        assert [part.get_content_type() for part in message.walk()] == ["text/plain"], "plain, nothing remote"
        assert message["To"] == mail.to == ANNA
        assert "\r\n" in mail.mail.decode()
        assert b"\n" not in mail.mail.replace(b"\r\n", b"")
        assert max(map(len, mail.mail.split(b"\r\n"))) <= 998
        assert message["Message-ID"].startswith(f"<{mail.id}@")
        assert organisation.controller.contact in message["From"]


def test_s62_the_reply_says_what_was_done_what_stays_why_and_until_when() -> None:
    _, text = read(Letters(PAREL).reply(case(), Outcome.PARTLY, "Groet.", NOW))
    assert "Wat wij deden:\n- Uw gegevens zijn weg." in text
    assert "- factuur 7: de belastingwet, tot 31 december 2033" in text
    assert "- bestelling 9: nog niet klaar, tot dat is afgerond" in text
    assert "10 januari 2027" in text
    assert "Groet." in text


def test_a_refusal_gives_the_reason_and_how_to_complain() -> None:
    about = case(content=replace(CONTENT, report=("Wij kunnen u niet vinden.",), kept=()))
    _, text = read(Letters(PAREL).reply(about, Outcome.REFUSED, "", NOW))
    assert "kunnen uw verzoek niet uitvoeren" in text
    assert "Wij kunnen u niet vinden." in text
    assert "Wat wij deden" not in text
    assert "naar de rechter" in text


@pytest.mark.parametrize(("organisation", "kind"), list(product(ORGANISATIONS, NoticeKind)))
def test_s32_s33_a_notice_says_what_finds_the_record_and_asks(organisation: Organisation, kind: NoticeKind) -> None:
    mail = Letters(organisation).notice(case(), Notice("alfa", kind, ("T7", "T9")), NOW, MailState.PREPARED)
    message, text = read(mail)
    assert (mail.to, mail.third_party, mail.state, mail.kind) == (
        "avg@alfa.example", "alfa", MailState.PREPARED, MailKind.NOTICE,
    )  # fmt: skip
    assert ANNA in text
    assert "T7, T9" in text
    assert not any(word in message.as_string() + text for word in ("Zonderling", "Wis alles", "factuur", "00FFAA"))
    assert ("anna@elders.example" in text) is (kind is NoticeKind.RECTIFICATION)
    assert not any(order in text for order in ("moet u", "dient u", "you must"))
    assert "$" not in text
    assert ANNA not in str(message["Subject"])


def test_s33_the_erasure_notice_leaves_it_to_them_to_ask_the_person() -> None:
    _, text = read(Letters(PAREL).notice(case(), Notice("alfa", NoticeKind.ERASURE), NOW, MailState.QUEUED))
    assert "U kunt deze persoon vragen" in text


def test_s34_the_digest_has_numbers_kinds_and_days_and_nobody() -> None:
    mail = Letters(PAREL).digest([case()], [case(CaseKind.TIP)], NOW)
    message, text = read(mail)
    assert mail.to == PAREL.postmaster
    assert "1 te laat, 1 bijna" in str(message["Subject"])
    assert "2027-02-09  verzoek 12: tip" in text
    assert ANNA not in text
    assert "Zonderling" not in text


def test_the_officer_and_the_sender_are_settings() -> None:
    rights = PAREL.rights.model_copy(update={"officer": "fg@dekleineparel.nl", "sender": "avg@dekleineparel.nl"})
    letters = Letters(PAREL.model_copy(update={"rights": rights}))
    mail = letters.digest([case()], [], NOW)
    assert mail.to == "fg@dekleineparel.nl"
    assert "avg@dekleineparel.nl" in read(mail)[0]["From"]


def test_papers_go_with_the_reply_octet_for_octet() -> None:
    paper = Paper("gegevens.zip", "application/zip", bytes(range(256)) * 40)
    message, _ = read(Letters(PAREL).reply(case(CaseKind.ACCESS), Outcome.GRANTED, "", NOW, [paper]))
    (attached,) = message.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == ("gegevens.zip", "application/zip")
    assert attached.get_content() == paper.content


def test_an_address_beyond_ascii_stands_in_the_header_as_it_is() -> None:
    about = case(content=replace(CONTENT, address="zoë@people.example"))
    mail = Letters(PAREL).receipt(about, NOW)
    assert "To: zoë@people.example".encode() in mail.mail


def test_a_letter_that_a_program_wrote_says_so_and_the_reply_does_not() -> None:
    letters = Letters(PAREL)
    assert read(letters.receipt(case(), NOW))[0]["Auto-Submitted"] == "auto-generated"
    assert read(letters.reply(case(), Outcome.GRANTED, "", NOW))[0]["Auto-Submitted"] is None
