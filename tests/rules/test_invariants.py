"""Every guarantee names tests that exist, and files that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = dict(re.findall(r"^\| (I-\d+) \|(.+)$", (ROOT / "docs" / "invariants.md").read_text("utf-8"), re.MULTILINE))


def names_in(path: Path) -> set[str]:
    """The names of a file's tests, as pytest would collect them."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            found |= {
                f"{node.name}::{item.name}"
                for item in node.body
                if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return {name for name in found if name.rsplit("::", 1)[-1].startswith("test_")}


def test_the_thirteen_are_all_there() -> None:
    assert list(ROWS) == [f"I-{number}" for number in range(1, 14)]


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_guarantee_names_tests_that_exist(row: str) -> None:
    _rule, _where, proof = row.strip(" |").split(" | ")
    named = re.findall(r"`([\w/.]+\.py)::([\w:]+)`", proof)
    assert len(named) == proof.count("`") // 2
    assert len(named) >= 2
    assert [f"{file}::{name}" for file, name in named if name not in names_in(ROOT / file)] == []


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_guarantee_names_where_its_rule_lives(row: str) -> None:
    _rule, where, _proof = row.strip(" |").split(" | ")
    files = re.findall(r"`([\w/.]+)`", where)
    assert files
    assert [file for file in files if not (ROOT / file).is_file()] == []
