"""The published truth table is what the code decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.load import load
from gateway.policy.table import STATES, main, page
from tests.policy.example import ORGANISATION

ROOT = Path(__file__).parents[2]


def row(text: str, words: str) -> dict[str, str]:
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return dict(zip(lines[0], next(cells for cells in lines if cells[0] == words), strict=True))


def test_the_page_in_docs_is_current() -> None:
    """Renew with `python -m gateway.policy.table config > docs/decisions.md`."""
    made = page(load(ROOT / "config" / "gateway.yaml").organisations)
    assert (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8") == made


def test_the_command_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(ROOT / "config") == 0
    assert capsys.readouterr().out == (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")


def test_every_state_and_stream_has_a_cell() -> None:
    text = page([ORGANISATION])
    for words in STATES:
        assert set(row(text, words)) == {"person", *map(str, ORGANISATION.streams)}


def test_cells_are_asked_from_the_decision_itself() -> None:
    text = page([ORGANISATION])
    assert row(text, "agreed")["newsletter"] == "deliver: list-consent"
    assert row(text, "agreed, tracking too")["newsletter"] == "deliver, tracked: list-consent"
    assert row(text, "tracking taken back")["newsletter"] == "deliver: list-consent"
    assert row(text, "nobody (not in the registry)")["newsletter"] == "refuse: list-consent"
    assert row(text, "opted out by this mail's link")["participation"] == "refuse: opt-out"
    assert row(text, "opted out by this mail's link")["personal"] == "–"
    assert row(text, "withdrew from another list")["newsletter"] == "deliver: list-consent"
    assert row(text, "objected to all marketing")["informational"] == "deliver: reference"
    assert row(text, "restricted, mail already queued")["webshop"] == "hold: restriction"
    assert row(text, "erased")["rights"] == "deliver: basis"
    assert row(text, "minor, no guardian")["notification"] == "refuse: minor"
    assert row(text, "agreed, but the mail carries an unrelated offer")["informational"] == "refuse: offer"
