"""A block holds (I-2, I-10): for new mail, for mail that waits, and only as far as its scope says."""

from __future__ import annotations

import pytest

from gateway.demo.stage import Stage
from tests.e2e.post import (
    PAREL,
    REZULTO,
    arrived,
    consent,
    header,
    mail,
    one_click,
    opt_out_url,
    person,
    send,
    settled,
    texts,
    wait,
)
from tests.stages import MakeStage


def newsletter(who: str, name: str = "onderwijsnieuws"):
    return mail(REZULTO, [who], stream="newsletter", list=name, basis="consent")


def test_s18_s45_a_newsletter_needs_consent_to_that_list(shared: Stage) -> None:
    who = person()
    shared.people("rezulto", [consent(who, "list:lestips")])
    refused = send(shared, "rezulto-crm", newsletter(who), [who])
    assert (refused.code, refused.reply[:5]) == (550, "5.7.1")
    assert "consent" in refused.reply
    assert send(shared, "rezulto-crm", newsletter(who, "lestips"), [who]).code == 250
    assert len(arrived(shared, [who])) == 1


def test_s60_the_link_of_one_list_stops_that_list_and_no_other(shared: Stage) -> None:
    who = person()
    shared.people("rezulto", [consent(who, "list:lestips"), consent(who, "list:onderwijsnieuws")])
    send(shared, "rezulto-crm", newsletter(who), [who])
    (first,) = arrived(shared, [who])
    assert one_click(opt_out_url(first.content)) == 200
    assert send(shared, "rezulto-crm", newsletter(who), [who]).code == 550
    assert send(shared, "rezulto-crm", newsletter(who, "lestips"), [who]).code == 250
    settled(shared)
    assert len(arrived(shared, [who], 2)) == 2


def test_s22_s23_one_opt_out_stops_everything_from_the_database_and_nothing_else(shared: Stage) -> None:
    who = person()
    shared.people(
        "kleine-parel",
        [
            consent(who, "list:nieuwsbrief"),
            {"address": who, "kind": "enrolment", "reference": "cursus-3"},
            {"address": who, "kind": "request", "topic": "cursussen", **{k: v for k, v in consent(who, "").items()
                                                                         if k not in ("address", "kind", "scope")}},
        ],
    )  # fmt: skip
    kinds = {
        "newsletter": {"stream": "newsletter", "list": "nieuwsbrief"},
        "notification": {"stream": "notification", "topic": "cursussen", "ready": "yes"},
        "participation": {"stream": "participation", "reference": "cursus-3"},
    }
    for marks in kinds.values():
        sent = send(shared, "kleine-parel-crm", mail(PAREL, [who], **marks), [who])
        assert sent.code == 250, sent.reply
    first = arrived(shared, [who], 3)[0]
    assert one_click(opt_out_url(first.content)) == 200
    for marks in kinds.values():
        refused = send(shared, "kleine-parel-crm", mail(PAREL, [who], **marks), [who])
        assert refused.code == 550
        assert "opt-out" in refused.reply
    invoice = mail("winkel@webshop.dekleineparel.nl", [who], reference="order-1")
    assert send(shared, "kleine-parel-webshop", invoice, [who]).code == 250
    personal = mail("wil@dekleineparel.nl", [who])
    assert send(shared, "kleine-parel-office", personal, [who]).code == 250
    settled(shared)
    assert len(arrived(shared, [who], 5)) == 5


