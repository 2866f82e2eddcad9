"""De Kleine Parel, "Inleiding", "Toepasbaarheid", "Relaties": confidence, own names, own consent, unknown visitors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gateway.demo.stage import Stage
from tests.conformance.steps import (
    NEWSLETTER,
    OFFICE,
    OFFICER,
    ORG,
    checked,
    counted,
    counts_more,
    exported,
    from_database,
    held,
    looked_up,
    nothing_arrived,
    pressed,
    reader,
    refused,
    traced,
    visit,
)
from tests.e2e.altered import Altered
from tests.e2e.post import PAREL, arrived, consent, header, mail, opt_out_url, person, send
from tests.e2e.traces import files, found

OWN = ["dekleineparel.nl", "webshop.dekleineparel.nl", "masgutovamethode.nl", "masgutovamethod.eu",
       "quantumreflexintegration.nl"]  # fmt: skip
SHARED = ["blomberg-rmt-nederland.123website.nl", "bal-a-vis-x-nederland.123website.nl", "mijnwebwinkel.nl"]
RECEIPTS = {"Disposition-Notification-To": PAREL, "Return-Receipt-To": PAREL, "X-Confirm-Reading-To": PAREL}


def test_s01_nothing_of_a_mail_can_be_read_here_while_it_waits_and_after_it_left(shared: Stage, tmp_path: Path) -> None:
    gone, waits = (reader(shared, person("vertrouwelijkheidsproef")) for _ in range(2))
    subject, text = "Onderwerp-geheimhoudingsproef", "Zin-met-geheimhoudingsproef"
    wrong = person("vertrouwelijkheidsproef")
    said = ""
    for who, marks in ((gone, {}), (waits, {"sensitive": "yes"}), (wrong, {})):
        sent = from_database(shared, who, subject=subject, text=f"{text}\n", **NEWSLETTER, **marks)
        said += sent.reply
        said += held(shared, sent) if who == waits else ""
    (copy,) = arrived(shared, [gone])
    assert text.encode() in copy.content
    secret = [subject, text, *(a.partition("@")[0] for a in (gone, waits, wrong))]
    (tmp_path / "mail").write_bytes(copy.content)
    assert len(found(tmp_path, secret)["mail"]) >= 3, "the search finds what can be read"
    assert found(shared.state, secret) == {}
    said += shared.log.read_text("utf-8") + shared.get("observe", "/metrics")[1] + shared.command("queue", "list")
    assert [word for word in secret if word in said] == []
    traced(shared, gone, "delivered")  # who may look still learns what happened


def test_s02_all_eight_sites_may_write_and_the_shared_ones_are_not_signed_for(shared: Stage) -> None:
    signed = {}
    for domain in (*OWN, *SHARED):
        who = person("relatie")
        assert send(shared, OFFICE, mail(f"info@{domain}", [who]), [who]).code == 250
        (copy,) = arrived(shared, [who])
        signed[domain] = re.findall(r"\bd=([^;]+);", "".join(header(copy.content, "DKIM-Signature")))
    assert signed == {domain: [domain] for domain in OWN} | {domain: [] for domain in SHARED}


@pytest.mark.parametrize("domain", ["elders.example", "123website.nl", "rezulto.nl", "nep-dekleineparel.nl"])
def test_s02_no_other_name_may_write(shared: Stage, domain: str) -> None:
    who, stranger = person("relatie"), f"info@{domain}"
    refused(send(shared, OFFICE, mail(stranger, [who]), [who], sender=PAREL))
    refused(send(shared, OFFICE, mail(PAREL, [who]), [who], sender=stranger))
    nothing_arrived(shared, who)


def test_s02_settings_that_sign_for_a_shared_parent_do_not_load(
    shared: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def sign(settings: Any) -> None:
        settings["domains"].append({"domain": "123website.nl", "shared_parent": "123website.nl", "dkim": True})

    code, _ = checked(shared, tmp_path, "organisations/kleine-parel.yaml", sign)
    assert code == 2
    assert "123website.nl" in capsys.readouterr().err


def test_s03_without_evidence_nobody_is_on_the_mailing_list(shared: Stage) -> None:
    whole, bare = person("zelf"), person("lijst")
    lacking = {person("lijst"): name for name in ("channel", "wording", "proof")}
    rows = [consent(who, "list:nieuwsbrief") | {name: ""} for who, name in lacking.items()]
    rows += [consent(whole, "list:nieuwsbrief"), {"address": bare, "kind": "consent", "scope": "list:nieuwsbrief",
                                                  "at": "2026-01-02"}]  # fmt: skip
    shared.people("kleine-parel", rows)
    before = counted(shared, "S-03")
    for who in (bare, *lacking):
        refused(from_database(shared, who, **NEWSLETTER), "consent", "missing")
        assert "consents" not in looked_up(shared, who)["facts"]
    assert from_database(shared, whole, **NEWSLETTER).code == 250
    assert len(arrived(shared, [whole])) == 1
    nothing_arrived(shared, bare, *lacking)
    assert "form" in str(looked_up(shared, whole)["events"][0]), "and the evidence can be shown"
    counts_more(shared, "S-03", before, 5)


def asking(who: str) -> Any:
    message = mail(PAREL, [who], **NEWSLETTER)
    for name, value in RECEIPTS.items():
        message[name] = value
    return message


def test_s04_no_mail_asks_for_a_receipt_unless_the_stream_is_set_so(shared: Stage, altered: Altered) -> None:
    who, asked = reader(shared, person("lezer")), person("relatie")
    before = counted(shared, "S-04")
    assert send(shared, "kleine-parel-crm", asking(who), [who]).code == 250
    (copy,) = arrived(shared, [who])
    assert [name for name in RECEIPTS if header(copy.content, name)] == []
    counts_more(shared, "S-04", before, len(RECEIPTS))
    kept = mail(PAREL, [asked])
    kept["Disposition-Notification-To"] = PAREL
    assert send(altered.stage, OFFICE, kept, [asked]).code == 250
    assert header(altered.at_office(asked)[0].content, "Disposition-Notification-To") == [PAREL]


def test_s04_a_receipt_that_came_back_is_shown_to_the_person_and_goes_with_an_erasure(
    shared: Stage, tmp_path: Path
) -> None:
    who = person("lezer")
    receipt = {"address": who, "kind": "receipt", "at": "2026-01-02", "message": "4711", "receipt": "read"}
    shared.people("kleine-parel", [receipt])
    (row,) = exported(shared, who, tmp_path / "before")["receipts"]
    assert ("4711" in str(row), "read" in str(row)) == (True, True)
    shared.people("kleine-parel", [{"address": who, "kind": "erasure"}])
    assert exported(shared, who, tmp_path / "after")["receipts"] == []
    assert "receipt" not in str(looked_up(shared, who)["events"])


def test_s05_a_visitor_of_the_page_stays_anonymous(shared: Stage) -> None:
    who = reader(shared, person("bezoeker"))
    from_database(shared, who, **NEWSLETTER)
    url = opt_out_url(arrived(shared, [who])[0].content)
    agent, before = "Proefbladeraar-5150", url.rpartition("/")[2]
    asked = visit(url, User_Agent=agent, Cookie="sessie=1", X_Forwarded_For="203.0.113.51")
    done = visit(url, pressed(asked), User_Agent=agent, X_Forwarded_For="203.0.113.51")
    assert (asked.status, done.status) == (200, 200)
    for page in (asked, done):
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "set-cookie" not in page.headers
        assert "<script" not in page.text.lower()
        loaded = re.findall(r'<(?:link|img|iframe|form)[^>]*(?:href|src|action)="([^"]+)"', page.text)
        assert [u for u in loaded if "//" in u] == []
    refused(from_database(shared, who, **NEWSLETTER), "opt-out")  # without scripts the button worked
    kept = [(shared.log, shared.log.read_bytes()), *files(shared.state)]
    seen = ("127.44.55.66", "203.0.113.51", agent, before)
    assert [(word, place.name) for place, octets in kept for word in seen if word.encode() in octets] == []


def test_s03_a_list_that_somebody_vouches_for_counts_under_that_name(shared: Stage, tmp_path: Path) -> None:
    who = person("oud")
    (tmp_path / "list.csv").write_text(f"address\n{who}\n", "utf-8")
    said = ("--form", "website", "--period", "2018-05-25..2023-12-31", "--wording", "v1", "--scope", "list:nieuwsbrief")
    shared.command("registry", "attest", str(tmp_path / "list.csv"), *said, *OFFICER, *ORG)
    assert from_database(shared, who, **NEWSLETTER).code == 250
    assert len(arrived(shared, [who])) == 1
    assert "attested" in looked_up(shared, who)["facts"]["consents"][0]
