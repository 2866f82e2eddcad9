"""Held mail: a person looks, decides under their own name, or it ends with a report (DESIGN §4 Hold)."""

from __future__ import annotations

import json
import time
from typing import Any

from gateway.demo.stage import Stage
from tests.e2e.post import PAREL, Sent, arrived, header, mail, person, send, settled, wait
from tests.e2e.watching import in_state, metric, queue
from tests.stages import MakeStage

WHO = ("--operator", "els", "--reason", "asked the sender")


def leaky(stage: Stage) -> tuple[str, list[str], Sent]:
    """A mail of a system that shows two other people; gives its recipient and whom it shows."""
    people = [person("lid") for _ in range(3)]
    stage.people("kleine-parel", [{"address": a, "kind": "enrolment", "reference": "cursus-3"} for a in people])
    text = f"De groep: {people[1]}, {people[2]}\n"
    shown = mail(PAREL, people[:1], text=text, stream="participation", reference="cursus-3")
    return people[0], people[1:], send(stage, "kleine-parel-crm", shown, people[:1])


def overrides(stage: Stage, act: str) -> float:
    return metric(stage, "briefgeheim_overrides_total", organisation="kleine-parel", act=act)


def trace(stage: Stage, who: str) -> str:
    return stage.command("trace", "--to", who, *WHO, "--organisation", "kleine-parel", "--json")


def test_i1_a_leak_from_a_system_is_held_and_shown_without_addresses(shared: Stage) -> None:
    who, shown, sent = leaky(shared)
    assert sent.code == 250
    (row,) = in_state(shared, sent.id, "held")
    assert row["reason"].startswith("leak_check: ")
    assert 4.9 * 86400 < row["until"] - row["received"] < 5.1 * 86400
    for command in (["list", "--state", "held"], ["show", sent.id], ["show", sent.id, "--json"]):
        text = shared.command("queue", *command)
        assert sent.id in text
        assert not [a for a in (who, *shown) if a in text]
    revealed = shared.command("queue", "show", sent.id, "--reveal", *WHO)
    assert who in revealed
    settled(shared)
    assert not [m for m in shared.recorder.mails if m.recipient == who]


def test_s40_a_named_operator_lets_it_go_and_that_is_counted_and_written_down(shared: Stage) -> None:
    who, _, sent = leaky(shared)
    before = overrides(shared, "release")
    shared.command("queue", "release", sent.id, *WHO)
    assert len(arrived(shared, [who])) == 1
    wait(lambda: overrides(shared, "release") == before + 1, "the count")
    assert metric(shared, "briefgeheim_overrides_total", act="release", rule="leak_check") >= 1
    told = trace(shared, who)
    for word in ("released", "els", "asked the sender"):
        assert word in told


def test_nobody_acts_without_a_name_and_a_reason(shared: Stage) -> None:
    who, _, sent = leaky(shared)
    for act in ("release", "drop", "retry", "hold"):
        shared.command("queue", act, sent.id, "--operator", "", "--reason", "x", ok=False)
        shared.command("queue", act, sent.id, "--operator", "els", "--reason", " ", ok=False)
        shared.command("queue", act, sent.id, "--operator", "els", "--reason", f"for {who}", ok=False)
    in_state(shared, sent.id, "held")
    shared.command("queue", "drop", sent.id, *WHO)
    assert queue(shared, sent.id) == []
    settled(shared)
    assert not [m for m in shared.recorder.mails if m.recipient == who]
    assert "dropped" in trace(shared, who)


def test_i2_a_release_is_decided_again_so_a_block_stays_a_block(shared: Stage) -> None:
    who, _, sent = leaky(shared)
    shared.people("kleine-parel", [{"address": who, "kind": "opt-out", "scope": "source:perfectview"}])
    shared.command("queue", "release", sent.id, *WHO)
    wait(lambda: queue(shared, sent.id) == [], "an end")
    assert not [m for m in shared.recorder.mails if m.recipient == who]
    assert "blocked" in trace(shared, who)


def test_an_operator_holds_and_retries_what_is_queued(shared: Stage) -> None:
    who = person()
    shared.recorder.pause("kleine-parel/kantoor")
    try:
        sent = send(shared, "kleine-parel-office", mail("wil@dekleineparel.nl", [who]), [who])
        wait(lambda: queue(shared, sent.id)[0]["attempts"] == 1, "a first attempt")
        shared.command("queue", "hold", sent.id, *WHO)
        (row,) = in_state(shared, sent.id, "held")
        assert row["reason"] == "operator: asked the sender"
        shared.command("queue", "release", sent.id, *WHO)
        wait(lambda: queue(shared, sent.id)[0]["attempts"] == 2, "a second attempt")
    finally:
        shared.recorder.resume("kleine-parel/kantoor")
    assert not [m for m in shared.recorder.mails if m.recipient == who], "it waits for its next turn"
    shared.command("queue", "retry", sent.id, *WHO)
    assert len(arrived(shared, [who])) == 1


def test_a_hold_that_ends_is_told_to_the_submitter(make_stage: MakeStage) -> None:
    def short(organisation: Any) -> None:
        organisation["hold_for"] = "1s"

    stage = make_stage(organisation=short)
    stage.start()
    who, shown, sent = leaky(stage)
    (row,) = in_state(stage, sent.id, "held")
    wait(lambda: time.time() > row["until"], "the end of the hold")
    assert stage.stop() == 0
    stage.start()  # ends of holds are looked at when delivery begins, and every minute
    said = b"held and not released in time"
    reports = lambda: [m for m in stage.recorder.mails if m.recipient == PAREL and said in m.content]  # noqa: E731
    wait(lambda: bool(reports()), "the report")
    (report,) = reports()
    assert who.encode() in report.content
    assert not [a for a in shown if a.encode() in report.content]
    assert header(report.content, "Auto-Submitted") == ["auto-replied"]
    assert report.sender in ("", "<>")
    wait(lambda: queue(stage, sent.id) == [], "an end")
    assert json.dumps(trace(stage, who)).count("failed") >= 1
