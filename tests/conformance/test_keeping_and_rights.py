"""De Kleine Parel: how long data is kept, and the rights of the people it is about."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from gateway.demo.stage import Stage
from tests.conformance.steps import CRM, NEWSLETTER, OFFICER, ORG, from_database, nothing_arrived, participant, reader
from tests.conformance.steps import kinds as kinds_of
from tests.e2e.post import PAREL, arrived, consent, mail, person, send, settled, texts, wait

JAN = ("--operator", "jan")


def opened(stage: Stage, kind: str, address: str, *more: str) -> str:
    """The number of a new case."""
    said = stage.command("rights", "open", "--kind", kind, "--to", address, *JAN, *ORG, *more)
    found = re.match(r"case (\d+):", said)
    assert found, said
    return found[1]


def facts(stage: Stage, address: str) -> dict[str, object]:
    shown = stage.command("registry", "show", "--to", address, "--json", *OFFICER, *ORG)
    return dict(json.loads(shown)["facts"])


def exit_code(stage: Stage, *words: str) -> int:
    return stage.run([*words, "--config", str(stage.config)])


def test_s28_who_no_longer_wants_the_services_gets_nothing_from_the_same_second(shared: Stage) -> None:
    guest, reference = person("gast"), f"R-{person()[:9]}"
    participant(shared, guest, reference)
    assert from_database(shared, guest, **NEWSLETTER).code == 250
    arrived(shared, [guest])
    opened(shared, "leaving", guest)
    for marks in kinds_of(reference).values():
        assert from_database(shared, guest, **marks).code == 550
    facts_now = facts(shared, guest)
    assert facts_now["blocks"], facts_now
    settled(shared)


def test_s29_an_invoice_outlives_an_erasure_as_id_reason_and_end_and_mails_nobody(shared: Stage) -> None:
    buyer = person("koper")
    reader(shared, buyer)
    kept = ("--detail", "id=F-2026-17", "--detail", "reason=AWR 52", "--detail", "until=2000000000")
    shared.command("registry", "set", "--to", buyer, "--kind", "retained", *OFFICER, *ORG, *kept)
    number = opened(shared, "erasure", buyer)
    shared.command("rights", "complete", number, *JAN, *ORG)
    shared.command("rights", "close", number, *JAN, *ORG)
    (reply,) = arrived(shared, [buyer])
    assert "F-2026-17" in texts(reply.content)["text/plain"], "the reply says what stays"
    left = facts(shared, buyer)
    assert "F-2026-17" in json.dumps(left["retained"])
    assert "consents" not in left
    assert from_database(shared, buyer, **NEWSLETTER).code == 550


@pytest.mark.parametrize(
    ("kind", "more"),
    [("access", ()), ("rectification", ("--new-to", "nieuw@ontvanger.example")), ("erasure", ()), ("restriction", ()),
     ("objection", ("--scope", "marketing")), ("portability", ()), ("withdrawal", ("--scope", "list:nieuwsbrief"))],
)  # fmt: skip
def test_s30_each_of_the_seven_rights_has_a_received_date_a_last_day_and_who_acted(
    shared: Stage, kind: str, more: tuple[str, ...]
) -> None:
    number = opened(shared, kind, person(kind), "--received", "2026-11-02", *more)
    (row,) = [r for r in _cases(shared) if str(r["number"]) == number]
    assert (row["kind"], row["received"], row["due"]) == (kind, "2026-11-02", "2026-12-02")
    shown = shared.command("rights", "show", number, *JAN, "--reason", "check", *ORG)
    assert "jan" in shown
    assert "@" not in shown


@pytest.mark.parametrize(("kind", "stops"), [("erasure", True), ("restriction", True), ("access", False)])
def test_s30_what_a_right_does_is_done_when_the_request_comes_in(shared: Stage, kind: str, stops: bool) -> None:
    who = reader(shared, person(kind))
    opened(shared, kind, who)
    assert from_database(shared, who, **NEWSLETTER).code == (550 if stops else 250)


def _cases(stage: Stage) -> list[dict[str, object]]:
    return [json.loads(line) for line in stage.command("rights", "list", *ORG, "--json").splitlines()]


def test_s37_a_change_of_the_policy_is_announced_once_and_others_are_listed_for_another_channel(
    shared: Stage, tmp_path: Path
) -> None:
    told, stopped, version = person("relatie"), person("gestopt"), f"v{person()[:9]}"
    shared.people("kleine-parel", [
        consent(told, "list:nieuwsbrief"), {"address": stopped, "kind": "opt-out", "scope": "source:perfectview"},
    ])  # fmt: skip
    change = {"stream": "policy_change", "reference": version}
    assert from_database(shared, told, **change).code == 250
    arrived(shared, [told])
    assert from_database(shared, stopped, **change).code == 550
    assert from_database(shared, told, **change).code == 550, "the second run mails nobody again"
    nothing_arrived(shared, stopped)
    flags = _flags(shared, tmp_path, told, stopped)
    assert not flags[told]["other_channel"]
    assert flags[stopped]["other_channel"]


def _flags(stage: Stage, folder: Path, *people: str) -> dict[str, dict[str, str]]:
    """What `registry match` says of the organisation's own list."""
    (folder / "list.csv").write_text("e-mail\n" + "".join(f"{who}\n" for who in people), "utf-8")
    out = folder / "flags.csv"
    stage.command("registry", "match", str(folder / "list.csv"), "--out", str(out), *OFFICER, *ORG)
    with out.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {next(value for value in row.values() if value in people): row for row in rows}


