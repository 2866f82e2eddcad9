"""Mail of our own making: to whom, from whom, by which provider, and what it never tells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from gateway.address import Address
from gateway.message.report import Action, Outcome
from gateway.outbox import OWN_CLIENT, Original, owner_of
from gateway.spool.protocol import State
from tests.house import NOW, House, organisation

SUBMITTER = Address.parse("nieuws@school.example")
ANNA = Address.parse("anna@people.example")
ORIGINAL = Original("m1", NOW - 60, "env-1", b"From: a@school.example\r\nSubject: S\r\n")
FAILED = Outcome(
    address=ANNA, action=Action.FAILED, status="5.7.1", diagnostic="550 5.7.1 no", last_attempt=int(NOW)
)  # fmt: skip


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    opened = House.open(tmp_path)
    yield opened
    await opened.close()


async def test_r014_a_report_goes_to_the_return_path_with_the_null_sender(house: House) -> None:
    await house.outbox.report("school", SUBMITTER, ORIGINAL, [FAILED])
    (row,) = await house.rows()
    assert (row.client, row.provider, row.state) == (OWN_CLIENT, "desk", State.QUEUED)
    opened = await house.spool.open(row)
    assert (opened.message["sender"], opened.row["address"]) == ("", "nieuws@school.example")
    assert opened.row["notify"] == ["NEVER"]
    report = message_from_bytes(await house.text(row), policy=policy.default)
    assert report.get_content_type() == "multipart/report"
    assert report["Auto-Submitted"] == "auto-replied"
    assert "beheer@school.example" in report["From"]
    assert b"anna@people.example" in report.as_bytes()
    assert house.woken == 1


async def test_i7_the_audit_of_a_report_names_nobody(house: House) -> None:
    await house.outbox.report("school", SUBMITTER, ORIGINAL, [FAILED])
    (row,) = await house.rows()
    (noted,) = house.audited(row.message)
    assert (noted.what, noted.detail) == ("composed", {"about": "m1", "recipients": 1, "action": "failed"})


async def test_without_a_route_for_the_postmaster_there_is_no_report_and_no_error(tmp_path: Path) -> None:
    house = House.open(tmp_path, organisation(routes=[{"provider": "bulk", "streams": ["newsletter"]}]))
    assert house.outbox.compose("school", SUBMITTER, ORIGINAL, [FAILED]) is None
    await house.outbox.report("school", SUBMITTER, ORIGINAL, [FAILED])
    assert await house.rows() == []
    await house.close()


async def test_the_digest_tells_reasons_and_numbers_to_the_owner(house: House) -> None:
    await house.outbox.digest("school", {"leak_check: shown: 3 addresses": 12, "operator: wait": 1})
    (row,) = await house.rows()
    mail = message_from_bytes(await house.text(row), policy=policy.default)
    assert mail["To"] == "beheer@school.example"
    assert mail["Date"].datetime.replace(tzinfo=UTC).timestamp() == NOW
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "13" in mail["Subject"]
    body = mail.get_content()
    assert "    12  leak_check: shown: 3 addresses" in body
    assert "     1  operator: wait" in body
    assert "queue list --state held" in body


async def test_no_held_mail_no_digest(house: House) -> None:
    await house.outbox.digest("school", {})
    assert await house.rows() == []


async def test_the_owner_is_who_the_settings_name(tmp_path: Path) -> None:
    named = organisation(hold_owner="wil@school.example")
    assert owner_of(named) == Address.parse("wil@school.example")
    house = House.open(tmp_path, named)
    await house.outbox.digest("school", {"x": 1})
    (row,) = await house.rows()
    assert (await house.spool.open(row)).row["address"] == "wil@school.example"
    assert message_from_bytes(await house.text(row))["To"] == "wil@school.example"
    await house.close()
