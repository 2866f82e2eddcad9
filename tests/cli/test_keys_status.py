"""What `keys status` shows: every file, what still needs which key, and what is missing; never a key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli import run
from gateway.demo.stage import Stage, StageError


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("status"), run)
    made.build()
    yield made
    made.close()


def test_every_key_file_has_its_line(stage: Stage) -> None:
    found = [json.loads(line) for line in stage.command("keys", "status", "--json").splitlines()]
    names = [f"{o}.{kind}" for o in ("kleine-parel", "rezulto") for kind in ("pseudonym", "token", "cases")]
    assert [f["file"] for f in found] == ["spool.key", *names]
    assert all(f["changed"] and f["keys"] and f["uses"] and not f["trouble"] for f in found)


def test_no_key_is_ever_shown(stage: Stage) -> None:
    shown = stage.command("keys", "status") + stage.command("keys", "status", "--json")
    for file in (stage.state / "credentials").glob("*"):
        if not file.name.endswith(".pem"):
            for word in file.read_text("utf-8").split():
                assert len(word) < 20 or word not in shown


def test_what_is_missing_is_said_and_the_command_fails(stage: Stage, tmp_path: Path) -> None:
    file = stage.state / "credentials" / "rezulto.token"
    aside = file.rename(tmp_path / file.name)
    try:
        with pytest.raises(StageError, match=r"missing: .*rezulto\.token"):
            stage.command("keys", "status")
    finally:
        aside.rename(file)


def test_a_registry_in_trouble_is_told_with_its_key(stage: Stage, tmp_path: Path) -> None:
    file = stage.state / "registry" / "rezulto.sqlite"
    aside = file.rename(tmp_path / file.name)
    try:
        with pytest.raises(StageError, match=r"rezulto\.pseudonym: keys 0; .*registry file is missing"):
            stage.command("keys", "status")
    finally:
        aside.rename(file)
