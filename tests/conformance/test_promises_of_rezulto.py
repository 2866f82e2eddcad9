"""Rezulto: how long data is kept, who else gets it, and the rights of the people it is about."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import jsonschema
import pytest

from gateway.demo.stage import Stage
from tests.conformance.steps import OFFICER, exported, looked_up, refused
from tests.conformance.test_marketing import NEWS, ORDER, bought, people, sent
from tests.e2e.post import (
    PAREL,
    REZULTO,
    arrived,
    consent,
    mail,
    one_click,
    opt_out_url,
    person,
    send,
    settled,
    texts,
    wait,
)  # fmt: skip

ORG = ("--organisation", "rezulto")
JAN = ("--operator", "jan")
LIST = {"list": "lestips", **NEWS}


def opened(stage: Stage, kind: str, address: str, *more: str) -> str:
    said = stage.command("rights", "open", "--kind", kind, "--to", address, *JAN, *ORG, *more)
    found = re.match(r"case (\d+):", said)
    assert found, said
    return found[1]


def case(stage: Stage, number: str) -> dict[str, object]:
    rows = [json.loads(line) for line in stage.command("rights", "list", *ORG, "--json").splitlines()]
    return next(row for row in rows if str(row["number"]) == number)


def due(stage: Stage, kind: str, received: str) -> str:
    return stage.command("rights", "due", "--kind", kind, "--received", received, *ORG)


def test_s52_what_one_organisation_knows_means_nothing_at_the_other(shared: Stage) -> None:
    who = person("docent")
    people(shared, consent(who, "list:lestips"))
    shared.people("kleine-parel", [consent(who, "list:nieuwsbrief")])
    assert sent(shared, who, **LIST).code == 250
    (copy,) = arrived(shared, [who])
    own = opt_out_url(copy.content)
    assert one_click(own.replace("/rezulto/", "/kleine-parel/")) == 404, "a link of one is void at the other"
    assert one_click(own) == 200
    refused(sent(shared, who, **LIST), "opt-out")
    other = mail(PAREL, [who], stream="newsletter", list="nieuwsbrief")
    assert send(shared, "kleine-parel-crm", other, [who]).code == 250
    assert "blocks" not in looked_up(shared, who)["facts"]
    assert looked_up(shared, who, "rezulto")["facts"]["blocks"]


def test_s53_marked_data_goes_to_a_party_under_contract_or_waits(shared: Stage) -> None:
    stranger = person("iemand", "elders.example")
    message = mail(REZULTO, [stranger], stream="informational", basis="contract", reference="O-1",
                   about="K-1", shared_with="nobody")  # fmt: skip
    waiting = send(shared, "rezulto-crm", message, [stranger])
    settled(shared)
    assert waiting.code == 550 or "share" in shared.command("queue", "list", "--state", "held", "--json")
    assert not [m for m in shared.recorder.mails if m.recipient == stranger]


def test_s55_consent_of_ten_years_ago_still_counts_and_nobody_is_asked_again(shared: Stage) -> None:
    who = person("trouw")
    people(shared, consent(who, "list:lestips") | {"at": "2016-11-22"})
    assert sent(shared, who, **LIST).code == 250
    arrived(shared, [who])
    settled(shared)
    assert len([m for m in shared.recorder.mails if m.recipient == who]) == 1, "the newsletter and no other mail"


def test_s56_what_is_past_its_term_is_deleted_and_consents_and_blocks_stay(shared: Stage) -> None:
    who = person("oud")
    long_ago = {"address": who, "at": "2015-01-01"}
    people(
        shared,
        long_ago | {"kind": "receipt", "message": "m-1", "receipt": "read"},
        consent(who, "list:lestips") | {"at": "2015-01-01"},
        long_ago | {"kind": "objection", "scope": "category:trainingen"},
    )
    assert _kinds(shared, who) == ["fact-receipt", "consent", "objection"]
    assert "receipts" in shared.command("purge")
    assert _kinds(shared, who) == ["consent", "objection"]
    limits = re.compile(r'briefgeheim_retention_limit_seconds\{class="receipts",organisation="rezulto"')
    wait(lambda: bool(limits.search(shared.get("observe", "/metrics")[1])), "the limit to be shown")


def _kinds(stage: Stage, who: str) -> list[str]:
    return [event["kind"] for event in looked_up(stage, who, "rezulto")["events"]]


@pytest.mark.parametrize(
    ("received", "last"), [("2025-01-30", "2025-02-27"), ("2026-11-02", "2026-11-30"), ("2024-02-01", "2024-02-29")]
)
def test_s57_access_is_answered_within_four_weeks(shared: Stage, received: str, last: str) -> None:
    assert f"due: {last}" in due(shared, "access", received)


def test_s57_an_extension_needs_a_reason_and_tells_the_person(shared: Stage) -> None:
    who = person("docent")
    number = opened(shared, "access", who)
    arrived(shared, [who])  # the receipt
    extend = ("rights", "extend", number, *JAN, *ORG)
    assert shared.run([*extend, "--reason", "", "--config", str(shared.config)]) != 0
    before = str(case(shared, number)["due"])
    shared.command(*extend, "--reason", "Het archief ligt op papier.")
    assert str(case(shared, number)["due"]) > before
    notice = arrived(shared, [who], 2)[1]
    assert "Het archief ligt op papier." in " ".join(texts(notice.content)["text/plain"].split())


def test_s59_twenty_working_days_are_the_ceiling_and_the_objection_counts_at_once(shared: Stage) -> None:
    said = due(shared, "objection", "2025-12-12")
    assert "ceiling: 2026-01-14" in said, "Christmas, Boxing Day and New Year are no working days"
    who = person("docent")
    people(shared, consent(who, "list:lestips"))
    opened(shared, "objection", who, "--scope", "marketing", "--channel", "letter")
    refused(sent(shared, who, **LIST), "objection")


def test_s62_a_deletion_says_what_stays_and_marketing_stops_at_once(shared: Stage) -> None:
    who, order = person("koper"), f"O-{person()[:9]}"
    people(shared, consent(who, "list:lestips"), {"address": who, "kind": "contract", "reference": order})
    number = opened(shared, "erasure", who)
    refused(sent(shared, who, **LIST))
    shared.command("rights", "complete", number, "--keep", order, *JAN, *ORG)
    shared.command("rights", "close", number, *JAN, *ORG)
    (reply,) = arrived(shared, [who])
    assert order in texts(reply.content)["text/plain"], "what stays, in the reply"
    refused(sent(shared, who, **LIST))


def test_s64_what_somebody_gave_is_handed_over_by_a_published_schema(shared: Stage, tmp_path: Path) -> None:
    who = person("docent")
    people(shared, consent(who, "list:lestips"), bought(who), {"address": who, "kind": "language", "language": "nl"})
    sent(shared, who, **LIST)
    arrived(shared, [who])
    out = tmp_path / "given"
    asked = ("rights", "export", "--to", who, "--out", str(out), "--profile", "portability", *OFFICER, *ORG)
    shared.command(*asked)
    data = json.loads((out / "data.json").read_text("utf-8"))
    jsonschema.validate(data, json.loads(next(out.glob("portability-*.schema.json")).read_text("utf-8")))
    assert "sendings" not in data
    assert "sendings" in exported(shared, who, tmp_path / "all", "rezulto")
    with (out / "csv" / "consents.csv").open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 1


def test_s65_the_basis_of_a_past_mail_is_shown_after_consent_was_taken_back(shared: Stage, tmp_path: Path) -> None:
    who = person("docent")
    people(shared, consent(who, "list:lestips"))
    sent(shared, who, **LIST)
    (copy,) = arrived(shared, [who])
    assert one_click(opt_out_url(copy.content)) == 200, "one action takes it back"
    refused(sent(shared, who, **LIST), "opt-out")
    data = exported(shared, who, tmp_path / "all", "rezulto")
    kept = json.dumps(data["periods"])
    assert "list:lestips" in kept
    first = data["sendings"][0]
    assert "consent" in json.dumps(first), "the basis in force when it left"


def test_s66_a_letter_counts_from_the_day_it_came_in(shared: Stage) -> None:
    number = opened(shared, "access", person("docent"), "--channel", "letter", "--received", "2026-11-17")
    row = case(shared, number)
    assert (row["channel"], row["received"], row["due"]) == ("letter", "2026-11-17", "2026-12-15")


def test_s67_the_age_of_open_questions_is_a_number(shared: Stage) -> None:
    opened(shared, "question", person("docent"))
    ages = re.compile(r'briefgeheim_rights_age_seconds\w*\{[^}]*organisation="rezulto"[^}]*\} [1-9]')
    wait(lambda: bool(ages.search(shared.get("observe", "/metrics")[1])), "the age of open cases")


def test_s68_a_new_statement_mails_nobody(shared: Stage) -> None:
    who = person("docent")
    people(shared, consent(who, "list:lestips"))
    refused(sent(shared, who, stream="policy_change", reference="v2"), "expected")
    sent(shared, who, **LIST)
    (copy,) = arrived(shared, [who])
    assert "https://rezulto.nl/privacy-statement" in texts(copy.content)["text/plain"]


def test_s63_a_restriction_holds_what_is_queued_and_refuses_what_is_new(shared: Stage) -> None:
    who = person("docent")
    people(shared, consent(who, "list:lestips"))
    shared.recorder.pause("rezulto/bulk")
    try:
        waiting = sent(shared, who, **LIST)
        opened(shared, "restriction", who)
        refused(sent(shared, who, reference="O-1", **ORDER), "restricted")
    finally:
        shared.recorder.resume("rezulto/bulk")
    shared.command("queue", "retry", waiting.id, *OFFICER)
    wait(lambda: waiting.id in shared.command("queue", "list", "--state", "held", "--json"), "the queued copy held")