def test_s38_every_automated_mail_names_the_controller_and_the_policy_whose_date_is_shown(shared: Stage) -> None:
    who = reader(shared, person("lezer"))
    from_database(shared, who, **NEWSLETTER)
    (copy,) = arrived(shared, [who])
    text = texts(copy.content)["text/plain"]
    for part in ("Opleidingsinstituut De Kleine Parel", "Siergaarde 47", "https://dekleineparel.nl/privacybeleid"):
        assert part in " ".join(text.split())
    assert "Policy of 2018-05-25" in shared.command("conformance", *ORG)


def test_s39_an_export_for_an_authority_needs_its_ground_and_stands_in_the_ledger(
    shared: Stage, tmp_path: Path
) -> None:
    who = reader(shared, person("verdachte"))
    asked = ("rights", "export", "--to", who, "--profile", "legal", *OFFICER, *ORG)
    assert exit_code(shared, *asked, "--out", str(tmp_path / "none"), "--authority", "FIOD") == 2
    assert not (tmp_path / "none").exists()
    ground = ("--authority", "FIOD", "--ground", "art. 47 AWR")
    shared.command(*asked, "--out", str(tmp_path / "given"), *ground)
    assert (tmp_path / "given" / "data.json").exists()
    shown = shared.command("registry", "show", "--to", who, "--json", *OFFICER, *ORG)
    shares = [event for event in json.loads(shown)["events"] if event["kind"] == "fact-shared"]
    assert [share["purpose"] for share in shares] == ["legal"]
    assert "art. 47 AWR" in json.dumps(shares)


def test_s40_a_release_of_held_mail_names_who_and_why_and_is_counted(shared: Stage) -> None:
    who = reader(shared, person("lezer"))
    before = _overrides(shared)
    sent = send(shared, CRM, mail(PAREL, [who], **NEWSLETTER, publication="yes"), [who])
    unnamed = ("--operator", "", "--reason", "")
    assert exit_code(shared, "queue", "release", sent.id, *unnamed) != 0, "not without a name and a reason"
    shared.command("queue", "release", sent.id, "--operator", "jan", "--reason", "consent is on paper")
    arrived(shared, [who])
    wait(lambda: _overrides(shared) == before + 1, "the override to be counted by its rule")


def _overrides(stage: Stage) -> float:
    found = re.findall(r'^briefgeheim_overrides_total\{.*rule="publication".*\} (\S+)$', _metrics(stage), re.MULTILINE)
    return sum(map(float, found))


def _metrics(stage: Stage) -> str:
    return stage.get("observe", "/metrics")[1]
