"""How far a long command is: a bar on a terminal, plain lines elsewhere.

what:       octets read of a file, rows, rows per second, time left
takes→gives: the file's size → a function to call with (octets, rows)
knows not:  what is read
fails by:   nothing
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

Progress = Callable[[int, int], None]
_EVERY = 100_000  # rows between two plain lines


@contextmanager
def progress_on(size: int) -> Iterator[Progress]:
    """Tells on standard error until it ends; `size` is the file's, in octets."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(size)
        return
    rate = TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,} rows/s")
    columns = (BarColumn(), TaskProgressColumn(), rate, TimeElapsedColumn(), TextColumn("left:"), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=max(size, 1), rows=0, rate=0)

        def tell(octets: int, rows: int) -> None:
            elapsed = bar.tasks[0].elapsed or 0
            bar.update(task, completed=octets, rows=rows, rate=int(rows / elapsed) if elapsed else 0)

        yield tell


def _lines(size: int) -> Progress:
    told = 0

    def tell(octets: int, rows: int) -> None:
        nonlocal told
        if rows // _EVERY > told:
            told = rows // _EVERY
            sys.stderr.write(f"{rows} rows, {min(100, octets * 100 // max(size, 1))} % of the file\n")

    return tell
