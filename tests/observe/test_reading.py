"""Sums over what /metrics says."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gateway.observe.reading import Samples, read_samples


def samples() -> Samples:
    registry = CollectorRegistry()
    mails = Counter("mails", "Mails", ["organisation", "rule"], registry=registry)
    mails.labels("alpha", "opt-out").inc(2)
    mails.labels("alpha", "bounce").inc(3)
    mails.labels("beta", "opt-out").inc(5)
    Gauge("sessions", "Sessions", ["listener"], registry=registry).labels("relay").set(7)
    seconds = Histogram("seconds", "Seconds", ["organisation"], buckets=(1, 2), registry=registry)
    seconds.labels("alpha").observe(1.5)
    seconds.labels("alpha").observe(0.5)
    return read_samples(generate_latest(registry).decode())


def test_a_counter_is_summed_over_the_labels_that_are_left_open() -> None:
    assert samples().total("mails", "alpha", {}) == 5


def test_labels_select() -> None:
    assert samples().total("mails", "alpha", {"rule": "opt-out"}) == 2


def test_another_organisation_does_not_count() -> None:
    assert samples().total("mails", "beta", {}) == 5
    assert samples().total("mails", "gamma", {}) == 0


def test_a_metric_without_organisation_counts_for_each() -> None:
    assert samples().total("sessions", "alpha", {}) == 7


def test_a_histogram_counts_its_observations() -> None:
    assert samples().total("seconds", "alpha", {}) == 2
