"""The rows of a policy: read strictly, each once, with a reason where one is not kept here."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.load import SettingsError
from gateway.config.promises import load_promises

EXAMPLES = Path(__file__).parents[2] / "config" / "promises"
ROW = """organisation: example
policy_date: 2026-01-01
promises:
  - id: S-01
    section: Intro
    promise: People are treated well.
    rule: A rule.
    where: [plan.py]
    status: enforced
"""


def errors(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "promises.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as caught:
        load_promises(file)
    return [line.removeprefix(str(file)) for line in caught.value.errors]


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda p: p.stem)
def test_the_examples_can_be_read(file: Path) -> None:
    assert load_promises(file).organisation == file.stem


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.yaml: cannot be read: No such file"):
        load_promises(tmp_path / "none.yaml")


def test_an_unknown_key_is_named_with_its_line(tmp_path: Path) -> None:
    (line,) = errors(tmp_path, ROW + "    stauts: later\n")
    assert line.startswith(":10: ")
    assert "stauts" in line


def test_an_unknown_status_is_named_with_its_line(tmp_path: Path) -> None:
    (line,) = errors(tmp_path, ROW.replace("enforced", "done"))
    assert line.startswith(":9: ")
    assert "enforced" in line


@pytest.mark.parametrize(("status", "why"), [("later", ""), ("outside", ""), ("enforced", "    why: because\n")])
def test_only_what_is_not_kept_here_says_why_and_always_does(tmp_path: Path, status: str, why: str) -> None:
    assert "why: expected with status later or outside" in errors(tmp_path, ROW.replace("enforced", status) + why)[0]


def test_a_row_stands_once(tmp_path: Path) -> None:
    again = ROW.split("promises:\n")[1]
    assert "S-01 twice, expected each row once" in errors(tmp_path, ROW + again)[0]
