"""SIGHUP: new rules in every worker or in none, and queued mail is decided by them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.cli import run
from gateway.demo.stage import Stage
from tests.delivery.sink import Script, Sink
from tests.e2e.post import PAREL, REZULTO, arrived, consent, mail, person, send, texts, wait
from tests.e2e.watching import edit, in_state, metric, queue, reload, reload_refused, version, workers

OFFICE = "wil@dekleineparel.nl"


def quick(gateway: dict[str, Any]) -> None:
    gateway["delivery"] = {"retry": ["1s"]}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("reload"), run, workers=2, gateway_change=quick)
    made.build()
    made.start()
    yield made
    made.close()


@pytest.fixture
def stage(running: Stage) -> Iterator[Stage]:
    """With the rules it had, before and after each test."""
    files = [running.config, *(running.folder / "config" / "organisations").glob("*.yaml")]
    texts_before, rules = {file: file.read_bytes() for file in files}, version(running)
    yield running
    for file, octets in texts_before.items():
        file.write_bytes(octets)
    if version(running) != rules:
        reload(running)


def news(stage: Stage) -> tuple[str, Any]:
    who = person()
    stage.people("rezulto", [consent(who, "list:lestips")])
    return who, mail(REZULTO, [who], stream="newsletter", list="lestips", basis="consent")


def sent_news(stage: Stage) -> str:
    who, content = news(stage)
    sent = send(stage, "rezulto-crm", content, [who])
    assert sent.code == 250, sent.reply
    (copy,) = arrived(stage, [who])
    return texts(copy.content)["text/plain"]


def known(stage: Stage) -> str:
    """Somebody who may get news, made known while the settings can still be read."""
    return news(stage)[0]


def text_for(stage: Stage, who: str) -> str:
    message = mail(REZULTO, [who], stream="newsletter", list="lestips", basis="consent")
    assert send(stage, "rezulto-crm", message, [who]).code == 250
    return texts(arrived(stage, [who])[-1].content)["text/plain"]


def footer(text: str) -> Any:
    def change(settings: Any) -> None:
        settings["footer"]["link"]["nl"] = f"{text} van {{name}}, {{address}}.\nAfmelden: {{link}}\n"

    return change


def test_new_rules_are_used_by_every_worker_at_once(stage: Stage) -> None:
    before = version(stage)
    edit(stage, "rezulto", footer("Nieuwe tekst"))
    reload(stage)
    assert len(before) == len(version(stage)) == 1
    assert before != version(stage)
    assert all("Nieuwe tekst van Rezulto B.V." in sent_news(stage) for _ in range(6)), "whichever worker took it"


def test_facts_about_trackers_of_ones_own_count_from_the_reload_on(stage: Stage) -> None:
    def picture() -> str:
        who, _ = news(stage)
        html = '<p>x</p><img src="https://teller.voorbeeld.example/w.png" width="90" height="9">'
        message = mail(REZULTO, [who], html=html, stream="newsletter", list="lestips", basis="consent")
        assert send(stage, "rezulto-crm", message, [who]).code == 250
        return texts(arrived(stage, [who])[0].content)["text/html"]

    assert "teller.voorbeeld.example" in picture()
    hosts = "{name: ours, source: own mail, licence: own, hosts: [teller.voorbeeld.example]}"
    (stage.config.parent / "own.yaml").write_text(f"version: 2026-11-01\nopens:\n  - {hosts}\n")
    stage.config.write_text(stage.config.read_text() + "own_trackers: [own.yaml]\n")
    reload(stage)
    assert all("teller.voorbeeld.example" not in picture() for _ in range(4)), "whichever worker took it"


def test_a_bad_file_leaves_the_old_rules_and_is_named_with_its_line(stage: Stage) -> None:
    edit(stage, "rezulto", footer("Voor de fout"))
    reload(stage)
    good, pids, who = version(stage), workers(stage), known(stage)
    file = edit(stage, "rezulto", footer("Niet te gebruiken"))
    text = file.read_text("utf-8")
    file.write_text(text.replace("basis_mark: yes", "basis_mark: perhaps", 1), "utf-8")
    line = next(n for n, x in enumerate(file.read_text("utf-8").splitlines(), 1) if "perhaps" in x)
    assert f"{file}:{line}: " in reload_refused(stage)
    assert version(stage) == good
    assert "Voor de fout" in text_for(stage, who)
    assert workers(stage) == pids
    file.write_text(text, "utf-8")
    reload(stage)
    assert "Niet te gebruiken" in sent_news(stage), "once the file is right it is taken"


def test_what_one_worker_cannot_use_none_uses(stage: Stage) -> None:
    """The files are right, but a key is missing: known only when a worker builds its parts."""
    good, pids = version(stage), workers(stage)

    def another_key(settings: Any) -> None:
        settings["domains"][0]["selector"] = "bg2"

    edit(stage, "rezulto", another_key)
    assert "bg2" in reload_refused(stage)
    assert version(stage) == good
    assert workers(stage) == pids, "and nobody died of it"
    assert sent_news(stage)


def test_an_id_that_vanished_is_refused_because_links_with_it_were_sent(stage: Stage) -> None:
    def without_a_category(settings: Any) -> None:
        del settings["categories"][2]

    edit(stage, "rezulto", without_a_category)
    assert "'abonnementen' (id 3) is gone" in reload_refused(stage)


def test_only_a_restart_changes_the_processes_and_that_is_said(stage: Stage) -> None:
    text = stage.config.read_text("utf-8")
    stage.config.write_text(text.replace("workers: 2", "workers: 3"), "utf-8")
    assert "workers: changed; needs a restart" in reload_refused(stage)


def test_another_port_login_and_password_of_a_provider_are_used(stage: Stage) -> None:
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(stage.folder / "certificate.pem", stage.folder / "key.pem")
    with Sink(Script(logins={"rezulto": "new password"}, tls=secure)) as sink:
        secret = stage.state / "credentials" / "rezulto.provider.bulk"
        secret.write_text("old password\n")
        secret.chmod(0o600)

        def change(settings: Any) -> None:
            settings["providers"][0].update(
                host="localhost", port=sink.port, tls="verify", ca_file=str(stage.folder / "certificate.pem"),
                username="rezulto", secret="bulk",
            )  # fmt: skip

        edit(stage, "rezulto", change)
        reload(stage)
        who, content = news(stage)
        sent = send(stage, "rezulto-crm", content, [who])
        wait(lambda: queue(stage, sent.id)[0]["attempts"] > 0, "a login that is refused")
        assert sink.accepted == []
        secret.write_text("new password\n")
        edit(stage, "rezulto", footer("Met wachtwoord"))
        reload(stage)
        (row,) = in_state(stage, sent.id, "held")
        assert "opt-out" in row["reason"], "its footer is of older rules"
        stage.command("queue", "drop", sent.id, "--operator", "test", "--reason", "sent again")
        who, content = news(stage)
        send(stage, "rezulto-crm", content, [who])
        assert sink.wait(1)
        assert sink.accepted[0].login == "rezulto"


def test_queued_mail_is_decided_by_the_new_rules(stage: Stage) -> None:
    stage.recorder.pause("kleine-parel/kantoor")
    kept, stopped = person(), person()
    first = send(stage, "kleine-parel-office", mail(OFFICE, [kept]), [kept])
    notice = mail(OFFICE, [stopped], stream="confirmation")
    second = send(stage, "kleine-parel-office", notice, [stopped])
    assert (first.code, second.code) == (250, 250), (first.reply, second.reply)
    wait(lambda: all(queue(stage, s.id)[0]["attempts"] for s in (first, second)), "first attempts")

    def needs_a_reference(settings: Any) -> None:
        settings["streams"]["confirmation"]["needs"] = ["reference"]

    edit(stage, "kleine-parel", needs_a_reference)
    reload(stage)
    stage.recorder.resume("kleine-parel/kantoor")
    assert len(arrived(stage, [kept])) == 1
    wait(lambda: not queue(stage, second.id), "an end")
    assert not [m for m in stage.recorder.mails if m.recipient == stopped]
    report = next(m for m in arrived(stage, [OFFICE]) if stopped.encode() in m.content)
    assert b"5.7.1" in report.content
    assert metric(stage, "briefgeheim_blocked_late_total", organisation="kleine-parel", stream="confirmation") >= 1


def test_queued_mail_that_lacks_an_edit_of_the_new_rules_is_held_until_a_person_decides(stage: Stage) -> None:
    stage.recorder.pause("kleine-parel/mailing")
    who = person()
    stage.people("kleine-parel", [{"address": who, "kind": "enrolment", "reference": "cursus-9"}])
    course = mail(PAREL, [who], stream="participation", reference="cursus-9")
    sent = send(stage, "kleine-parel-crm", course, [who])
    assert sent.code == 250, sent.reply
    wait(lambda: queue(stage, sent.id)[0]["attempts"] > 0, "a first attempt")
    file = stage.folder / "config" / "organisations" / "kleine-parel.yaml"
    text = file.read_text("utf-8")
    edit(stage, "kleine-parel", footer("Voortaan"))
    reload(stage)
    stage.recorder.resume("kleine-parel/mailing")
    (row,) = in_state(stage, sent.id, "held")
    assert row["reason"] == "made by older rules; it lacks what they demand now: opt-out"
    assert row["until"] > row["received"] + 4 * 86400
    stage.command("queue", "release", sent.id, "--operator", "test", "--reason", "look again")
    in_state(stage, sent.id, "held")
    assert not [m for m in stage.recorder.mails if m.recipient == who], "no operator makes unedited mail leave"
    file.write_text(text, "utf-8")
    reload(stage)
    stage.command("queue", "release", sent.id, "--operator", "test", "--reason", "the old rules are back")
    assert len(arrived(stage, [who])) == 1
