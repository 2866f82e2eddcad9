"""The settings page says what the program says."""

from __future__ import annotations

import re

import pytest

from gateway.config import reference
from gateway.config.base import Settings
from gateway.config.gateway import Gateway
from gateway.config.organisation import Organisation
from tests.config.samples import ROOT

PAGE = ROOT / "docs" / "settings.md"


def test_the_page_is_the_one_the_program_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference.page(), (
        "run: python -m gateway.config.reference > docs/settings.md"
    )


@pytest.mark.parametrize("top", [Gateway, Organisation])
def test_every_key_says_what_it_means(top: type[Settings]) -> None:
    for model in reference._models(top, set()):
        silent = [name for name, info in model.model_fields.items() if not info.description]
        assert silent == [], model.__name__


def test_every_link_leads_to_a_section() -> None:
    text = reference.page()
    sections = {line[4:].lower() for line in text.splitlines() if line.startswith("### ")}
    assert set(re.findall(r"\(#([a-z]+)\)", text)) <= sections


def test_types_are_in_words_of_the_settings() -> None:
    text = reference.page()
    assert "| `message_size` | size | `50MiB` |" in text
    assert "| `retry` | list of duration | `5m, 30m, 1h, 2h, 4h` |" in text
    assert "| `networks` | list of network |" in text
    assert "| `dkim` | yes or no | `no` |" in text
    assert "typing" not in text
    assert "unclassified" not in text
