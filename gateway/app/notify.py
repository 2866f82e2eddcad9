"""sd_notify in a few lines: READY, RELOADING, STOPPING, WATCHDOG.

standard:   sd_notify(3)
"""

from __future__ import annotations

import socket
import time

from gateway.config.environment import notify_socket


def notify(*lines: str) -> None:
    """Tell systemd; silent when it is not there."""
    path = notify_socket()
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.connect(address)
        out.sendall("\n".join(lines).encode())


def reloading() -> None:
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
