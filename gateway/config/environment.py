"""The few things that come from the environment, read in one place.

what:       systemd's sockets, notify socket and credentials folder; the shared metrics folder for child processes
standard:   sd_listen_fds(3), sd_notify(3), systemd.exec(5) CREDENTIALS_DIRECTORY
"""

from __future__ import annotations

import os
from pathlib import Path

_FIRST_FD = 3


def systemd_sockets() -> dict[str, int]:
    """Sockets systemd handed over, by name (FileDescriptorName=). Empty when it handed over none."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return {}
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    return {name: _FIRST_FD + i for i, name in enumerate(names[: int(os.environ.get("LISTEN_FDS", "0"))])}


def notify_socket() -> str:
    """Where to send sd_notify datagrams, or ""."""
    return os.environ.get("NOTIFY_SOCKET", "")


def watchdog_seconds() -> float:
    """Half of the watchdog interval, or 0 when systemd expects no sign of life."""
    return int(os.environ.get("WATCHDOG_USEC", "0")) / 2e6


def child_environment(metrics: Path) -> dict[str, str]:
    """The environment of workers: ours without systemd's hand-over, plus the shared metrics folder."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("LISTEN_", "NOTIFY_SOCKET", "WATCHDOG_"))}
    return {**ours, "PROMETHEUS_MULTIPROC_DIR": str(metrics), "PYTHONUNBUFFERED": "1"}


def credentials_folder() -> Path | None:
    """The folder with credentials that systemd made for this unit (LoadCredential=), or None."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    return Path(folder) if folder else None
