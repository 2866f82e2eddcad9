"""New keys for a gateway at work: mail flows on, no block is forgotten, and old links work."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from gateway.cli import run
from gateway.demo.stage import Stage, StageError
from tests.e2e.post import REZULTO, arrived, consent, mail, one_click, opt_out_url, person, send, settled, wait
from tests.e2e.watching import queue, workers

OFFICE = "wil@dekleineparel.nl"
ORGANISATION = ("--organisation", "rezulto")
PATIENTLY = ("--wait", "180")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("rotation"), run, workers=2)
    made.build()
    made.start()
    yield made
    made.close()


def news(stage: Stage, who: str) -> str:
    """Sends one; gives the id, or the refusal."""
    message = mail(REZULTO, [who], stream="newsletter", list="lestips", basis="consent")
    sent = send(stage, "rezulto-crm", message, [who])
    return sent.id if sent.code == 250 else sent.reply


def agreed(stage: Stage, *people: str) -> None:
    stage.people("rezulto", [consent(who, "list:lestips") for who in people])


def block(address: str, kind: str = "opt-out", scope: str = "marketing") -> dict[str, str]:
    return {"address": address, "kind": kind, "scope": scope, "at": "2026-02-03", "actor": "person", "channel": "form"}


def status(stage: Stage) -> dict[str, dict[str, object]]:
    lines = [json.loads(line) for line in stage.command("keys", "status", "--json").splitlines()]
    return {line["file"]: line for line in lines}


def test_l34_a_new_pseudonym_layer_under_load_forgets_no_block_and_stops_no_mail(stage: Stage) -> None:
    kept, blocked, clicked, later = (person() for _ in range(4))
    crowd = [person("crowd") for _ in range(300)]
    agreed(stage, kept, clicked, later, *crowd)
    stage.people("rezulto", [block(who) for who in (blocked, *crowd[::2])])
    news(stage, clicked)
    (before,) = arrived(stage, [clicked])
    pids, layer = workers(stage), len(status(stage)["rezulto.pseudonym"]["keys"])  # type: ignore[arg-type]
    stop, heard = threading.Event(), list[tuple[str, str]]()

    def load() -> None:
        while not stop.is_set():
            heard.append((kept, news(stage, kept)))
            heard.append((blocked, news(stage, blocked)))

    thread = threading.Thread(target=load)
    thread.start()
    try:
        wait(lambda: len(heard) > 4, "mail before")
        said = stage.command("keys", "rotate", "pseudonym", *ORGANISATION, *PATIENTLY)
        seen = len(heard)
        wait(lambda: len(heard) > seen + 4, "mail after")
    finally:
        stop.set()
        thread.join(180)
    assert f"layer {layer} added" in said
    assert "nothing is left under an older key" in said
    assert workers(stage) == pids, "no process ended"
    settled(stage)
    assert all(len(reply) == 20 for who, reply in heard if who == kept), heard
    assert {m.recipient for m in stage.recorder.mails if m.recipient == blocked} == set()
    arrived(stage, [kept], sum(who == kept for who, _ in heard))
    assert one_click(opt_out_url(before.content)) == 200, "a link from before the rotation"
    assert "5.7.1" in news(stage, clicked) or not arrived_again(stage, clicked, 1)
    news(stage, later)
    (after,) = arrived(stage, [later])
    assert one_click(opt_out_url(after.content)) == 200
    news(stage, later)
    settled(stage)
    assert not arrived_again(stage, later, 1)
    assert f"layer {layer}, all rows" in str(status(stage)["rezulto.pseudonym"]["uses"])


def arrived_again(stage: Stage, who: str, before: int) -> bool:
    settled(stage)
    return sum(m.recipient == who for m in stage.recorder.mails) > before


def test_i11_trace_finds_what_was_done_under_older_layers(stage: Stage) -> None:
    who = person()
    agreed(stage, who)
    first = news(stage, who)
    arrived(stage, [who])
    stage.command("keys", "rotate", "pseudonym", *ORGANISATION, *PATIENTLY)
    second = news(stage, who)
    arrived(stage, [who], 2)
    settled(stage)
    shown = stage.command(
        "trace", "--to", who, "--operator", "jan", "--reason", "asked what she got", "--organisation", "rezulto"
    )
    assert first in shown
    assert second in shown
    assert shown.count("DELIVERED") == 2


def test_r070_links_of_every_token_key_work_and_the_newest_signs(stage: Stage) -> None:
    old, new = person(), person()
    agreed(stage, old, new)
    news(stage, old)
    (before,) = arrived(stage, [old])
    assert "links in people's mailboxes need them" in stage.command("keys", "rotate", "token", *ORGANISATION)
    news(stage, new)
    (after,) = arrived(stage, [new])
    keys = {url.rpartition("/")[2][:2] for url in (opt_out_url(before.content), opt_out_url(after.content))}
    assert len(keys) == 2, "the first octet is the key's number"
    for who, copy in ((old, before), (new, after)):
        assert one_click(opt_out_url(copy.content)) == 200
        news(stage, who)
        assert not arrived_again(stage, who, 1)


def test_s01_waiting_mail_is_wrapped_by_the_new_spool_key_and_the_old_one_can_go(stage: Stage) -> None:
    stage.recorder.pause("kleine-parel/kantoor")
    who = person()
    sent = send(stage, "kleine-parel-office", mail(OFFICE, [who]), [who])
    assert sent.code == 250
    wait(lambda: queue(stage, sent.id)[0]["attempts"] > 0, "a first attempt")
    assert "nothing is left under an older key" in stage.command("keys", "rotate", "spool", *PATIENTLY)
    uses = str(status(stage)["spool.key"]["uses"])
    assert "by key 2" in uses
    assert "by key 1" not in uses
    assert "key 1 is gone" in stage.command("keys", "retire", "spool", "1")
    assert status(stage)["spool.key"]["keys"] == [2]
    stage.kill()
    stage.start()
    stage.recorder.resume("kleine-parel/kantoor")
    stage.command("queue", "retry", sent.id, "--operator", "test", "--reason", "provider is back")
    arrived(stage, [who])


def fresh(stage: Stage, killed: list[int]) -> bool:
    now = workers(stage)
    return len(now) == len(killed) and not set(now) & set(killed) and stage.get("observe", "/readyz")[0] == 200


def test_i10_a_rotation_that_is_killed_at_any_point_is_gone_on_with(stage: Stage) -> None:
    blocked = [person("cut") for _ in range(40)]
    stage.people("rezulto", [block(who) for who in blocked])
    for _ in range(3):
        before = len(status(stage)["rezulto.pseudonym"]["keys"])  # type: ignore[arg-type]
        stage.command("keys", "rotate", "pseudonym", *ORGANISATION, "--wait", "0")
        killed = workers(stage)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        wait(partial(fresh, stage, killed), "new workers")
        stage.command("keys", "apply", "pseudonym", *ORGANISATION, *PATIENTLY)
        assert f"layer {before}, all rows" in str(status(stage)["rezulto.pseudonym"]["uses"])
    for who in blocked[::7]:
        news(stage, who)
        assert not arrived_again(stage, who, 0)


def test_keys_that_were_changed_instead_of_added_are_not_taken(stage: Stage) -> None:
    file = stage.state / "credentials" / "kleine-parel.pseudonym"
    before = file.read_text()
    file.write_text("A" * 43 + "=\n")
    try:
        with pytest.raises(StageError, match="a line changed or is gone"):
            stage.command("keys", "apply", "pseudonym", "--organisation", "kleine-parel")
    finally:
        file.write_text(before)
    who = person()
    assert send(stage, "kleine-parel-office", mail(OFFICE, [who]), [who]).code == 250
    arrived(stage, [who])


def test_a_gateway_that_cannot_see_the_new_key_is_told_apart(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd hands a service its keys as they were when it started."""
    stage.stop()
    handed = shutil.copytree(stage.state / "credentials", tmp_path / "credentials")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(handed))
    stage.start()
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(StageError, match="sees its keys as they were when it started"):
        stage.command("keys", "rotate", "token", *ORGANISATION)
    stage.stop()
    stage.start()
    stage.command("keys", "apply", "token", *ORGANISATION)
