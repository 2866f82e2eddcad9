"""What it was measured on: cores, memory, versions, and what its RSA can do."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from bench.figures import signatures
from bench.process import tool

_PACKAGES = ("aiosmtpd", "cryptography", "pydantic", "turbohtml", "uvloop")


def described() -> list[str]:
    """Lines: machine and versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return [
        f"machine   {cores()} cores, {memory:.0f} GiB, {platform.machine()}, {platform.system()} {platform.release()}",
        f"python    {platform.python_version()}; {packages}",
        f"postfix   {_said('postconf', '-d', '-h', 'mail_version') or 'not installed'}",
        f"openssl   {_said('openssl', 'version') or 'not installed'}",
        f"load      {os.getloadavg()[0]:.1f} before the start (other work makes every figure smaller)",
    ]


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))


def signatures_per_second(seconds: int) -> float | None:
    """RSA-2048 on all cores; None without openssl."""
    if tool("openssl") is None:
        return None
    return signatures(_said("openssl", "speed", "-multi", str(cores()), "-seconds", str(seconds), "rsa2048"))


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes so far (proc(5), stat fields 14 and 15)."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(") ")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def _said(*command: str) -> str:
    program = tool(command[0])
    if program is None:
        return ""
    done = subprocess.run([program, *command[1:]], capture_output=True, check=True, timeout=120)
    return done.stdout.decode().strip()
