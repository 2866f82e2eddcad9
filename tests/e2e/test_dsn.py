"""Delivery reports: asked for by one person to one person they pass; of a split they end here (R-110, R-111)."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

from gateway.demo.stage import Stage
from tests.delivery.sink import Transaction
from tests.e2e.altered import NOBODY_LIVES_HERE, Altered
from tests.e2e.post import PAREL, arrived, mail, person, send, settled

OFFICE = "kleine-parel-office"


def sender() -> str:
    """A return path of the organisation that only this test uses."""
    return person("bureau", "dekleineparel.nl")


def report(content: bytes) -> list[dict[str, str]]:
    """The fields of a delivery report: per message, then per recipient (RFC 3464 2.1)."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    (status,) = [part for part in message.walk() if part.get_content_type() == "message/delivery-status"]
    blocks = status.get_payload()
    assert isinstance(blocks, list)
    return [{name.lower(): str(value) for name, value in block.items()} for block in blocks]


def test_r110_one_to_one_the_request_passes_unchanged(altered: Altered) -> None:
    who = person()
    sent = send(
        altered.stage, OFFICE, mail(PAREL, [who]), [who],
        options=["RET=HDRS", "ENVID=Order+2B20260117aB"],
        rcpt_options=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;Iemand+2Btag@Ander.example"],
    )  # fmt: skip
    assert sent.code == 250, sent.reply
    (copy,) = altered.at_office(who)
    assert (copy.parameters["RET"], copy.parameters["ENVID"]) == ("HDRS", "Order+2B20260117aB")
    asked = copy.recipient_parameters()
    assert set(asked["NOTIFY"].split(",")) == {"SUCCESS", "FAILURE"}
    assert asked["ORCPT"] == "rfc822;Iemand+2Btag@Ander.example"
    assert copy.sender == PAREL


def test_r110_nothing_is_asked_that_the_sender_did_not_ask(altered: Altered) -> None:
    who = person()
    assert send(altered.stage, OFFICE, mail(PAREL, [who]), [who]).code == 250
    (copy,) = altered.at_office(who)
    assert not {"RET", "ENVID"} & set(copy.parameters)
    assert not {"NOTIFY"} & set(copy.recipient_parameters())


def test_r110_a_hop_that_passes_it_on_leaves_nothing_for_us_to_report(altered: Altered) -> None:
    who, path = person(), sender()
    send(altered.stage, OFFICE, mail(PAREL, [who]), [who], sender=path, rcpt_options=["NOTIFY=SUCCESS"])
    altered.at_office(who)
    settled(altered.stage)
    assert reports(altered, path) == []


def test_r110_to_a_hop_without_dsn_we_say_relayed_once(shared: Stage) -> None:
    who, path = person(), sender()
    send(
        shared, OFFICE, mail(PAREL, [who]), [who], sender=path,
        options=["ENVID=E-77"], rcpt_options=["NOTIFY=SUCCESS", f"ORCPT=rfc822;{who}"],
    )  # fmt: skip
    (notice,) = arrived(shared, [path])
    settled(shared)
    assert len(arrived(shared, [path])) == 1
    about, person_about = report(notice.content)
    assert about["original-envelope-id"] == "E-77"
    assert person_about["action"] == "relayed"
    assert person_about["final-recipient"].endswith(who)
    assert person_about["original-recipient"].replace(" ", "") == f"rfc822;{who}"
    assert notice.sender in ("", "<>")


def test_r111_success_of_a_25_way_split_is_answered_once_and_no_copy_asks(altered: Altered) -> None:
    people, path = [person("deelnemer") for _ in range(25)], sender()
    sent = send(
        altered.stage, OFFICE, mail(PAREL, people), people, sender=path,
        options=["RET=FULL", "ENVID=Split-1"],
        rcpt_options=["NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;lijst@ander.example"],
    )  # fmt: skip
    assert sent.code == 250, sent.reply
    for who in people:
        (copy,) = altered.at_office(who)
        check_copy(copy, who)
    settled(altered.stage)
    (notice,) = reports(altered, path)
    about, *each = report(notice.content)
    assert about["original-envelope-id"] == "Split-1"
    assert {row["action"] for row in each} == {"delivered"}
    assert sorted(row["final-recipient"].rpartition(";")[2].strip() for row in each) == sorted(people)
    assert notice.sender == ""


def check_copy(copy: Transaction, who: str) -> None:
    assert copy.to == (who,)
    assert not {"RET", "ENVID"} & set(copy.parameters)
    asked = copy.recipient_parameters()
    assert asked.get("NOTIFY") == "FAILURE"
    assert asked.get("ORCPT", f"rfc822;{who}") == f"rfc822;{who}"


def test_r111_never_stays_never_for_the_copies_of_a_split(altered: Altered) -> None:
    people, path = [person() for _ in range(3)], sender()
    send(altered.stage, OFFICE, mail(PAREL, people), people, sender=path, rcpt_options=["NOTIFY=NEVER"])
    for who in people:
        (copy,) = altered.at_office(who)
        assert copy.recipient_parameters()["NOTIFY"] == "NEVER"
    settled(altered.stage)
    assert reports(altered, path) == []


def test_a_failed_copy_of_a_split_is_reported_about_that_person_alone(altered: Altered) -> None:
    good, gone, path = person(), person(NOBODY_LIVES_HERE), sender()
    send(altered.stage, OFFICE, mail(PAREL, [good, gone]), [good, gone], sender=path)
    (notice,) = altered.at_office(path)
    assert good.encode() not in notice.content
    _, failed = report(notice.content)
    assert (failed["action"], failed["status"]) == ("failed", "5.1.1")
    assert failed["final-recipient"].endswith(gone)


def test_a_failure_nobody_wants_to_hear_of_is_not_reported(altered: Altered) -> None:
    gone, path = person(NOBODY_LIVES_HERE), sender()
    sent = send(altered.stage, OFFICE, mail(PAREL, [gone]), [gone], sender=path, rcpt_options=["NOTIFY=NEVER"])
    assert sent.code == 250
    settled(altered.stage)
    assert reports(altered, path) == []


def reports(altered: Altered, path: str) -> list[Transaction]:
    return [t for t in altered.office.accepted if path in t.to]
