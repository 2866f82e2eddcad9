"""What the measured numbers say: medians, ratios, the table, and the few texts that are read.

what:       rounds → lines of a table; output of smtp-sink and openssl → numbers
knows not:  processes, clocks, sockets
fails by:   `ValueError` on text that is not what the tool prints
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

_SIGNS = re.compile(r"^rsa\s+2048 bits\s+\S+\s+\S+\s+([\d.]+)\s+[\d.]+", re.M)
_MAILS = re.compile(rb"\bmesg=(\d+)")


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement: `number` of mails or copies arrived at the sink in `seconds`."""

    number: int
    seconds: float
    cpu: float = 0.0
    """CPU seconds of the processes that were measured, 0 where nobody looked."""

    @property
    def rate(self) -> float:
        """Per second."""
        if self.seconds <= 0:
            raise ValueError(f"{self.number} in {self.seconds} seconds: nothing was measured")
        return self.number / self.seconds


@dataclass(frozen=True, slots=True)
class Result:
    """One load: our rounds and the peer's, taken by turns. `peer` is empty where there is no peer."""

    name: str
    unit: str
    ours: Sequence[Round]
    peer: Sequence[Round]

    def rate(self) -> float:
        return median(r.rate for r in self.ours)

    def cpu(self) -> float:
        """Microseconds of our processes' CPU per mail or copy."""
        return median(r.cpu / r.number for r in self.ours) * 1e6

    def peer_rate(self) -> float | None:
        return median(r.rate for r in self.peer) if self.peer else None

    def ratio(self) -> float | None:
        """Ours to the peer's: median of the ratios within each round, so that a slow minute counts for both."""
        if not self.peer:
            return None
        return median(a.rate / b.rate for a, b in zip(self.ours, self.peer, strict=True))


def signatures(text: str) -> float:
    """RSA-2048 signatures per second, from the output of `openssl speed rsa2048`."""
    found = _SIGNS.findall(text)
    if len(found) != 1:
        raise ValueError(f"{len(found)} lines for rsa 2048 bits in the output of openssl speed; expected 1")
    return float(found[0])


def arrived(counters: bytes) -> int:
    """Mails received so far, from the running counters of `smtp-sink -c` (a tail of them will do)."""
    found = _MAILS.findall(counters.rpartition(b"\r")[0])  # the last one may be half written
    return int(found[-1]) if found else 0


def table(results: Sequence[Result]) -> list[str]:
    """Lines of a Markdown table; the rounds stand behind the medians."""
    lines = ["| load | this gateway | its CPU each | bare Postfix | ratio |", "|---|---|---|---|---|"]
    for result in results:
        ours, peer = _cell(result.rate(), result.ours), "-"
        if result.peer:
            peer = _cell(result.peer_rate() or 0.0, result.peer)
        ratio = "-" if result.ratio() is None else f"{result.ratio():.2f}"
        lines.append(f"| {result.name} ({result.unit}/s) | {ours} | {result.cpu():.0f} us | {peer} | {ratio} |")
    return lines


def _cell(rate: float, rounds: Sequence[Round]) -> str:
    each = ", ".join(f"{r.rate:.0f}" for r in rounds)
    return f"**{rate:.0f}** ({each})"
