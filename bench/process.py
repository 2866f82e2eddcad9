"""Child processes of the benchmark: their one error, and their end."""

from __future__ import annotations

import os
import shutil
import subprocess


class BenchError(Exception):
    """A part of the benchmark could not do its work; the text says which and why."""


def tool(name: str) -> str | None:
    """Where a program is; Debian keeps those of Postfix in /usr/sbin."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, then SIGKILL; returns when it is gone."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
