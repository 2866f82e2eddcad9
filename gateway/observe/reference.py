"""`docs/metrics.md`, written from the metrics themselves, so that page and program cannot differ.

what:       every metric: the name it is scraped by, kind, labels, meaning
takes→gives: `observe.metrics` → Markdown; `python -m gateway.observe.reference` prints it
knows not:  values
fails by:   nothing
standard:   Prometheus text exposition (a counter is scraped with `_total` behind its name)
"""

from __future__ import annotations

import sys

from prometheus_client.metrics import MetricWrapperBase

from gateway.observe import metrics

_HEAD = """# Metrics

Made by `python -m gateway.observe.reference`; a test compares this page with the program.

`/metrics` of the parent process gives all workers and the opt-out page together, in the Prometheus text format, on the
address and port of `observe:` in the settings. Label values are names from the settings, rule and filter names, and
reply codes; never an address, a subject or a pseudonym. Counters start at zero with the parent.

| metric | kind | labels | meaning |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(f"{_row(metric)}\n" for metric in declared().values())


def declared() -> dict[str, MetricWrapperBase]:
    """Every metric by the name it has in the code, in the order of the file."""
    return {name: value for name, value in vars(metrics).items() if isinstance(value, MetricWrapperBase)}


def scraped_name(metric: MetricWrapperBase) -> str:
    """The name in the exposition."""
    described = next(iter(metric.describe()))
    return f"{described.name}_total" if described.type == "counter" else described.name


def _row(metric: MetricWrapperBase) -> str:
    described = next(iter(metric.describe()))
    labels = ", ".join(f"`{label}`" for label in metric._labelnames) or "–"
    return f"| `{scraped_name(metric)}` | {described.type} | {labels} | {described.documentation} |"


if __name__ == "__main__":
    sys.stdout.write(page())