def test_i2_an_opt_out_stops_mail_that_was_already_waiting(make_stage: MakeStage) -> None:
    stage = make_stage()
    stage.start()
    who, reader = person(), person()
    stage.people("rezulto", [consent(a, "list:onderwijsnieuws") for a in (who, reader)])
    send(stage, "rezulto-crm", newsletter(who), [who])
    (first,) = arrived(stage, [who])
    # The provider goes away: what is accepted now waits in the spool.
    stage.recorder.pause("rezulto/bulk")
    waiting = send(stage, "rezulto-crm", mail(REZULTO, [who, reader], stream="newsletter", list="onderwijsnieuws",
                                              basis="consent"), [who, reader])  # fmt: skip
    assert waiting.code == 250
    wait(lambda: stage.command("queue", "list", "--json").count(waiting.id) == 2, "two waiting rows")
    assert one_click(opt_out_url(first.content)) == 200
    stage.recorder.resume("rezulto/bulk")
    stage.command("queue", "retry", waiting.id, "--operator", "test", "--reason", "provider is back")
    assert len(arrived(stage, [reader])) == 1
    settled(stage)
    assert len(arrived(stage, [who])) == 1
    # Never silent: the sender hears who did not get it (tension 1c-1).
    (report,) = arrived(stage, [REZULTO])
    assert who.encode() in report.content
    assert reader.encode() not in report.content


def test_s61_s51_informational_mail_cannot_be_stopped_but_says_how_to_stop_the_rest(shared: Stage) -> None:
    who = person()
    shared.people("rezulto", [{"address": who, "kind": "objection", "scope": "marketing"}])
    order = {"stream": "informational", "reference": "order-7", "basis": "contract"}
    assert send(shared, "rezulto-crm", mail(REZULTO, [who], **order), [who]).code == 250
    (copy,) = arrived(shared, [who])
    assert header(copy.content, "List-Unsubscribe-Post") == header(copy.content, "List-Unsubscribe") == []
    assert "Nieuwsbrieven en aanbiedingen stopt u" in texts(copy.content)["text/plain"]
    offer = send(shared, "rezulto-crm", mail(REZULTO, [who], offer="similar", **order), [who])
    assert (offer.code, offer.reply[:5]) == (550, "5.7.1")


@pytest.mark.parametrize("kind", ["erasure", "restriction"])
def test_an_erased_or_restricted_person_gets_nothing_from_any_client(shared: Stage, kind: str) -> None:
    who = person()
    shared.people("rezulto", [{"address": who, "kind": kind}])
    for client, message in {
        "rezulto-webshop": mail(REZULTO, [who], reference="order-9"),
        "rezulto-crm": mail(REZULTO, [who], stream="informational", reference="o", basis="contract"),
        "rezulto-office": mail("jan@rezulto.nl", [who]),
    }.items():
        refused = send(shared, client, message, [who])
        assert (refused.code, refused.reply[:5]) == (550, "5.7.1")


def test_a_refused_recipient_among_others_is_named_in_one_report(shared: Stage) -> None:
    sender = "nieuws@rezulto.nl"
    good, gone = person(), person()
    shared.people(
        "rezulto",
        [consent(good, "list:lestips"), consent(gone, "list:lestips"),
         {"address": gone, "kind": "opt-out", "scope": "list:lestips"}],
    )  # fmt: skip
    before = len([m for m in shared.recorder.mails if m.recipient == sender])
    both = mail(sender, [good, gone], stream="newsletter", list="lestips", basis="consent")
    assert send(shared, "rezulto-crm", both, [good, gone]).code == 250
    assert len(arrived(shared, [good])) == 1
    report = arrived(shared, [sender], before + 1)[-1]
    assert gone.encode() in report.content
    assert good.encode() not in report.content
    assert report.sender in ("", "<>")
    assert header(report.content, "Auto-Submitted") == ["auto-replied"]


def test_the_database_hears_at_rcpt_who_is_blocked_on_everything_it_sends(shared: Stage) -> None:
    who = person()
    shared.people("kleine-parel", [{"address": who, "kind": "opt-out", "scope": "source:perfectview"}])
    refused = send(shared, "kleine-parel-crm", mail(PAREL, [who], stream="newsletter", list="nieuwsbrief"), [who])
    assert who in refused.refused
    assert refused.refused[who][1].startswith("5.7.1")
