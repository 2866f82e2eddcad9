"""The page about metrics."""

from __future__ import annotations

import re

from prometheus_client import CollectorRegistry, Counter, generate_latest

from gateway.observe import reference


def test_every_metric_says_what_it_counts() -> None:
    for name, metric in reference.declared().items():
        (described,) = metric.describe()
        assert described.name.startswith("briefgeheim_"), name
        assert len(described.documentation.split()) > 2, name


def test_the_page_names_a_metric_as_it_is_scraped() -> None:
    registry = CollectorRegistry()
    counter = Counter("briefgeheim_example", "An example", ["organisation"], registry=registry)
    counter.labels("alfa").inc()
    assert f"\n{reference.scraped_name(counter)}{{".encode() in generate_latest(registry)


def test_no_label_can_hold_a_person() -> None:
    labels = {label for metric in reference.declared().values() for label in metric._labelnames}
    assert labels & {"person", "address", "recipient", "sender", "message", "subject", "token", "to"} == set()


def test_the_page_has_one_row_per_metric() -> None:
    rows = re.findall(r"^\| `(briefgeheim_\w+)` \|", reference.page(), re.MULTILINE)
    assert rows == [reference.scraped_name(metric) for metric in reference.declared().values()]
