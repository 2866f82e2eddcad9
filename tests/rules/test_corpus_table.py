"""The table of docs/filters.md says what was measured, and what was measured speaks of no corpus text."""

from __future__ import annotations

import json
import re

from scripts.corpus_table import PAGE, RESULTS, written


def test_the_table_is_what_was_measured() -> None:
    page = PAGE.read_text("utf-8")
    assert written(page, json.loads(RESULTS.read_text("utf-8"))) == page, "run python -m scripts.corpus_table"


def test_what_was_measured_holds_no_address_and_no_url() -> None:
    text = RESULTS.read_text("utf-8")
    text = re.sub(r'"[^"]*\.(?:eml|html)"', '""', text)  # names of files
    assert re.findall(r"https?://|[\w.]+@[\w.]+", text) == []
