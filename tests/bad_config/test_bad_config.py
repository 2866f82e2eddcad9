"""One file per mistake in `cases/`: what is changed in the good settings, and every line an operator then reads."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from gateway.config.load import SettingsError, load

HERE = Path(__file__).parent
CASES = sorted((HERE / "cases").glob("*.yaml"))


def errors_of(folder: Path) -> list[str]:
    try:
        load(folder / "gateway.yaml")
    except SettingsError as error:
        return [line.replace(f"{folder}/", "") for line in error.errors]
    return []


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HERE / "good", tmp_path / "config"))


def test_the_good_settings_have_no_error(settings: Path) -> None:
    assert errors_of(settings) == []


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_mistake_is_told_with_file_line_key_and_what_is_expected(case: Path, settings: Path) -> None:
    mistake = YAML(typ="safe", pure=True).load(case)
    file = settings / mistake["file"]
    text = file.read_text(encoding="utf-8")
    assert mistake["replace"] in text, "the case no longer fits the good settings"
    file.write_text(text.replace(mistake["replace"], mistake["with"], 1), encoding="utf-8")
    assert errors_of(settings) == mistake["errors"]
    assert all(", expected" in line or "expected" in line for line in mistake["errors"])


def test_there_is_a_case_for_many_mistakes() -> None:
    assert len(CASES) > 80


def test_all_errors_of_all_files_are_told_at_once(settings: Path) -> None:
    for file in ("gateway.yaml", "trackers.yaml", "organisations/alpha.yaml", "organisations/beta.yaml"):
        path = settings / file
        path.write_text(path.read_text(encoding="utf-8") + "zebra: 1\n", encoding="utf-8")
    assert [line.split(":")[0] for line in errors_of(settings)] == [
        "gateway.yaml",
        "trackers.yaml",
        "organisations/alpha.yaml",
        "organisations/beta.yaml",
    ]
