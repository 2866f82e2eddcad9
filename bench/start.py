"""What a start costs: commands, the whole gateway, and a worker that comes back after it was killed.

usage:      python -m bench.start [--rounds N]
what:       processor time against that of a bare interpreter in the same run; memory that a worker has for itself
takes→gives: options → figures on standard output
knows not:  mail
standard:   DESIGN §6: ratios within one run, never an absolute time
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import TypeVar

from bench import machine
from bench.saying import say
from gateway.cli import run
from gateway.demo.stage import Stage, below, children, workers

_COMMANDS = (["--help"], ["explain", "--help"], ["check-config", "--config", "config/gateway.yaml"])
_BACK_LIMIT = 60.0
_T = TypeVar("_T")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.start", description="What a start costs.")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    for line in machine.described():
        say(line)
    bare = median(_spent(["-c", "pass"]) for _ in range(rounds))
    imports = median(_spent(["-c", "import gateway.app.worker"]) for _ in range(rounds))
    say(f"a bare interpreter: {bare * 1000:.0f} ms of CPU = 1", "", f"{'import of a worker':28} {imports / bare:6.1f}")
    for words in _COMMANDS:
        cost = median(_spent(["-m", "gateway", *words]) for _ in range(rounds))
        say(f"{' '.join(words[:2]):28} {cost / bare:6.1f}")
    with tempfile.TemporaryDirectory() as place, closing(Stage(Path(place), run)) as stage:
        stage.build()
        found = [_round(stage) for _ in range(rounds)]
    say(f"{'serve, two workers and page':28} {median(f[0] for f in found) / bare:6.1f}")
    say(f"{'a killed worker comes back':28} {median(f[1] for f in found) / bare:6.1f}")
    say(f"of its own a worker has {median(f[2] for f in found) / median(f[3] for f in found):.0%} of its memory")
    return 0


def _spent(words: Sequence[str]) -> float:
    """User and system seconds of one Python process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=False, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _round(stage: Stage) -> tuple[float, float, float, float]:
    """CPU until all are ready; CPU of a worker that replaces a killed one; its own and its whole memory."""
    stage.start()
    assert stage.process is not None
    parent = stage.process.pid
    started = machine.cpu_seconds([parent, *below(parent), *children(parent)])
    old = set(workers(parent))
    os.kill(min(old), signal.SIGKILL)
    (new,) = _until(lambda: set(workers(parent)) - old)
    _until(lambda: stage.get("observe", "/readyz")[0] == 200)
    returned, (own, whole) = machine.cpu_seconds([new]), _memory(new)
    stage.stop()
    return started, returned, own, whole


def _until(there: Callable[[], _T]) -> _T:
    end = time.monotonic() + _BACK_LIMIT
    while not (found := there()):
        if time.monotonic() > end:
            raise TimeoutError("the worker did not come back")
        time.sleep(0.01)
    return found


def _memory(pid: int) -> tuple[int, int]:
    """What this process alone has, and all it uses, in KiB (proc(5), smaps_rollup)."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
    return sizes["Private_Clean"] + sizes["Private_Dirty"], sizes["Rss"]


if __name__ == "__main__":
    sys.exit(main())
