"""`briefgeheim demo`, as a process: it judges itself, so its exit code is the test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.cli.example import ROOT, run


def test_the_demo_does_what_it_says_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "demo", "--once"],
        cwd=ROOT, env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything was as it should be." in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_without_the_example_settings_it_says_what_it_needs(tmp_path: Path) -> None:
    result = run("demo", "--once", "--config", str(tmp_path / "gateway.yaml"))
    assert result.exit_code == 2
    assert "example settings" in result.output
