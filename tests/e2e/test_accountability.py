"""What runs against the clock, in a running gateway: breaches, held contract mail, a broken opt-out; and the proof."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.app import breaches as watch
from gateway.app.probe_gate import Findings, place
from gateway.cli import run
from gateway.demo.stage import Stage
from tests.e2e.post import PAREL, REZULTO, arrived, consent, mail, person, send, wait
from tests.e2e.watching import metric, reload

WHO = ("--operator", "A. Officer", "--reason", "a test")


def visible_office(organisation: dict[str, Any]) -> None:
    """An office that may write to up to four people openly; and an opt-out page that nobody reaches."""
    if organisation["name"] == "kleine-parel":
        next(c for c in organisation["clients"] if c["name"] == "kleine-parel-office")["private_from"] = 5
    else:
        organisation["probe"] = {"connect_to": "127.0.0.1:1", "failures": 1, "again": "1s"}


def working(organisation: dict[str, Any]) -> None:
    if organisation["name"] == "kleine-parel":
        visible_office(organisation)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("accountable"), run, organisation_change=visible_office)
    made.build()
    made.start()
    yield made
    made.close()


def breaches(stage: Stage) -> list[dict[str, Any]]:
    lines = stage.command("breach", "list", "--organisation", "kleine-parel", "--all", "--json").splitlines()
    return [json.loads(line) for line in lines]


def about(stage: Stage, message: str) -> list[dict[str, Any]]:
    return [found for found in breaches(stage) if message in found["messages"]]


def letters(stage: Stage, to: str, words: str) -> list[bytes]:
    return [m.content for m in stage.recorder.mails if m.recipient == to and words.encode() in m.content]


def test_l31_a_broken_opt_out_holds_mail_with_a_link_until_a_probe_succeeds(stage: Stage) -> None:
    findings = place(stage.state, "rezulto")
    # After the second failure every process has read of the first one.
    wait(lambda: Findings.read(findings).failures >= 2, "two failed probes")
    wait(lambda: metric(stage, "briefgeheim_opt_out_paused", organisation="rezulto") == 1, "the pause")
    who, other = person(), person()
    stage.people("rezulto", [consent(who, "list:lestips")])
    sent = send(stage, "rezulto-crm", mail(REZULTO, [who], stream="newsletter", list="lestips", basis="consent"), [who])
    assert sent.code == 250, "held, not lost"
    send(stage, "rezulto-office", mail(REZULTO, [other]), [other])
    arrived(stage, [other])  # mail without a link goes on
    (row,) = (json.loads(line) for line in stage.command("queue", "show", sent.id, "--json").splitlines())
    assert (row["state"], "the opt-out does not work" in row["reason"]) == ("held", True)
    wait(lambda: letters(stage, REZULTO, "The opt-out does not work"), "a mail to the owner")
    assert metric(stage, "briefgeheim_probe_ok", organisation="rezulto") == 0
    wait(lambda: metric(stage, "briefgeheim_probe_ok", organisation="kleine-parel") == 1, "a probe that succeeds")
    stage.organisation_change = working
    stage.write_settings()
    reload(stage)
    arrived(stage, [who])
    wait(lambda: metric(stage, "briefgeheim_opt_out_paused", organisation="rezulto") == 0, "the end of the pause")
    assert Findings.read(findings).failures == 0


def test_l31_the_probe_prints_each_step_and_counts_as_no_opt_out(stage: Stage) -> None:
    said = stage.command("probe", "--organisation", "kleine-parel")
    assert [line.split(":")[0] for line in said.splitlines()] == ["link", "GET", "POST", "block", "the opt-out works"]
    scraped = stage.get("observe", "/metrics")[1]
    assert "briefgeheim_page_opt_outs_total{" not in scraped
    assert "briefgeheim_opt_outs_total{" not in scraped


def test_l26_l37_l38_a_mail_that_showed_people_to_each_other_is_in_the_register_within_a_minute(stage: Stage) -> None:
    assert watch.LOOK + watch.MAIL_EVERY < 60  # seconds, on a machine that is not busy
    people = [person() for _ in range(3)]
    sent = send(stage, "kleine-parel-office", mail(PAREL, people), people)
    arrived(stage, people)
    wait(lambda: about(stage, sent.id), "a breach")
    (found,) = about(stage, sent.id)
    assert (found["people"], found["kind"], found["found_by"]) == (3, "visible recipients", "gateway")
    assert 71.9 < found["hours_left"] <= 72
    listed = stage.command("breach", "people", str(found["number"]), "--organisation", "kleine-parel", "--json", *WHO)
    assert [json.loads(line)["was"] for line in listed.splitlines()] == ["shown"] * 3 + ["got it"] * 3
    wait(lambda: letters(stage, PAREL, f"Breach {found['number']}: 72 uur"), "a mail to the owner")
    assert not any(address in stage.log.read_text("utf-8") for address in people)


def test_l22_l26_held_course_mail_is_told_of_and_its_release_is_a_breach(stage: Stage) -> None:
    people = [person() for _ in range(2)]
    stage.people("kleine-parel", [{"address": p, "kind": "enrolment", "reference": "r1"} for p in people])
    content = mail(PAREL, people, text=f"Met {people[0]} en {people[1]}.\n", stream="participation", reference="r1")
    sent = send(stage, "kleine-parel-crm", content, people)
    wait(lambda: letters(stage, PAREL, sent.id), "a mail about the held one")
    assert about(stage, sent.id) == [], "nobody was shown to anybody yet"
    stage.command("queue", "release", sent.id, *WHO)
    arrived(stage, people)
    wait(lambda: about(stage, sent.id), "a breach")
    (found,) = about(stage, sent.id)
    assert (found["people"], "released by an operator" in found["cause"]) == (2, True)


def test_l07_the_audit_of_a_gateway_that_stopped_is_whole_and_signed_to_its_last_row(stage: Stage) -> None:
    who = person()
    send(stage, "rezulto-office", mail(REZULTO, [who]), [who])
    arrived(stage, [who])
    stage.stop()
    proofs = [json.loads(line) for line in stage.command("audit", "verify", "--json").splitlines()]
    assert len(proofs) == 2
    assert [(p["whole"], p["signed"] == p["last"]) for p in proofs] == [(True, True)] * 2
    assert any(p["last"] for p in proofs)
    assert "audit signed" in stage.log.read_text("utf-8"), "where the log goes elsewhere, it proves it too"
    stage.start()
