"""`briefgeheim demo`, as a process: it judges itself, so its exit code is the test."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.cli.example import ROOT, run


def test_the_demo_does_what_it_says_from_any_copy_of_the_examples_and_leaves_nothing_behind(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "temporary").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "demo", "--once", "--config", str(tmp_path / "config" / "gateway.yaml")],
        cwd=ROOT, env={"TMPDIR": str(tmp_path / "temporary"), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything was as it should be." in done.stdout
    assert list((tmp_path / "temporary").iterdir()) == []


def test_without_the_example_settings_it_says_what_it_needs(tmp_path: Path) -> None:
    result = run("demo", "--once", "--config", str(tmp_path / "gateway.yaml"))
    assert result.exit_code == 2
    assert "example settings" in result.output
