"""Nobody reports to a sender that mail was read, unless the organisation says it wants that (S-04, S-47)."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path

import pytest

from gateway.demo.stage import Stage
from tests.e2e.altered import Altered
from tests.e2e.post import PAREL, arrived, mail, person, send

REQUESTS = {
    "Disposition-Notification-To": PAREL,
    "disposition-notification-options": "signed-receipt-protocol=optional,pkcs7-signature",
    "Return-Receipt-To": PAREL,
    "Read-Receipt-To": PAREL,
    "X-Confirm-Reading-To": PAREL,
    "X-PMRQC": "1",
    "Generate-Delivery-Report": "",
}
MESSAGE = (Path(__file__).parents[1] / "messages" / "receipts.eml").read_bytes()


def asking(who: str, **marks: str) -> bytes:
    message = mail(PAREL, [who], **marks)
    for name, value in REQUESTS.items():
        message[name] = value
    return message.as_bytes(policy=email.policy.SMTP)


def requests(content: bytes) -> set[str]:
    return {name.lower() for name in email.message_from_bytes(content)} & {name.lower() for name in REQUESTS}


@pytest.mark.parametrize(
    ("client", "marks"),
    [
        ("kleine-parel-office", {}),
        ("kleine-parel-webshop", {}),
        ("kleine-parel-crm", {"stream": "policy_change", "reference": "2027-01"}),
    ],
)
def test_s04_receipt_requests_do_not_leave(shared: Stage, client: str, marks: dict[str, str]) -> None:
    who = person()
    assert send(shared, client, asking(who, **marks), [who]).code == 250
    (copy,) = arrived(shared, [who])
    assert requests(copy.content) == set()


def test_s04_doubled_and_folded_requests_do_not_leave_either(shared: Stage) -> None:
    who = person()
    raw = MESSAGE.replace(b"cursus@kleineparel.example", PAREL.encode())
    assert send(shared, "kleine-parel-office", raw, [who], sender=PAREL).code == 250
    (copy,) = arrived(shared, [who])
    assert requests(copy.content) == set()
    assert b"Graag een leesbevestiging" in copy.content


def test_s04_a_stream_whose_setting_keeps_them_sends_them_on(altered: Altered) -> None:
    who = person()
    assert send(altered.stage, "kleine-parel-office", asking(who), [who]).code == 250
    (copy,) = altered.at_office(who)
    assert requests(copy.content) == {name.lower() for name in REQUESTS}
