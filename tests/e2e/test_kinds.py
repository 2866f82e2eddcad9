"""Automated mail says exactly one kind, on the one basis that goes with it, or does not leave (S-17, S-41)."""

from __future__ import annotations

import pytest

from gateway.demo.stage import Stage
from tests.e2e.post import PAREL, REZULTO, Sent, arrived, consent, mail, person, send

KINDS = {
    "newsletter": {"list": "nieuwsbrief"},
    "notification": {"topic": "cursussen", "ready": "yes"},
    "participation": {"reference": "cursus-17"},
}


def participant(stage: Stage) -> str:
    """Somebody to whom every kind may be sent."""
    who = person("deelnemer")
    evidence = {k: v for k, v in consent(who, "").items() if k not in ("address", "kind", "scope")}
    stage.people(
        "kleine-parel",
        [
            consent(who, "list:nieuwsbrief"),
            {"address": who, "kind": "enrolment", "reference": "cursus-17"},
            {"address": who, "kind": "request", "topic": "cursussen", **evidence},
        ],
    )
    return who


def refused(sent: Sent) -> bool:
    return (sent.code, sent.reply[:5]) == (550, "5.7.1")


def test_s17_each_of_the_three_kinds_is_taken_when_it_is_the_only_one(shared: Stage) -> None:
    who = participant(shared)
    for kind, marks in KINDS.items():
        assert send(shared, "kleine-parel-crm", mail(PAREL, [who], stream=kind, **marks), [who]).code == 250
    assert len(arrived(shared, [who], len(KINDS))) == len(KINDS)


def test_s17_mail_without_a_kind_is_refused_and_told_why(shared: Stage) -> None:
    who = participant(shared)
    sent = send(shared, "kleine-parel-crm", mail(PAREL, [who], list="nieuwsbrief", reference="cursus-17"), [who])
    assert refused(sent)
    assert "stream_missing" in sent.reply


@pytest.mark.parametrize("second", ["participation", "newsletter"])
def test_s17_mail_that_says_a_kind_twice_is_refused(shared: Stage, second: str) -> None:
    who = participant(shared)
    message = mail(PAREL, [who], stream="newsletter", list="nieuwsbrief", reference="cursus-17")
    message["Briefgeheim-Stream"] = second
    sent = send(shared, "kleine-parel-crm", message, [who])
    assert refused(sent)
    assert "twice" in sent.reply


@pytest.mark.parametrize("kind", ["newsletter, participation", "nieuwsbrief", "webshop", "personal", ""])
def test_s17_a_kind_that_the_database_does_not_send_is_refused(shared: Stage, kind: str) -> None:
    who = participant(shared)
    assert refused(send(shared, "kleine-parel-crm", mail(PAREL, [who], stream=kind, list="nieuwsbrief"), [who]))


@pytest.mark.parametrize(
    ("client", "sender", "marks"),
    [
        ("rezulto-crm", REZULTO, {"stream": "newsletter", "list": "lestips"}),
        ("rezulto-crm", REZULTO, {"stream": "newsletter", "list": "lestips", "basis": "contract"}),
        ("rezulto-crm", REZULTO, {"stream": "newsletter", "list": "lestips", "basis": "legitimate_interest"}),
        ("rezulto-crm", REZULTO, {"stream": "newsletter", "list": "lestips", "basis": "soft_opt_in"}),
        ("rezulto-crm", REZULTO, {"stream": "newsletter", "list": "lestips", "basis": "consent, contract"}),
        ("rezulto-crm", REZULTO, {"stream": "informational", "reference": "o-1"}),
        ("rezulto-crm", REZULTO, {"stream": "informational", "reference": "o-1", "basis": "consent"}),
        ("rezulto-crm", REZULTO, {"stream": "research", "basis": "contract"}),
        ("kleine-parel-crm", PAREL, {"stream": "newsletter", "list": "nieuwsbrief", "basis": "contract"}),
        ("kleine-parel-crm", PAREL, {"stream": "participation", "reference": "cursus-17", "basis": "consent"}),
    ],
)
def test_s41_a_missing_basis_or_a_wrong_pair_is_refused(
    shared: Stage, client: str, sender: str, marks: dict[str, str]
) -> None:
    who = participant(shared)
    shared.people("rezulto", [consent(who, "list:lestips"), consent(who, "purpose:research")])
    sent = send(shared, client, mail(sender, [who], **marks), [who])
    assert refused(sent)
    assert "Basis" in sent.reply


@pytest.mark.parametrize(
    "marks",
    [
        {"stream": "newsletter", "list": "lestips", "basis": "consent"},
        {"stream": "informational", "reference": "o-1", "basis": "contract"},
        {"stream": "research", "basis": "consent"},
    ],
)
def test_s41_the_right_pair_is_taken_and_the_mark_stays_here(shared: Stage, marks: dict[str, str]) -> None:
    who = person()
    shared.people("rezulto", [consent(who, "list:lestips"), consent(who, "purpose:research")])
    assert send(shared, "rezulto-crm", mail(REZULTO, [who], **marks), [who]).code == 250
    (copy,) = arrived(shared, [who])
    assert b"briefgeheim-" not in copy.content.lower().partition(b"\r\n\r\n")[0]
