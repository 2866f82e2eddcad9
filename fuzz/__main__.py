"""`python -m fuzz`: every target in a process of its own, or one; what it found is in build/fuzz.

what:       runs the targets, says for each how it ended
takes→gives: --target NAME, --seconds N → lines; exit code 1 when a target failed
fails by:   exit code
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from fuzz.targets import TARGETS


def run(name: str, seconds: int) -> bool:
    command = [sys.executable, "-m", "fuzz.one", name, "--seconds", str(seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    runs = next((line.split()[-1] for line in done.stdout.splitlines() if "number_of_executed_units" in line), "?")
    sys.stdout.write(f"{name:12} {'ok' if done.returncode == 0 else 'FAILED'}  {runs} inputs\n")
    if done.returncode:
        sys.stdout.write("\n".join([*done.stdout.splitlines()[-40:], ""]))
    sys.stdout.flush()
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Coverage-guided fuzzing of every parser.")
    parser.add_argument("--target", choices=TARGETS, help="only this one")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    given = parser.parse_args()
    results = [run(name, given.seconds) for name in ([given.target] if given.target else TARGETS)]
    return 0 if all(results) else 1


sys.exit(main())
