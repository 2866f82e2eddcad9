"""What all tests share: tools that are not Python, named loudly when they are missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests import environment  # noqa: F401 first of all
from tests.stages import altered, make_stage, shared

__all__ = ["altered", "make_stage", "shared"]

NODE_MODULES = Path(__file__).parent / "clients" / "node_modules"
_LONG = (
    "e2e/test_kill.py", "e2e/test_backup.py", "e2e/test_erasure.py", "e2e/test_fail_closed.py", "e2e/test_rotation.py",
    "registry/test_intake.py", "e2e/test_accountability.py", "cli/test_demo.py",
)  # fmt: skip
_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _there(tool: str) -> bool:
    if tool.startswith("npm:"):
        return (NODE_MODULES / tool.removeprefix("npm:")).exists()
    return shutil.which(tool, path=_PATH) is not None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests first: with several test workers the others run beside them instead of waiting for them."""
    items.sort(key=lambda item: next((n for n, file in enumerate(_LONG) if file in item.nodeid), len(_LONG)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test whose tool is missing does not run; in CI that is a failure, elsewhere it is named at the end."""
    for mark in item.iter_markers("needs"):
        absent = [tool for tool in mark.args if not _there(tool)]
        if not absent:
            continue
        if os.environ.get("CI"):
            pytest.fail(f"needs {', '.join(absent)}, which is not installed", pytrace=False)
        pytest.skip(f"needs {', '.join(absent)}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("NOT RUN: these tests need something that is not here")
        for report in skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            terminalreporter.write_line(f"{report.nodeid}: {reason}")
