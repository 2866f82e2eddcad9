"""Only the organisation's own names write, and only names it can publish keys for are signed (S-02)."""

from __future__ import annotations

import pytest

from gateway.demo.stage import Stage, StageError
from tests.e2e.post import PAREL, arrived, dns, header, mail, person, send, verifies
from tests.stages import MakeStage

OFFICE = "kleine-parel-office"


@pytest.mark.parametrize(
    "sender",
    [
        "info@elders.example",
        "info@rezulto.nl",  # the other organisation's (I-12)
        "info@sub.dekleineparel.nl",
        "info@dekleineparel.nl.elders.example",
        "info@123website.nl",  # the shared parent itself
        "info@iemand-anders.123website.nl",
    ],
)
def test_s02_a_from_or_return_path_of_another_domain_is_refused(shared: Stage, sender: str) -> None:
    who = person()
    by_from = send(shared, OFFICE, mail(sender, [who]), [who], sender=PAREL)
    by_path = send(shared, OFFICE, mail(PAREL, [who]), [who], sender=sender)
    for sent in (by_from, by_path):
        assert (sent.code, sent.reply[:5]) == (550, "5.7.1")
        assert sender not in sent.reply


def test_s02_a_second_from_does_not_smuggle_a_stranger_in(shared: Stage) -> None:
    who = person()
    two = mail(PAREL, [who]).as_bytes().replace(b"\n", b"\r\n")
    doubled = two.replace(b"Subject:", b"From: info@elders.example\r\nSubject:")
    listed = two.replace(b"From: ", b"From: info@elders.example, ", 1)
    for raw in (doubled, listed):
        assert send(shared, OFFICE, raw, [who], sender=PAREL).code == 550


@pytest.mark.parametrize(
    "sender",
    [
        "info@blomberg-rmt-nederland.123website.nl",
        "info@bal-a-vis-x-nederland.123website.nl",
        "winkel@mijnwebwinkel.nl",
    ],
)
def test_s02_names_below_a_shared_parent_may_write_but_are_never_signed(shared: Stage, sender: str) -> None:
    who = person()
    assert send(shared, OFFICE, mail(sender, [who]), [who]).code == 250
    (copy,) = arrived(shared, [who])
    assert header(copy.content, "DKIM-Signature") == []


@pytest.mark.parametrize("domain", ["dekleineparel.nl", "masgutovamethode.nl", "MASGUTOVAMETHOD.eu"])
def test_s02_own_domains_are_signed_for_themselves(shared: Stage, domain: str) -> None:
    who = person()
    assert send(shared, OFFICE, mail(f"info@{domain}", [who]), [who]).code == 250
    (copy,) = arrived(shared, [who])
    (signature,) = header(copy.content, "DKIM-Signature")
    assert f"d={domain.lower()};" in signature
    assert verifies(copy.content, dns(shared))


def test_s02_settings_that_sign_for_a_shared_parent_are_not_loaded(make_stage: MakeStage) -> None:
    stage = make_stage()
    file = stage.folder / "config" / "organisations" / "kleine-parel.yaml"
    text = file.read_text("utf-8")
    assert "shared_parent: 123website.nl" in text
    file.write_text(text.replace("shared_parent: 123website.nl", "dkim: yes, selector: bg1", 1), "utf-8")
    with pytest.raises(StageError, match=r"exit 2\n.*kleine-parel.yaml:\d+: .*123website"):
        stage.command("check-config")
