"""Every mail of a folder through the gateway's own path, twice, and what came out of it as figures.

usage:      python -m bench.corpus [FOLDER] [--workers N] [--store FILE] [--results FILE]
what:       hands each mail in as a newsletter to one reader and as private mail to everybody it names; sends nothing
knows not:  what the gateway should have done (checks.py, truth.py)
fails by:   exit 1 when a mail made the gateway fail; exit 2 without a folder
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.corpus.crew import files, walk
from bench.corpus.figures import Sums, sums, table
from bench.corpus.node import usable
from bench.corpus.passage import Passage
from bench.saying import say

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"


def main() -> int:
    options = _options()
    if not options.folder.is_dir():
        sys.stderr.write(f"no folder {options.folder}\n")
        return 2
    why = usable()
    if why:
        say(f"without postal-mime and mailauth: {why}")
    passages = list(_passages(options, node=not why))
    found = sums(passages)
    _print(found, options.misses)
    if options.results is not None:
        text = json.dumps(found.to_json(), indent=1, ensure_ascii=False, sort_keys=True)
        options.results.write_text(text + "\n", "utf-8")
    return int(any(p.outcome == "crashed" for p in passages))


def _passages(options: argparse.Namespace, *, node: bool) -> Iterator[Passage]:
    """Those of an earlier run that is kept in the store, and those of the files it had not come to."""
    known = list(_stored(options.store))
    yield from known
    done = {p.name for p in known}
    tasks = [task for task in files(options.folder) if task.name not in done]
    for number, pair in enumerate(walk(tasks, workers=options.workers, seconds=options.seconds, node=node), 1):
        if options.store is not None:
            with options.store.open("a", encoding="utf-8") as stream:
                stream.write("".join(json.dumps(p.to_json()) + "\n" for p in pair))
        yield from pair
        if sys.stderr.isatty() or number % 500 == 0:
            sys.stderr.write(f"\r{number} of {len(tasks)}")
    sys.stderr.write("\n")


def _stored(store: Path | None) -> Iterator[Passage]:
    if store is None or not store.exists():
        return
    for line in store.read_text("utf-8").splitlines():
        values: dict[str, Any] = json.loads(line)
        yield Passage(**{**values, "wrong": [(name, text) for name, text in values["wrong"]]})


def _print(found: Sums, misses: int) -> None:
    say(f"{found.mails} mails", "")
    for way, outcomes in found.to_json()["outcomes"].items():
        say(f"as {way}:", *(f"  {number:6}  {why}" for why, number in outcomes.items()))
        times = sorted(found.times[way])
        if times:
            say(f"  ms per mail: median {statistics.median(times):.1f}, most {times[-1]:.1f}", "")
    say(*table(found.to_json()), "")
    by_property: dict[str, list[list[str]]] = {}
    for miss in sorted(found.misses):
        by_property.setdefault(f"{miss[2]} ({miss[1]})", []).append(miss)
    for name, rows in sorted(by_property.items()):
        say(f"{name}: {len(rows)}", *(f"  {file}: {text}" for file, _, _, text in rows[:misses]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.corpus", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=CORPUS, help="mails (*.eml); default the open corpus")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=30, help="for one mail, then its worker is killed")
    parser.add_argument("--store", type=Path, help="keep passages here, one JSON a line, and go on where a run ended")
    parser.add_argument("--results", type=Path, help="write the figures here, as JSON")
    parser.add_argument("--misses", type=int, default=10, help="of each kind, how many are named")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
