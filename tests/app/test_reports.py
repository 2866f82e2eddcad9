"""Who hears what: fates known at intake, and outcomes of delivery."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.address import Address
from gateway.app.reports import from_bounce
from gateway.envelope import Envelope, Notify, Recipient
from gateway.message.report import Action
from gateway.pipeline import Bounce
from gateway.plan import Arrival
from gateway.reply import BLOCKED, RECIPIENT_OK
from tests.house import PEER, organisation

SENDER, ANNA, BERT = (Address.parse(f"{name}@people.example") for name in ("sender", "anna", "bert"))


class _Tenant:
    organisation = organisation()


def bounce(action: str, *recipients: Recipient, sender: Address | None = SENDER) -> Bounce:
    envelope = Envelope(client="crm", sender=sender, recipients=recipients, peer=PEER, envid="Q1")
    reply = BLOCKED if action == "failed" else RECIPIENT_OK
    tenant: Any = _Tenant()
    about = tuple((i, reply) for i in range(len(recipients)))
    return Bounce(tenant, envelope, Arrival("m1", 7, 1000.0), None, action, about)


def told(made: Bounce) -> list[Address]:
    found = from_bounce(made, 2000.0)
    return [] if found is None else [outcome.address for outcome in found[3]]


@pytest.mark.parametrize(
    ("notify", "hears"),
    [((), "failed"), ((Notify.FAILURE,), "failed"), ((Notify.SUCCESS,), "delivered"), ((Notify.NEVER,), "")],
)
def test_r111_each_recipient_is_told_of_as_notify_says(notify: tuple[Notify, ...], hears: str) -> None:
    anna = Recipient(ANNA, notify=frozenset(notify))
    assert told(bounce("failed", anna)) == ([ANNA] if hears == "failed" else [])
    assert told(bounce("delivered", anna)) == ([ANNA] if hears == "delivered" else [])


def test_those_who_asked_for_silence_are_left_out_of_the_report_about_the_others() -> None:
    assert told(bounce("failed", Recipient(ANNA), Recipient(BERT, notify=frozenset({Notify.NEVER})))) == [ANNA]


def test_the_null_sender_never_gets_a_report() -> None:
    assert from_bounce(bounce("failed", Recipient(ANNA), sender=None), 2000.0) is None


def test_a_refusal_is_reported_with_our_own_reply_and_the_senders_marks() -> None:
    found = from_bounce(bounce("failed", replace(Recipient(ANNA), orcpt="rfc822;anna@people.example")), 2000.0)
    assert found is not None
    owner, to, original, (outcome,) = found
    assert (owner, to, original.id, original.envid) == ("school", SENDER, "m1", "Q1")
    assert (outcome.action, outcome.status, outcome.diagnostic) == (Action.FAILED, BLOCKED.enhanced, str(BLOCKED))
    assert outcome.orcpt == "rfc822;anna@people.example"
    assert original.returned == b"", "what could not be read is not returned"
