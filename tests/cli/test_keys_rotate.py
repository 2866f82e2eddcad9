"""Rotation without a running gateway; with one see e2e/test_rotation.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli import run
from gateway.demo.stage import Stage, StageError
from tests.e2e.post import consent


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("keys"), run)
    made.build()
    made.people("rezulto", [consent(f"p{n}@ontvanger.example", "list:lestips") for n in range(20)])
    yield made
    made.close()


def test_without_a_gateway_the_command_lifts_the_rows_itself(stage: Stage) -> None:
    assert "Done" in stage.command("keys", "rotate", "pseudonym", "--organisation", "rezulto")
    status = json.loads(stage.command("registry", "status", "--organisation", "rezulto"))
    assert (status["layer"], status["waiting"], status["people"]) == (1, 0, 20)


def test_putting_a_key_to_use_again_adds_none(stage: Stage) -> None:
    file = stage.state / "credentials" / "rezulto.pseudonym"
    before = file.read_bytes()
    stage.command("keys", "apply", "pseudonym", "--organisation", "rezulto")
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("rotate", "pseudonym"), "--organisation: expected one of kleine-parel, rezulto"),
        (("rotate", "token", "--organisation", "nobody"), "expected one of"),
        (("rotate", "spool", "--organisation", "rezulto"), "the whole gateway's"),
        (("retire", "token", "1", "--organisation", "rezulto"), "every key of this kind is needed"),
        (("retire", "pseudonym", "0", "--organisation", "rezulto"), "every key of this kind is needed"),
        (("retire", "spool", "1"), "the one in use"),
        (("retire", "spool", "9"), "has no key 9"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(stage: Stage, words: tuple[str, ...], why: str) -> None:
    with pytest.raises(StageError, match=why):
        stage.command("keys", *words)


def test_cases_keys_rotate_and_the_old_one_can_go(stage: Stage) -> None:
    rotated = stage.command("keys", "rotate", "cases", "--organisation", "rezulto")
    assert "Done" in rotated
    assert "key 1 is gone" in stage.command("keys", "retire", "cases", "1", "--organisation", "rezulto")


def test_a_missing_key_file_is_named(stage: Stage, tmp_path: Path) -> None:
    file = stage.state / "credentials" / "kleine-parel.token"
    aside = file.rename(tmp_path / file.name)
    try:
        with pytest.raises(StageError, match=r"kleine-parel\.token: missing"):
            stage.command("keys", "rotate", "token", "--organisation", "kleine-parel")
    finally:
        aside.rename(file)
