"""Listening sockets, bound here or handed over."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.app.sockets import bind, publish


def test_a_bound_socket_listens_and_can_be_inherited() -> None:
    with bind("127.0.0.1", 0, "relay") as sock:
        assert sock.get_inheritable()
        with socket.create_connection(sock.getsockname(), timeout=120):
            pass


def test_no_other_process_can_share_the_port() -> None:
    with bind("127.0.0.1", 0, "relay") as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0


def test_a_port_in_use_ends_with_2_and_names_the_listener(capsys: pytest.CaptureFixture[str]) -> None:
    with bind("127.0.0.1", 0, "first") as sock:
        port = sock.getsockname()[1]
        with pytest.raises(SystemExit) as ended:
            bind("127.0.0.1", port, "submission")
    assert ended.value.code == 2
    assert f"listener submission: cannot listen on 127.0.0.1 port {port}: " in capsys.readouterr().err


def test_an_ipv6_address_listens_on_ipv6_or_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        sock = bind("::1", 0, "relay")
    except SystemExit:  # a machine without IPv6
        assert "listener relay: cannot listen on ::1" in capsys.readouterr().err
    else:
        with sock:
            assert sock.family is socket.AF_INET6


_UNIT = """
import os, sys
os.environ["LISTEN_PID"] = str(os.getpid())  # what systemd sets between fork and exec
from ipaddress import ip_address
from gateway.app.sockets import listen
from gateway.config.gateway import Listener
made = listen([Listener(name="relay", port=0, role="relay"), Listener(name="extra", port=0, role="relay")])
print({name: (s.fileno(), s.getsockname()[1]) for name, s in made.items()})
"""


def test_a_socket_of_systemd_is_taken_by_its_name_and_others_are_bound() -> None:
    with socket.create_server(("127.0.0.1", 0)) as given:
        environment = {**os.environ, "LISTEN_FDS": "1", "LISTEN_FDNAMES": "relay"}
        done = subprocess.run(
            [sys.executable, "-c", f"import os; os.dup2({given.fileno()}, 3)\n" + _UNIT],
            env=environment, pass_fds=[given.fileno()], capture_output=True, text=True, timeout=180,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert f"'relay': (3, {given.getsockname()[1]})" in done.stdout
        assert "'extra': (" in done.stdout


def test_ports_are_told_in_one_whole_file(tmp_path: Path) -> None:
    publish(tmp_path, {"relay": ("127.0.0.1", 2525)})
    publish(tmp_path, {"relay": ("127.0.0.1", 2526), "web": ("::1", 8025)})
    assert json.loads((tmp_path / "listening.json").read_text()) == {"relay": ["127.0.0.1", 2526], "web": ["::1", 8025]}
    assert [p.name for p in tmp_path.iterdir()] == ["listening.json"]
