"""What cannot be decided does not leave, and is not lost (I-3, I-13)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import run
from gateway.demo.stage import Stage
from gateway.registry.places import places
from tests.e2e.post import REZULTO, arrived, consent, mail, one_click, opt_out_url, person, send, wait
from tests.e2e.watching import in_state, queue, serve
from tests.stages import MakeStage

LIST = "list:lestips"


def quick(gateway: dict[str, Any]) -> None:
    gateway["delivery"] = {"retry": ["1s"]}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("closed"), run, workers=1, gateway_change=quick)
    made.build()
    made.start()
    yield made
    made.close()


def news(*to: str) -> Any:
    return mail(REZULTO, list(to), stream="newsletter", list="lestips", basis="consent")


def reader(stage: Stage) -> str:
    who = person()
    stage.people("rezulto", [consent(who, LIST)])
    return who


def file_of(stage: Stage, organisation: str = "rezulto") -> Path:
    return places(stage.state, organisation).registry


def red(stage: Stage) -> str:
    said: list[tuple[int, str]] = []

    def told() -> bool:
        said.append(stage.get("observe", "/readyz"))
        return said[-1][0] == 503 and "registry of" in said[-1][1]

    wait(told, "/readyz to turn red")
    return said[-1][1]


def green(stage: Stage) -> None:
    wait(lambda: stage.get("observe", "/readyz")[0] == 200, "/readyz to turn green")


def queued_while_away(stage: Stage, who: str) -> str:
    """A mail that was accepted, and is now kept back by nothing but its registry."""
    stage.recorder.pause("rezulto/bulk")
    sent = send(stage, "rezulto-crm", news(who), [who])
    assert sent.code == 250, sent.reply
    wait(lambda: queue(stage, sent.id)[0]["attempts"] > 0, "a first attempt")
    return sent.id


def kept_back(stage: Stage, message: str) -> None:
    """The provider is willing again; delivery has come by and said why it sends nothing."""
    stage.recorder.resume("rezulto/bulk")
    wait(lambda: queue(stage, message)[0]["reason"] == "registry unavailable", "delivery to look")


def moved_away(path: Path) -> Callable[[], None]:
    aside = path.with_suffix(".away")
    path.rename(aside)
    return lambda: aside.replace(path) and None


def emptied(path: Path) -> Callable[[], None]:
    back = moved_away(path)
    path.touch()
    return back


def swapped(path: Path) -> Callable[[], None]:
    back = moved_away(path)
    path.write_bytes(path.with_name("kleine-parel.sqlite").read_bytes())
    return back


def older(path: Path, backup: Path) -> Callable[[], None]:
    back = moved_away(path)
    path.write_bytes(backup.read_bytes())
    return back


def test_i3_queued_mail_waits_while_its_registry_is_away(stage: Stage) -> None:
    who = reader(stage)
    waiting = queued_while_away(stage, who)
    put_back = moved_away(file_of(stage))
    try:
        kept_back(stage, waiting)
        assert not [m for m in stage.recorder.mails if m.recipient == who]
    finally:
        put_back()
    green(stage)
    assert len(arrived(stage, [who])) == 1


@pytest.mark.parametrize("trouble", [moved_away, emptied, swapped])
def test_i3_i13_without_the_right_registry_mail_is_stored_undecided_and_nothing_leaves(
    stage: Stage, trouble: Callable[[Path], Callable[[], None]]
) -> None:
    who, other = reader(stage), person()
    put_back = trouble(file_of(stage))
    try:
        assert "registry of rezulto" in red(stage)
        sent = send(stage, "rezulto-crm", news(who), [who])
        assert sent.code == 250, sent.reply
        (row,) = in_state(stage, sent.id, "undecided")
        assert who not in str(row)
        office = send(stage, "kleine-parel-office", mail("wil@dekleineparel.nl", [other]), [other])
        assert office.code == 250
        assert len(arrived(stage, [other])) == 1, "I-12: the other organisation goes on"
        assert not [m for m in stage.recorder.mails if m.recipient == who]
        wait(lambda: stage.get("observe", "/healthz")[0] == 200, "/healthz to stay green")
    finally:
        put_back()
    green(stage)
    assert len(arrived(stage, [who])) == 1
    assert queue(stage, sent.id) == []


def test_r022_the_postmaster_is_reached_also_without_marks_and_without_a_registry(stage: Stage) -> None:
    put_back = moved_away(file_of(stage))
    try:
        red(stage)
        sent = send(stage, "rezulto-crm", mail(REZULTO, ["Postmaster"]), ["Postmaster"])
        assert sent.code == 250, sent.reply
        assert {row["state"] for row in queue(stage, sent.id)} == {"queued"}
    finally:
        put_back()
    green(stage)
    wait(lambda: any(sent.id.encode() in m.content for m in stage.recorder.mails), "the postmaster's mail")
    (copy,) = [m for m in stage.recorder.mails if sent.id.encode() in m.content]
    assert copy.recipient == REZULTO, "the address the settings name"


def test_i13_an_older_backup_forgets_no_opt_out(stage: Stage) -> None:
    who, other = reader(stage), reader(stage)
    assert send(stage, "rezulto-crm", news(who), [who]).code == 250
    (copy,) = arrived(stage, [who])
    path, backup = file_of(stage), stage.folder / "backup.sqlite"
    with sqlite3.connect(path) as source, sqlite3.connect(backup) as target:
        source.backup(target)
    source.close()
    target.close()
    assert one_click(opt_out_url(copy.content)) == 200
    wait(lambda: send(stage, "rezulto-crm", news(who), [who]).code == 550, "the block")
    shown = ["registry", "show", "--organisation", "rezulto", "--to", who, "--operator", "test", "--reason", "look"]
    wait(lambda: "opt-out" in stage.command(*shown), "the opt-out in the registry itself")

    older(path, backup)
    assert "registry of rezulto" in red(stage)
    undecided = send(stage, "rezulto-crm", news(who, other), [who, other])
    assert undecided.code == 250
    in_state(stage, undecided.id, "undecided")

    assert stage.stop() == 0
    for suffix in ("-wal", "-shm", ".away"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    stage.start()
    assert send(stage, "rezulto-crm", news(who), [who]).code == 550, "the journal was replayed before anything else"
    assert len(arrived(stage, [other])) == 1
    assert [m.recipient for m in stage.recorder.mails].count(who) == 1


def test_i13_serve_makes_no_registry_and_says_what_to_do(make_stage: MakeStage) -> None:
    stage = make_stage()
    node = places(stage.state, "rezulto").node
    node.rename(node.with_suffix(".away"))
    ended = serve(stage)
    assert ended.returncode == 2
    assert "registry init --organisation rezulto" in ended.stderr
    assert not node.exists()
    node.with_suffix(".away").rename(node)

    key = stage.state / "credentials" / "spool.key"
    key.rename(key.with_suffix(".away"))
    ended = serve(stage)
    assert ended.returncode == 2
    assert f"{key}: missing" in ended.stderr
    assert "briefgeheim keys init" in ended.stderr
    key.with_suffix(".away").rename(key)

    rules = stage.folder / "config" / "organisations" / "rezulto.yaml"
    rules.write_text(rules.read_text("utf-8") + "\nunknown_key: 1\n", "utf-8")
    ended = serve(stage)
    assert ended.returncode == 2
    assert "rezulto.yaml:" in ended.stderr
    assert "unknown_key" in ended.stderr
