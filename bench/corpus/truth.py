"""What left of the loads and links whose purpose people wrote down (bench/truth).

what:       reads the labels; compares them with what stands in a copy
takes→gives: `Sheet` of a file, `Case` → counts by label: gone, kept, changed
knows not:  why a filter took something out
fails by:   `ValueError` when a file is not the one that was labelled
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.corpus.checks import Case
from bench.corpus.loads import Link, Load, links, loads

if TYPE_CHECKING:
    from bench.corpus.passage import Passage

FOLDER = Path(__file__).parents[1] / "truth"
TO_GO = frozenset({"tracker"})
TO_STAY = frozenset({"common", "spacer", "exempt", "plain"})
TO_CLEAN = frozenset({"recorder", "redirect", "parameter", "individual"})
_CLOSED = "sealed or attached: "
Key = tuple[str, int]
Row = tuple[str, str]


@dataclass(slots=True)
class Sheet:
    """Labels of one file: (part, ordinal) → (digest, label)."""

    loads: dict[Key, Row] = field(default_factory=dict)
    links: dict[Key, Row] = field(default_factory=dict)


def sheets() -> dict[str, Sheet]:
    """By file name within the corpus."""
    made: dict[str, Sheet] = {}
    for kind in ("loads", "links"):
        with (FOLDER / f"{kind}.tsv").open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t"):
                table = getattr(made.setdefault(row["file"], Sheet()), kind)
                table[row["part"], int(row["ordinal"])] = (row["digest"], row["label"])
    return made


def judge(found: Passage, sheet: Sheet, case: Case, reported: Mapping[str, int]) -> None:
    """Count what became of each labelled address of this mail. Where texts may not be edited they are counted apart.

    `reported`: by part, how many links the gateway says it left because they hide their target.
    """
    left = {kind: _after(case, read) for kind, read in (("load", loads), ("link", links))}
    for leaf in case.leaves:
        if leaf.type != "text/html":
            continue
        where = "" if leaf.shown else _CLOSED
        _judge(found, sheet.loads, leaf.path, loads(leaf.text), left["load"], f"{where}load", 0)
        _judge(
            found, sheet.links, leaf.path, links(leaf.text), left["link"], f"{where}link", reported.get(leaf.path, 0)
        )


def _after(case: Case, read: Callable[[str], Sequence[Load | Link]]) -> Counter[str]:
    return Counter(item.digest for leaf in case.sent if leaf.type == "text/html" for item in read(leaf.text))


def _judge(
    found: Passage, table: dict[Key, Row], part: str, items: Sequence[Load | Link], left: Counter[str], what: str,
    reported: int,
) -> None:  # fmt: skip
    for item in items:
        if (part, item.ordinal) not in table:
            continue
        digest, label = table[part, item.ordinal]
        if digest != item.digest:
            raise ValueError(f"{found.name} part {part} {what} {item.ordinal}: not what was labelled")
        stays = left[digest] > 0
        left[digest] -= 1
        if stays and label in TO_CLEAN and reported > 0:
            reported -= 1
            found.add(f"{what} {label}, reported", 1, [])
            continue
        wrong = (label in TO_GO | TO_CLEAN and stays) or (label in TO_STAY and not stays)
        if what.startswith(_CLOSED):
            wrong = not stays  # nothing in there may be touched
        text = f"part {part} {what} {item.ordinal}: {'kept' if stays else 'changed'}"
        found.add(f"{what} {label}", 1, [text] if wrong else [])
