"""Which shard files there are, and which worker owns which.

what:       names of a shard's files; leftover shards given to workers
takes→gives: folder, number of workers → worker index → shard numbers
knows not:  what is in a shard
fails by:   `OSError` from the folder
standard:   DESIGN §4 Spool: a shard left behind by a smaller worker count is adopted
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"shard-(\d+)\.sqlite")


@dataclass(frozen=True, slots=True)
class Shard:
    """The files of shard `number` in `folder`."""

    folder: Path
    number: int

    @property
    def database(self) -> Path:
        return self.folder / f"shard-{self.number}.sqlite"

    @property
    def slots(self) -> Path:
        return self.folder / f"shard-{self.number}.slots"

    @property
    def lock(self) -> Path:
        return self.folder / f"shard-{self.number}.lock"


def present(folder: Path) -> list[Shard]:
    """Shards that have a database in `folder`, by number; none when there is no folder."""
    if not folder.is_dir():
        return []
    numbers = sorted(int(m[1]) for path in folder.iterdir() if (m := _NAME.fullmatch(path.name)))
    return [Shard(folder, number) for number in numbers]


def adopt(folder: Path, workers: int) -> dict[int, list[int]]:
    """Shard numbers per worker index: its own first, then those left behind by a larger number of workers.

    Every shard on disk is given to exactly one worker; a worker opens one `SQLiteSpool` for each.
    """
    if workers < 1:
        raise ValueError(f"workers: {workers}, expected at least 1")
    given = {worker: [worker] for worker in range(workers)}
    for shard in present(folder):
        if shard.number >= workers:
            given[shard.number % workers].append(shard.number)
    return given
