"""Real Redis servers for tests: alone, with replica and Sentinel, and as a Cluster; ended by who started them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

PROGRAM = os.environ.get("REDIS_SERVER", "redis-server")
SAFE = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "save": ""}
FAST = {**SAFE, "min-replicas-to-write": "1", "min-replicas-max-lag": "10", "repl-diskless-sync-delay": "0"}
_PATIENCE = 120.0


@dataclass(slots=True)
class Server:
    """One process in a folder of its own. `options` as in redis.conf; a port, or a Unix socket where it is 0."""

    folder: Path
    port: int = 0
    options: Mapping[str, str] = field(default_factory=lambda: dict(SAFE))
    sentinel: bool = False
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "redis.sock"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}" if self.port else f"unix://{self.socket}"

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def client(self) -> Redis:
        options = {"socket_timeout": 60, "protocol": 2, "retry": Retry(NoBackoff(), 0)}
        if self.port:
            return Redis(host="127.0.0.1", port=self.port, **options)
        return Redis(unix_socket_path=str(self.socket), **options)

    def start(self) -> Server:
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = [f'{name} "{value}"' for name, value in self.options.items()]
        lines += [f"dir {self.folder}", "loglevel warning", f"logfile {self.folder}/log", f"port {self.port}"]
        lines += ["bind 127.0.0.1"] if self.port else [f"unixsocket {self.socket}"]
        settings = self.folder / "redis.conf"
        if not (self.sentinel and settings.exists()):
            settings.write_text("\n".join(lines) + "\n", encoding="ascii")
        command = [shutil.which(PROGRAM) or PROGRAM, str(settings)] + (["--sentinel"] if self.sentinel else [])
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self

    def ready(self) -> Server:
        until(lambda: bool(self.ask("PING")))
        return self

    def ask(self, *command: str | bytes | int) -> object:
        """The answer, or None when there is none."""
        with self.client() as client:
            try:
                return client.execute_command(*command)
            except RedisError:
                return None

    def info(self, section: str) -> dict[str, object]:
        with self.client() as client:
            return dict(client.info(section))

    def kill(self) -> None:
        """As a crash would: no last words."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
        self._end(signal.SIGKILL)

    def freeze(self, *, frozen: bool) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None


def until(true: object, patience: float = _PATIENCE) -> None:
    """Wait for a condition: a server's own doing, which cannot be hurried."""
    assert callable(true)
    end = time.monotonic() + patience
    while not true():
        assert time.monotonic() < end, "the servers did not get there"
        time.sleep(0.02)


def free_ports(number: int) -> list[int]:
    """Ports nobody listens on; a Cluster's node takes the one 10000 above for itself, too."""
    found: list[int] = []
    held: list[socket.socket] = []
    port = 21000 + os.getpid() % 9000
    while len(found) < number:
        port += 1
        pair = [socket.socket() for _ in range(2)]
        held += pair
        try:
            for one, offset in zip(pair, (0, 10000), strict=True):
                one.bind(("127.0.0.1", port + offset))
        except OSError:
            continue
        found.append(port)
    for one in held:
        one.close()
    return found


@dataclass(slots=True)
class Pair:
    """A primary, its replica, and one Sentinel that knows the primary as `people`."""

    primary: Server
    replica: Server
    sentinel: Server

    @classmethod
    def start(cls, folder: Path, *, down_after: int = 60_000) -> Pair:
        """`down_after`: milliseconds of silence after which the Sentinel puts the replica in the primary's place; short
        only where that is wanted, since a primary on a busy machine is silent now and then, too."""
        first, second, third = free_ports(3)
        primary = Server(folder / "a", first, FAST).start().ready()
        replica = Server(folder / "b", second, {**FAST, "replicaof": f"127.0.0.1 {first}"}).start().ready()
        until(lambda: primary.info("replication").get("min_slaves_good_slaves") == 1)
        watching = {
            "sentinel monitor people": f"127.0.0.1 {first} 1",
            "sentinel down-after-milliseconds people": f"{down_after}",
            "sentinel failover-timeout people": "1000",
        }
        sentinel = Server(folder / "s", third, {}, sentinel=True)
        sentinel.folder.mkdir()
        lines = [f"port {third}", f"dir {sentinel.folder}", "bind 127.0.0.1"]
        lines += [f"{name} {value}" for name, value in watching.items()]
        (sentinel.folder / "redis.conf").write_text("\n".join(lines) + "\n", encoding="ascii")
        sentinel.start().ready()
        until(lambda: "slave0" in str(sentinel.ask("SENTINEL", "REPLICAS", "people")) or _replicas(sentinel))
        return cls(primary, replica, sentinel)

    def failed_over(self) -> bool:
        try:
            return self.replica.info("replication").get("role") == "master"
        except RedisError:  # promoting it closes connections
            return False

    def stop(self) -> None:
        for server in (self.sentinel, self.primary, self.replica):
            server.stop()


def _replicas(sentinel: Server) -> bool:
    with sentinel.client() as client:
        return bool(client.sentinel_slaves("people"))


@dataclass(slots=True)
class ThreeNodes:
    """A Cluster of three primaries that share the slots."""

    nodes: list[Server]

    @classmethod
    def start(cls, folder: Path) -> ThreeNodes:
        options = {**SAFE, "cluster-enabled": "yes", "cluster-node-timeout": "30000"}
        nodes = [Server(folder / str(n), port, options).start() for n, port in enumerate(free_ports(3))]
        for number, node in enumerate(nodes):
            node.ready()
            first, last = number * 16384 // 3, (number + 1) * 16384 // 3 - 1
            node.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in nodes[1:]:
            nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", node.port)
        for node in nodes:
            until(lambda node=node: "cluster_state:ok" in _text(node.ask("CLUSTER", "INFO")))
        return cls(nodes)

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()


def _text(answer: object) -> str:
    return answer.decode() if isinstance(answer, bytes) else str(answer)
