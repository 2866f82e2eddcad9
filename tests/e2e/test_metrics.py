"""What monitoring sees: everything that is promised, of all workers together, and nobody's address."""

from __future__ import annotations

import re
from collections.abc import Callable

from gateway.demo.stage import Stage
from tests.e2e.post import REZULTO, arrived, consent, mail, one_click, opt_out_url, person, send, settled, wait
from tests.e2e.watching import metric, samples, version
from tests.stages import MakeStage

HTML = "<html><body><p>Hallo</p><img src='https://open.example/p/9f8e7d6c5b4a3928.gif' width=1 height=1></body></html>"


def news(to: list[str]) -> bytes:
    message = mail(REZULTO, to, html=HTML, stream="newsletter", list="lestips", basis="consent")
    return message.as_bytes().replace(b"\n", b"\r\n")


def reader(stage: Stage) -> str:
    who = person()
    stage.people("rezulto", [consent(who, "list:lestips")])
    return who


def rises(stage: Stage, by: float, act: Callable[[], object], name: str, **labels: str) -> None:
    """This number rises by just so much, whichever worker counted; an earlier test's mail is counted before."""
    settled(stage)
    before = metric(stage, name, **labels)
    act()
    wait(lambda: metric(stage, name, **labels) >= before + by, f"{name} {labels} to rise")
    assert metric(stage, name, **labels) == before + by


def deliver(stage: Stage, number: int = 1) -> Callable[[], object]:
    people = [reader(stage) for _ in range(number)]

    def act() -> None:
        for who in people:  # each over a connection of its own, to any worker
            assert send(stage, "rezulto-crm", news([who]), [who]).code == 250
        arrived(stage, people)

    return act


def test_accepted_mail_is_counted_over_all_workers(shared: Stage) -> None:
    labels = {"organisation": "rezulto", "client": "rezulto-crm"}
    rises(shared, 6, deliver(shared, 6), "briefgeheim_messages_accepted_total", **labels)


def test_decisions_are_counted_by_stream_action_and_rule(shared: Stage) -> None:
    labels = {"organisation": "rezulto", "stream": "newsletter", "action": "deliver"}
    rises(shared, 2, deliver(shared, 2), "briefgeheim_decisions_total", **labels)
    labels = {"organisation": "rezulto", "stream": "newsletter", "action": "refuse", "rule": "list-consent"}
    who = person()
    rises(shared, 1, lambda: send(shared, "rezulto-crm", news([who]), [who]), "briefgeheim_decisions_total", **labels)


def test_refusals_are_counted_by_code(shared: Stage) -> None:
    labels = {"organisation": "rezulto", "client": "rezulto-crm", "code": "550"}
    who = person()
    act = lambda: send(shared, "rezulto-crm", mail(REZULTO, [who]), [who])  # noqa: E731
    rises(shared, 1, act, "briefgeheim_messages_rejected_total", **labels)


def test_edits_are_counted_by_filter_and_kind(shared: Stage) -> None:
    before = metric(shared, "briefgeheim_edits_total", organisation="rezulto", filter="trackers")
    deliver(shared)()
    wait(
        lambda: metric(shared, "briefgeheim_edits_total", organisation="rezulto", filter="trackers") > before,
        "a removed pixel",
    )
    text = shared.get("observe", "/metrics")[1]
    assert {labels["filter"] for labels, _ in samples(text, "briefgeheim_edits_total")} >= {"opt_out", "trackers"}


def test_provider_answers_and_the_time_to_them_are_counted(shared: Stage) -> None:
    labels = {"organisation": "rezulto", "provider": "bulk", "code": "250"}
    rises(shared, 2, deliver(shared, 2), "briefgeheim_provider_answers_total", **labels)
    rises(shared, 2, deliver(shared, 2), "briefgeheim_delivery_seconds_count", organisation="rezulto")


def test_the_queue_is_measured_by_state(shared: Stage) -> None:
    who = reader(shared)
    labels = {"organisation": "rezulto", "stream": "newsletter", "state": "queued"}
    settled(shared)
    wait(lambda: metric(shared, "briefgeheim_queue_rows", **labels) == 0, "the depth of an empty queue")
    shared.recorder.pause("rezulto/bulk")
    try:
        sent = send(shared, "rezulto-crm", news([who]), [who])
        wait(lambda: metric(shared, "briefgeheim_queue_rows", **labels) == 1, "depth")
    finally:
        shared.recorder.resume("rezulto/bulk")
        shared.command("queue", "retry", sent.id, "--operator", "test", "--reason", "go on")
    assert len(arrived(shared, [who])) == 1


def test_an_opt_out_is_counted_once_and_so_is_the_time_to_its_effect(make_stage: MakeStage) -> None:
    stage = make_stage(workers=2)
    stage.start()
    who = reader(stage)
    assert send(stage, "rezulto-crm", news([who]), [who]).code == 250
    (copy,) = arrived(stage, [who])
    labels = {"organisation": "rezulto", "scope": "list"}
    act = lambda: one_click(opt_out_url(copy.content))  # noqa: E731
    rises(stage, 1, act, "briefgeheim_opt_outs_total", **labels)
    wait(
        lambda: metric(stage, "briefgeheim_opt_out_effect_seconds_count", organisation="rezulto") > 0,
        "the time to its effect",
    )
    assert metric(stage, "briefgeheim_page_opt_outs_total", organisation="rezulto", way="one-click") == 1


def test_s01_no_number_and_no_label_names_anybody(shared: Stage) -> None:
    deliver(shared)()
    text = shared.get("observe", "/metrics")[1]
    assert "@" not in text
    assert "ontvanger" not in text
    assert not re.search(r'="[0-9a-f]{20,}"', text), "nor a message or a pseudonym, of which there is no end"


def test_health_readiness_and_the_rules_in_force(shared: Stage) -> None:
    for page in ("/healthz", "/readyz"):
        wait(lambda page=page: shared.get("observe", page) == (200, "ok\n"), f"{page} to say ok")
    (found,) = version(shared)
    assert f"settings {found}: no errors" in shared.command("check-config")
