"""Marketing mail says who sends it and from where, is signed, and travels encrypted (S-54)."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.demo.stage import Stage, StageError
from tests.e2e.altered import Altered, altered_gateway
from tests.e2e.post import PAREL, REZULTO, arrived, consent, dns, mail, person, send, texts, verifies, wait
from tests.stages import MakeStage

REZULTO_NAME, REZULTO_ADDRESS = "Rezulto B.V.", "Sarphatipark 25, 1073 CP Amsterdam, Nederland"
PAREL_NAME, PAREL_ADDRESS = "Opleidingsinstituut De Kleine Parel", "Siergaarde 47, 2285JD Rijswijk, Nederland"
NEWSLETTER = {"stream": "newsletter", "list": "lestips", "basis": "consent"}
OFFER = {"stream": "notification", "offer": "similar abonnementen", "basis": "soft_opt_in"}
DATED = {k: v for k, v in consent("", "").items() if k not in ("address", "kind", "scope")}


def reader(stage: Stage) -> str:
    who = person("lezer")
    bought = {"address": who, "kind": "purchase", "category": "abonnementen", "declined": "no", "at": "2026-09-01"}
    asked = {"address": who, "kind": "request", "topic": "materialen", **DATED}
    stage.people("rezulto", [consent(who, "list:lestips"), bought])
    stage.people("kleine-parel", [consent(who, "list:nieuwsbrief"), asked])
    return who


@pytest.mark.parametrize(
    ("client", "sender", "marks", "identity"),
    [
        ("rezulto-crm", REZULTO, NEWSLETTER, (REZULTO_NAME, REZULTO_ADDRESS)),
        ("rezulto-crm", "tips@nieuws.rezulto.nl", NEWSLETTER, (REZULTO_NAME, REZULTO_ADDRESS)),
        ("rezulto-crm", REZULTO, OFFER, (REZULTO_NAME, REZULTO_ADDRESS)),
        ("kleine-parel-crm", PAREL, {"stream": "newsletter", "list": "nieuwsbrief"}, (PAREL_NAME, PAREL_ADDRESS)),
        ("kleine-parel-crm", "info@masgutovamethode.nl", {"stream": "newsletter", "list": "nieuwsbrief"},
         (PAREL_NAME, PAREL_ADDRESS)),
        ("kleine-parel-crm", PAREL, {"stream": "notification", "topic": "materialen", "ready": "yes"},
         (PAREL_NAME, PAREL_ADDRESS)),
    ],
)  # fmt: skip
def test_s54_every_alternative_names_sender_and_postal_address_and_the_mail_is_signed(
    shared: Stage, client: str, sender: str, marks: dict[str, str], identity: tuple[str, str]
) -> None:
    who = reader(shared)
    sent = send(shared, client, mail(sender, [who], html="<p>Nieuws</p>", **marks), [who])
    assert sent.code == 250, sent.reply
    (copy,) = arrived(shared, [who])
    shown = texts(copy.content)
    assert set(shown) == {"text/plain", "text/html"}
    for text in shown.values():
        assert all(" ".join(words.split()) in " ".join(text.split()) for words in identity)
    assert verifies(copy.content, dns(shared))


def test_s54_it_travels_encrypted(altered: Altered) -> None:
    who = reader(altered.stage)
    marks = {"stream": "newsletter", "list": "nieuwsbrief"}
    assert send(altered.stage, "kleine-parel-crm", mail(PAREL, [who], **marks), [who]).code == 250
    (copy,) = altered.at_mailing(who)
    assert copy.tls
    assert copy.faults == ()


def test_s54_to_a_provider_that_offers_no_tls_it_does_not_travel_at_all(tmp_path: Path) -> None:
    with altered_gateway(tmp_path) as own:  # its route rests after this
        own.mailing.script.hide_starttls = True
        who = reader(own.stage)
        marks = {"stream": "newsletter", "list": "nieuwsbrief"}
        sent = send(own.stage, "kleine-parel-crm", mail(PAREL, [who], **marks), [who])
        assert sent.code == 250
        wait(lambda: '"attempts": 1' in _row(own.stage, sent.id), "an attempt")
        assert "queued" in _row(own.stage, sent.id)
        assert own.mailing.mails == []


def _row(stage: Stage, message: str) -> str:
    return "\n".join(line for line in stage.command("queue", "list", "--json").splitlines() if message in line)


@pytest.mark.parametrize("missing", ["name", "postal_address"])
def test_s54_settings_without_identity_or_address_are_not_loaded(make_stage: MakeStage, missing: str) -> None:
    def forget(organisation: dict) -> None:
        organisation["controller"][missing] = ""

    with pytest.raises(StageError, match=missing):
        make_stage(organisation=forget)
