"""Reading back what /metrics says, for commands that show numbers of the running gateway.

what:       `Samples`: sums over labels
takes→gives: Prometheus text exposition → sums
knows not:  where the text came from
fails by:   `ValueError` on text that is no exposition
standard:   Prometheus text exposition
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

_SUFFIXES = ("", "_total", "_count")


@dataclass(frozen=True, slots=True)
class Samples:
    """`found`: (sample name, labels, value) in the order of the text."""

    found: tuple[tuple[str, Mapping[str, str], float], ...]

    def total(self, metric: str, organisation: str, labels: Mapping[str, str]) -> float:
        """The sum over all samples of `metric` (a histogram: how many) with these labels; of this organisation where
        the metric says one."""
        names = {metric + suffix for suffix in _SUFFIXES}
        return sum(
            value
            for name, said, value in self.found
            if name in names
            and said.get("organisation", organisation) == organisation
            and all(said.get(label) == wanted for label, wanted in labels.items())
        )


def read_samples(text: str) -> Samples:
    """All samples of an exposition."""
    families = text_string_to_metric_families(text)
    return Samples(tuple((s.name, dict(s.labels), float(s.value)) for family in families for s in family.samples))
