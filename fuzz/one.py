"""One target in this process: `python -m fuzz.one NAME --seconds N`. The fuzzer ends the process itself."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gateway"]):
    from fuzz.targets import TARGETS

FOLDER = Path("build") / "fuzz"
LONGEST = 16_384  # octets of one input; longer ones only make it slow
SLOWEST = 10  # seconds that one input may take before it counts as a crash
MEMORY = 2048  # MiB


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    target = TARGETS[given.name]
    learnt, seeds = FOLDER / "corpus" / given.name, FOLDER / "seeds" / given.name
    for folder in (learnt, seeds):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (seeds / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed[:LONGEST])
    limits = [
        f"-max_total_time={given.seconds}",
        f"-max_len={LONGEST}",
        f"-timeout={SLOWEST}",
        f"-rss_limit_mb={MEMORY}",
    ]
    told = [f"-artifact_prefix={FOLDER}/{given.name}-", "-print_final_stats=1", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *limits, *told, str(learnt), str(seeds)], target.run)
    atheris.Fuzz()


main()
