"""Escrow files at the command line: made once, compared, and put back without replacing anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.backup import escrow
from gateway.cli import run
from gateway.demo.stage import Stage, StageError


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(escrow, "_COST", 2**4)
    made = Stage(tmp_path / "stage", run)
    (tmp_path / "stage").mkdir()
    made.build()
    (tmp_path / "phrase").write_text("correct horse battery staple\n")
    yield made
    made.close()


def words(tmp_path: Path, *more: str) -> tuple[str, ...]:
    return ("keys", *more, "--passphrase-file", str(tmp_path / "phrase"))


def test_keys_come_back_from_escrow_and_nothing_is_replaced(stage: Stage, tmp_path: Path) -> None:
    folder, file = stage.state / "credentials", tmp_path / "keys.escrow"
    stage.command(*words(tmp_path, "escrow", str(file)))
    assert file.stat().st_mode & 0o777 == 0o600
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    (folder / "rezulto.pseudonym").unlink()
    (folder / "spool.key").write_bytes(b"1 " + b"A" * 43 + b"=\n")
    said = stage.command(*words(tmp_path, "recover", str(file)))
    assert "made  " in said
    assert "spool.key: is not as in the escrow" in said
    after = {p.name: p.read_bytes() for p in folder.iterdir()}
    assert after.pop("spool.key") != before.pop("spool.key")
    assert after == before
    assert {p.stat().st_mode & 0o777 for p in folder.iterdir()} == {0o600}


def test_an_escrow_is_compared_without_its_passphrase(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "keys.escrow"
    stage.command(*words(tmp_path, "escrow", str(file)))
    assert "holds every key in use" in stage.command("keys", "escrow", str(file), "--check")
    assert "it opens" in stage.command(*words(tmp_path, "escrow", str(file), "--check", "--open"))
    stage.command("keys", "rotate", "token", "--organisation", "rezulto")
    with pytest.raises(StageError, match=r"rezulto\.token: has a newer key than the escrow"):
        stage.command("keys", "escrow", str(file), "--check")


def test_a_changed_password_shows_only_when_it_is_opened(stage: Stage, tmp_path: Path) -> None:
    secret, file = stage.state / "credentials" / "rezulto.provider.bulk", tmp_path / "keys.escrow"
    secret.write_text("old password\n")
    secret.chmod(0o600)
    stage.command(*words(tmp_path, "escrow", str(file)))
    secret.write_text("new password\n")
    stage.command("keys", "escrow", str(file), "--check")
    with pytest.raises(StageError, match=r"rezulto\.provider\.bulk: is not as in the escrow"):
        stage.command(*words(tmp_path, "escrow", str(file), "--check", "--open"))


def test_an_escrow_file_is_never_written_over(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "keys.escrow"
    file.write_bytes(b"somebody's")
    with pytest.raises(StageError, match="is there already"):
        stage.command(*words(tmp_path, "escrow", str(file)))
    assert file.read_bytes() == b"somebody's"
    with pytest.raises(StageError, match="not an escrow file"):
        stage.command("keys", "escrow", str(file), "--check")


def test_another_passphrase_opens_nothing(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "keys.escrow"
    stage.command(*words(tmp_path, "escrow", str(file)))
    (tmp_path / "phrase").write_text("correct horse battery stable\n")
    with pytest.raises(StageError, match="another passphrase"):
        stage.command(*words(tmp_path, "recover", str(file)))


def test_a_short_passphrase_is_refused(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "phrase").write_text("short\n")
    with pytest.raises(StageError, match="at least 16 characters"):
        stage.command(*words(tmp_path, "escrow", str(tmp_path / "keys.escrow")))
    assert not (tmp_path / "keys.escrow").exists()
