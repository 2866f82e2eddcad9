"""Publication, sharing, telling once and observe mode, through the running gateway."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from email.message import EmailMessage
from typing import Any

from gateway.demo.stage import Stage
from tests.e2e.post import PAREL, REZULTO, Sent, arrived, consent, mail, opt_out_url, person, send, settled, wait

CRM, SHOP = "kleine-parel-crm", "kleine-parel-webshop"
SHOP_MAIL = "winkel@webshop.dekleineparel.nl"
OPERATOR = ("--operator", "test", "--reason", "looked at it")


def newsletter(who: str, **marks: str) -> EmailMessage:
    return mail(PAREL, [who], stream="newsletter", list="nieuwsbrief", **marks)


def reader(stage: Stage) -> str:
    who = person("lezer")
    stage.people("kleine-parel", [consent(who, "list:nieuwsbrief")])
    return who


def row(stage: Stage, sent: Sent) -> dict[str, Any]:
    lines = stage.command("queue", "list", "--json").splitlines()
    found: list[dict[str, Any]] = [json.loads(line) for line in lines if sent.id in line]
    assert len(found) == 1, lines
    return found[0]


def test_s09_a_photo_without_consent_waits_for_an_operator_whose_release_sends_it(shared: Stage) -> None:
    who = reader(shared)
    sent = send(shared, CRM, newsletter(who, publication="yes"), [who])
    assert sent.code == 250
    settled(shared)
    waiting = row(shared, sent)
    assert (waiting["state"], waiting["reason"]) == ("held", "publication: id of the publication consent missing")
    assert [m for m in shared.recorder.mails if m.recipient == who] == []
    shared.command("queue", "release", sent.id, *OPERATOR)
    (copy,) = arrived(shared, [who])
    assert b"Briefgeheim-" not in copy.content


def test_s37_a_policy_change_reaches_each_person_once(shared: Stage) -> None:
    first, second, version = person("beleid"), person("beleid"), f"v{person()[:8]}"
    change = mail(PAREL, [first], stream="policy_change", reference=version)
    assert send(shared, CRM, change, [first]).code == 250
    arrived(shared, [first])
    again = send(shared, CRM, mail(PAREL, [first, second], stream="policy_change", reference=version), [first, second])
    assert again.code == 250, "one of the two had not been told"
    arrived(shared, [second])
    settled(shared)
    assert len([m for m in shared.recorder.mails if m.recipient == first]) == 1
    refused = send(shared, CRM, change, [first])
    assert (refused.code, refused.reply) == (550, f"5.7.1 Refused by policy: already told of version {version}")


def test_s13_an_order_goes_to_its_own_aanbieder_and_not_to_another(shared: Stage) -> None:
    buyer, contact, order = person("koper"), f"C-{person()[:9]}", f"O-{person()[:9]}"
    enrolled = {"address": buyer, "kind": "enrolment", "reference": order, "third_party": "aanbieder-bewegen"}
    shared.people("kleine-parel", [enrolled])
    confirmation = mail(SHOP_MAIL, [buyer], reference=order, contact=contact)
    assert send(shared, SHOP, confirmation, [buyer]).code == 250
    arrived(shared, [buyer])

    def ask(name: str, address: str) -> Sent:
        told = {"reference": order, "about": contact, "shared_with": name}
        text = f"Deelnemer: {buyer}\n"
        return send(shared, SHOP, mail(SHOP_MAIL, [address], text=text, **told), [address])

    teacher = person("cursus", "bewegen.example")
    wait(lambda: _accepted(shared, ask("aanbieder-bewegen", teacher)), "the contact to be known")
    (copy, *_) = arrived(shared, [teacher])
    assert buyer.encode() in copy.content
    other = ask("aanbieder-boeken", "bestellingen@boeken.example")
    assert row(shared, other)["reason"] == "share: the mail's reference is no order at third party aanbieder-boeken"
    stranger = ask("aanbieder-bewegen", person("vreemd"))
    assert row(shared, stranger)["reason"].startswith("share: 1 of the recipients")


def _accepted(stage: Stage, sent: Sent) -> bool:
    """Whether it was queued; what came before the contact was known is held, and dropped here."""
    if sent.id not in stage.command("queue", "list", "--state", "held", "--json"):
        return True
    stage.command("queue", "drop", sent.id, *OPERATOR)
    return False


def test_observe_mode_reports_what_is_missing_and_still_obeys_an_opt_out(make_stage: Callable[..., Stage]) -> None:
    until = (date.today() + timedelta(days=30)).isoformat()

    def change(organisation: dict[str, Any]) -> None:
        for client in organisation["clients"]:
            if client["name"] == CRM:
                client["observe"] = [{"stream": "newsletter", "until": until}]

    stage = make_stage(organisation=change)
    stage.start()
    who, stopped = person("nieuw"), person("gestopt")
    stage.people("kleine-parel", [{"address": stopped, "kind": "opt-out", "scope": "source:perfectview"}])
    sent = send(stage, CRM, mail(PAREL, [who, stopped]), [who, stopped])
    assert sent.code == 250
    assert set(sent.refused) == {stopped}
    (copy,) = arrived(stage, [who])
    assert opt_out_url(copy.content).startswith("http")
    settled(stage)
    assert [m for m in stage.recorder.mails if m.recipient == stopped] == []
    told = stage.command("trace", "--to", who, "--operator", "test", "--reason", "test")
    assert "observed: would be refused: stream_missing" in told
    assert "observed: would be refused: " in told.replace("stream_missing", "")
    assert send(stage, "rezulto-crm", mail(REZULTO, [who]), [who]).code == 550, "another client is as strict as ever"
    _, numbers = stage.get("observe", "/metrics")
    labels = 'client="kleine-parel-crm",organisation="kleine-parel",rule="list-consent",stream="newsletter"'
    assert f"briefgeheim_observed_total{{{labels}}} 1.0" in numbers
