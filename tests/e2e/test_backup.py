"""The drill: a backup of a gateway at work, a day goes on, state is lost, and the restore forgets nobody."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli import run
from gateway.demo.stage import Stage, StageError
from tests.e2e.post import (
    REZULTO,
    arrived,
    consent,
    mail,
    one_click,
    opt_out_url,
    person,
    send,
    settled,
)

WHO = ("--operator", "jan", "--reason", "disk broke")
HERE = ("--organisation", "rezulto")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("backup"), run)
    made.build()
    made.start()
    yield made
    made.close()


def news(stage: Stage, who: str) -> int:
    message = mail(REZULTO, [who], stream="newsletter", list="lestips", basis="consent")
    return send(stage, "rezulto-crm", message, [who]).code


def getting_mail(stage: Stage, *people: str) -> set[str]:
    """Who of these gets news now."""
    before = len(stage.recorder.mails)
    for who in people:
        news(stage, who)
    settled(stage)
    return {m.recipient for m in stage.recorder.mails[before:]} & set(people)


def agreed(stage: Stage, *people: str) -> None:
    stage.people("rezulto", [consent(who, "list:lestips") for who in people])


def says(stage: Stage, who: str, kind: str, *more: str) -> None:
    stage.command("registry", "set", "--to", who, "--kind", kind, *more, *HERE, *WHO)


def lost(stage: Stage, how: str, backup: Path) -> None:
    for suffix in ("-wal", "-shm"):
        (stage.state / "registry" / f"rezulto.sqlite{suffix}").unlink(missing_ok=True)
    file = stage.state / "registry" / "rezulto.sqlite"
    if how == "replaced by the older one":
        shutil.copy(backup / "registry" / "rezulto.sqlite", file)
    else:
        file.unlink()


def events_of(stage: Stage, who: str) -> list[str]:
    shown = json.loads(stage.command("registry", "show", "--to", who, *HERE, *WHO, "--json"))
    return [event["kind"] for event in shown["events"]]


@pytest.mark.parametrize("how", ["deleted", "replaced by the older one"])
def test_l06_i10_a_restore_forgets_no_opt_out_objection_or_erasure(stage: Stage, tmp_path: Path, how: str) -> None:
    kept, clicked, objecting, erased, fresh = (person() for _ in range(5))
    agreed(stage, kept, clicked, objecting, erased)
    says(stage, erased, "enrolment", "--detail", "reference=training-77001")
    assert getting_mail(stage, kept, clicked, objecting, erased) == {kept, clicked, objecting, erased}
    stage.command("backup", str(tmp_path / "backup"))
    stage.command("backup", str(tmp_path / "backup"), "--verify")
    (link,) = {opt_out_url(m.content) for m in arrived(stage, [clicked])}
    assert one_click(link) == 200
    says(stage, objecting, "objection", "--scope", "marketing")
    says(stage, erased, "erasure")
    agreed(stage, fresh)
    settled(stage)
    with pytest.raises(StageError, match="is at work"):
        stage.command("restore", str(tmp_path / "backup"), *WHO)
    stage.stop()
    lost(stage, how, tmp_path / "backup")
    report = stage.command("restore", str(tmp_path / "backup"), *WHO)
    assert "1 people erased since are erased again" in report
    assert "consents and facts recorded after" in report
    stage.start()
    got = getting_mail(stage, kept, clicked, objecting, erased, fresh)
    assert got == {kept}, "consents given since are gone, so they mean no mail"
    assert set(events_of(stage, erased)) <= {"erasure"}
    assert not any(b"training-77001" in f.read_bytes() for f in (stage.state / "registry").glob("rezulto.sqlite*"))
    agreed(stage, fresh)
    assert getting_mail(stage, fresh) == {fresh}, "and may be imported again"


def test_restoring_twice_is_as_good_as_once(stage: Stage, tmp_path: Path) -> None:
    kept, objecting = person(), person()
    agreed(stage, kept, objecting)
    stage.command("backup", str(tmp_path / "backup.tar.gz"))
    says(stage, objecting, "objection", "--scope", "marketing")
    stage.stop()
    for _ in range(2):
        stage.command("restore", str(tmp_path / "backup.tar.gz"), *WHO)
    stage.start()
    assert getting_mail(stage, kept, objecting) == {kept}
    assert sorted((stage.state / "set-aside").glob("*/registry/rezulto.sqlite*"))


def test_i13_other_keys_a_damaged_backup_and_another_organisation_change_nothing(stage: Stage, tmp_path: Path) -> None:
    stage.command("backup", str(tmp_path / "backup"))
    stage.stop()
    before = snapshot(stage)
    damaged = Path(shutil.copytree(tmp_path / "backup", tmp_path / "damaged"))
    (damaged / "journal" / "rezulto.journal").write_bytes(b"x")
    refused(stage, damaged, r"journal/rezulto\.journal: is not what was written")
    (damaged / "registry" / "rezulto.sqlite").unlink()
    refused(stage, damaged, r"registry/rezulto\.sqlite: missing")
    keys = stage.state / "credentials" / "rezulto.pseudonym"
    mine = keys.read_bytes()
    keys.write_text("A" * 43 + "=\n")
    refused(stage, tmp_path / "backup", "rezulto: the backup was made with other pseudonym keys")
    keys.write_bytes(mine)
    file = stage.folder / "config" / "organisations" / "rezulto.yaml"
    text = file.read_text("utf-8")
    file.rename(tmp_path / "rezulto.yaml")
    refused(stage, tmp_path / "backup", "rezulto: is not in these settings")
    file.write_text(text, "utf-8")
    assert snapshot(stage) == before
    stage.start()


def refused(stage: Stage, backup: Path, why: str) -> None:
    with pytest.raises(StageError, match=why):
        stage.command("restore", str(backup), *WHO)


def snapshot(stage: Stage) -> dict[str, bytes]:
    """Everything below the state folder that a restore could touch."""
    rooms = ("registry", "journal", "web", "node", "cases", "spool")
    return {str(p): p.read_bytes() for room in rooms for p in (stage.state / room).rglob("*") if p.is_file()}


@pytest.mark.timeout(1200)
def test_a_restore_killed_at_any_point_is_done_again(stage: Stage, tmp_path: Path) -> None:
    kept, objecting, erased = (person() for _ in range(3))
    agreed(stage, kept, objecting, erased)
    stage.command("backup", str(tmp_path / "backup"))
    says(stage, objecting, "objection", "--scope", "marketing")
    says(stage, erased, "erasure")
    stage.stop()
    half = False
    for calls in range(1, 80, 14):
        left = killed_after(stage, tmp_path / "backup", calls)
        half = half or (stage.state / "restoring").exists()
        if not left:
            break
        if (stage.state / "restoring").exists():
            line = [sys.executable, "-m", "gateway", "serve", "--config", str(stage.config)]
            found = subprocess.run(line, capture_output=True, text=True, timeout=180)
            assert found.returncode == 2
            assert "a restore was cut off" in found.stderr
    assert half, "some kill came in the middle"
    stage.command("restore", str(tmp_path / "backup"), *WHO)
    stage.start()
    assert getting_mail(stage, kept, objecting, erased) == {kept}
    assert set(events_of(stage, erased)) <= {"erasure"}


KILLED = """
import os, signal, sys
left = int(sys.argv[1])
real = os.fsync
def fsync(file):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(file)
os.fsync = fsync
from gateway.cli import run
sys.exit(run(sys.argv[2:]))
"""


def killed_after(stage: Stage, backup: Path, calls: int) -> bool:
    """Restore in a process that `kill -9`s itself at its fsync number `calls`; whether it came to that."""
    line = ["restore", str(backup), *WHO, "--config", str(stage.config)]
    done = subprocess.run([sys.executable, "-c", KILLED, str(calls), *line], capture_output=True, timeout=180)
    return done.returncode == -signal.SIGKILL


def test_a_lost_journal_is_replaced_by_the_backups_and_that_is_said_loudly(stage: Stage, tmp_path: Path) -> None:
    kept, objecting = person(), person()
    agreed(stage, kept, objecting)
    stage.command("backup", str(tmp_path / "backup"))
    says(stage, objecting, "objection", "--scope", "marketing")
    stage.stop()
    (stage.state / "journal" / "rezulto.journal").unlink()
    report = stage.command("restore", str(tmp_path / "backup"), *WHO)
    assert "THE PRESENT JOURNAL" in report
    stage.start()
    assert getting_mail(stage, kept, objecting) == {kept}, "the registry that was set aside still told it"


def test_a_new_machine_with_the_keys_from_escrow_works_from_the_backup(stage: Stage, tmp_path: Path) -> None:
    """Everything but backup, escrow and settings is lost."""
    kept, blocked = person(), person()
    agreed(stage, kept, blocked)
    says(stage, blocked, "opt-out", "--scope", "marketing")
    phrase = tmp_path / "phrase"
    phrase.write_text("correct horse battery staple\n")
    escrow = ("--passphrase-file", str(phrase))
    stage.command("backup", str(tmp_path / "backup"), "--with-keys", str(tmp_path / "keys.escrow"), *escrow)
    assert not any("PRIVATE KEY" in p.read_text("latin-1") for p in (tmp_path / "backup").rglob("*") if p.is_file())
    stage.stop()
    stage.state.rename(tmp_path / "burnt")
    stage.state.mkdir()
    stage.command("keys", "recover", str(tmp_path / "keys.escrow"), *escrow)
    report = stage.command("restore", str(tmp_path / "backup"), *WHO)
    assert report.count("THE PRESENT JOURNAL") >= 2
    stage.start()
    assert getting_mail(stage, kept, blocked) == {kept}
    shown = stage.command("trace", "--to", kept, "--operator", "jan", "--reason", "asked", *HERE)
    assert "DELIVERED" in shown, "the audit came along"
    stage.command("audit", "verify")


def test_a_backup_is_private_whole_and_never_written_over(stage: Stage, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    who = person("canary")
    agreed(stage, who)
    stage.command("backup", str(target))
    assert {p.stat().st_mode & 0o777 for p in target.rglob("*") if p.is_file()} == {0o600}
    assert {p.stat().st_mode & 0o777 for p in [target, *target.rglob("*")] if p.is_dir()} == {0o700}
    content = b"".join(p.read_bytes() for p in target.rglob("*") if p.is_file())
    for secret in (stage.state / "credentials").iterdir():
        assert secret.read_bytes().strip().split(b" ")[-1] not in content
    assert who.encode() not in content
    before = (target / "manifest.json").read_bytes()
    refuse = (str(target), str(tmp_path / "other.tar"))
    (tmp_path / "other.tar").write_bytes(b"somebody's")
    for place in refuse:
        with pytest.raises(StageError, match="is there already"):
            stage.command("backup", place)
    assert (target / "manifest.json").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["backup", "other.tar"], "nothing half is left"


def test_dated_backups_are_kept_so_many_and_nothing_else_is_deleted(stage: Stage, tmp_path: Path) -> None:
    for name in ("20260101T033000Z", "20260102T033000Z", "20260103T033000Z"):
        stage.command("backup", str(tmp_path / name))
    (tmp_path / "20250101T033000Z").mkdir()
    (tmp_path / "notes").write_text("not a backup")
    said = stage.command("backup", str(tmp_path), "--dated", "--keep", "2")
    left = sorted(p.name for p in tmp_path.iterdir())
    assert left[:3] == ["20250101T033000Z", "20260103T033000Z", left[2]]
    assert left[2] > "20260103"
    assert left[3:] == ["notes"]
    assert said.count("deleted") == 2
    stage.command("backup", str(tmp_path / left[2]), "--verify")
    with pytest.raises(StageError, match="only with --dated"):
        stage.command("backup", str(tmp_path / "x"), "--keep", "2")
