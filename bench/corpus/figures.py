"""Passages → figures: how often, of how many.

what:       sums over all passages, and the rows of the table with what is aimed at
takes→gives: passages → `Sums` ↔ JSON → lines of a table
knows not:  how a passage came about
fails by:   nothing
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bench.corpus.passage import Passage
from bench.corpus.truth import TO_CLEAN

TREES = ("tree by standard library", "tree by fast-mail-parser", "tree by postal-mime")
DKIM = ("DKIM by dkimpy", "DKIM by mailauth")


@dataclass(slots=True)
class Sums:
    """By way: outcomes, how often each property was looked at, how often it was wrong."""

    mails: int = 0
    outcomes: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(Counter))
    seen: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(Counter))
    wrong: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(Counter))
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    misses: list[list[str]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "mails": self.mails,
            "outcomes": {way: dict(sorted(c.items(), key=lambda i: (-i[1], i[0]))) for way, c in self.outcomes.items()},
            "seen": {way: dict(sorted(c.items())) for way, c in self.seen.items()},
            "wrong": {way: dict(sorted(c.items())) for way, c in self.wrong.items()},
            "misses": sorted(self.misses),
        }


def sums(passages: Iterable[Passage]) -> Sums:
    made, names = Sums(), set()
    for one in passages:
        names.add(one.name)
        made.outcomes[one.way][one.outcome if one.outcome == "delivered" else f"{one.outcome}: {brief(one.why)}"] += 1
        for name, number in one.seen.items():
            made.seen[one.way][name] += number
        for name, text in one.wrong:
            made.wrong[one.way][name] += 1
            made.misses.append([one.name, one.way, name, text])
        if one.outcome == "crashed":
            made.misses.append([one.name, one.way, "crashed", one.why.strip().splitlines()[-1]])
        if one.milliseconds:
            made.times[one.way].append(one.milliseconds)
    made.mails = len(names)
    return made


def brief(why: str) -> str:
    """The reason without the place in this one mail."""
    if why[:1].isdigit():
        return (
            why.partition(": ")[2].partition(";")[0].partition(" of part ")[0].partition(": part ")[0][:90] or why[:60]
        )
    return why.strip().splitlines()[-1][:100] if "Traceback" in why else why


def table(found: dict[str, Any]) -> list[str]:
    """The figures as rows of Markdown: what, how many right of how many, share, aim."""
    rows = ["| figure | right | of | share | aim |", "|---|---|---|---|---|"]
    for title, names, aim, *ways in _ROWS:
        chosen = ways or list(found["seen"])
        seen = sum(found["seen"].get(way, {}).get(name, 0) for way in chosen for name in names)
        wrong = sum(found["wrong"].get(way, {}).get(name, 0) for way in chosen for name in names)
        share = f"{100 * (seen - wrong) / seen:.1f} %" if seen else "-"
        rows.append(f"| {title} | {seen - wrong} | {seen} | {share} | {aim} |")
    crashed = sum(n for c in found["outcomes"].values() for why, n in c.items() if why.startswith("crashed"))
    handed = sum(n for counts in found["outcomes"].values() for n in counts.values())
    return [*rows, f"| handed in without a fault of our own | {handed - crashed} | {handed} | | all |"]


_LINKS = [f"link {label}" for label in sorted(TO_CLEAN)]
_REPORTED = [f"{name}, reported" for name in _LINKS]
_ROWS: list[tuple[Any, ...]] = [
    ("requests for receipts gone", ["receipts"], "100 %"),
    ("other people's addresses in no copy", ["others"], "100 %"),
    ("opt-out visible once in each editable alternative", ["opt-out"], "100 %"),
    ("List-Unsubscribe works and is signed", ["opt-out header"], "100 %"),
    ("attachments: same octets, encoded and decoded", ["attachments"], "100 %"),
    ("signed and encrypted parts: same octets", ["sealed"], "100 %"),
    ("no word of a text lost", ["words"], "100 %"),
    ("lines and line ends valid", ["lines"], "100 %"),
    ("open trackers removed", ["load tracker"], "≥ 99 %"),
    ("individual pictures removed or made common", ["load individual"], "-"),
    ("common pictures kept", ["load common"], "≥ 99.9 %"),
    ("spacers kept", ["load spacer"], "≥ 99.9 %"),
    ("individual links of marketing cleaned or reported", [*_LINKS, *_REPORTED], "≥ 95 %", "newsletter"),
    ("· cleaned, of those not reported", _LINKS, "-", "newsletter"),
    ("individual links in people's own mail cleaned or reported", [*_LINKS, *_REPORTED], "-", "private"),
    ("opt-out, account and plain links unchanged", ["link exempt", "link plain"], "100 %"),
    ("signature verifies, by dkimpy and by mailauth", list(DKIM), "100 %"),
    ("same tree before and after, by three parsers", list(TREES), "100 %"),
]
