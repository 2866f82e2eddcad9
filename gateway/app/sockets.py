"""Listening sockets: systemd's where it made them, else bound here; workers inherit them.

what:       settings → listening sockets by listener name; never SO_REUSEPORT (DESIGN §4)
fails by:   `SystemExit(2)` naming listener, address and cause
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.config.environment import systemd_sockets
from gateway.config.gateway import Listener

_BACKLOG = 512


def listen(listeners: Sequence[Listener]) -> dict[str, socket.socket]:
    """One listening socket per listener."""
    given = systemd_sockets()
    return {
        item.name: socket.socket(fileno=given[item.name])
        if item.name in given
        else bind(item.address, item.port, item.name)
        for item in listeners
    }


def bind(address: str, port: int, name: str) -> socket.socket:
    """A bound, listening, inheritable TCP socket."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        sock = socket.create_server((address, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        sys.stderr.write(f"listener {name}: cannot listen on {address} port {port}: {error.strerror}\n")
        raise SystemExit(2) from None
    sock.set_inheritable(True)
    return sock


def publish(folder: Path, ports: dict[str, tuple[str, int]]) -> None:
    """Write `listening.json`: name → [address, port], for tools that asked for a free port."""
    file = folder / "listening.json"
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(ports, indent=2) + "\n", "utf-8")
    temporary.replace(file)
