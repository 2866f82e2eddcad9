"""Every promise of the two policies has a row, a rule, a test that carries its number, and metrics that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.promises import Promise, load_promises
from gateway.observe.reference import declared, scraped_name
from scripts.conformance_page import tests as named_tests

ROOT = Path(__file__).parents[2]
PROMISES = [p for file in sorted((ROOT / "config" / "promises").glob("*.yaml")) for p in load_promises(file).promises]
# Rows whose filters and pages are still to come; nothing else may be put off.
MAY_COME_LATER = {"S-16", "S-24"}


def row(promise: Promise) -> str:
    return promise.id


def test_all_sixty_nine_rows_are_there() -> None:
    assert [p.id for p in PROMISES] == [f"S-{number:02}" for number in range(1, 70)]


def test_only_the_named_rows_come_later() -> None:
    assert {p.id for p in PROMISES if p.status == "later"} <= MAY_COME_LATER
    assert not [p.id for p in PROMISES if p.status == "outside"]


@pytest.mark.parametrize("promise", PROMISES, ids=row)
def test_a_promise_has_a_test_that_carries_its_number(promise: Promise) -> None:
    assert named_tests().get(promise.id), (
        f"no test in tests/conformance is named test_{promise.id.lower().replace('-', '')}_…"
    )


@pytest.mark.parametrize("promise", PROMISES, ids=row)
def test_a_promise_names_files_that_exist(promise: Promise) -> None:
    assert [name for name in promise.where if not (ROOT / "gateway" / name).is_file()] == []


@pytest.mark.parametrize("promise", PROMISES, ids=row)
def test_a_promise_counts_by_metrics_and_labels_that_exist(promise: Promise) -> None:
    metrics = {scraped_name(m).removesuffix("_total"): set(m._labelnames) for m in declared().values()}
    for metric, labels in promise.counts.items():
        assert metric in metrics, f"{metric} is not declared"
        assert set(labels) <= metrics[metric]
