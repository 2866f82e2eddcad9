"""A whole gateway on loopback in a folder of its own: settings, keys, registry, provider, process.

what:       the example settings with the outside world replaced by this machine; used by the demo and by tests
takes→gives: a folder → a running gateway with its ports and its clients' secrets
knows not:  which mails are sent
fails by:   `StageError` with the output of the command that failed
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import select
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from gateway.demo.certificate import write_certificate
from gateway.demo.recorder import Recorder

EXAMPLES = Path(__file__).parents[2] / "config"
_PATIENCE = 180.0  # seconds for what takes a moment where the machine is not busy
_yaml = YAML()
_yaml.preserve_quotes = True

_ENDED = ("Z", "X")
_STILL = ("T", *_ENDED)
Change = Callable[[dict[str, Any]], None]


class StageError(Exception):
    """A step of building the stage failed."""


@dataclass(slots=True)
class Stage:
    """`recorder` plays every provider; `gateway_change` and `organisation_change` alter the settings first."""

    folder: Path
    run: Callable[[list[str]], int]
    """Carries out one `briefgeheim` command in this process (`gateway.cli.run`); gives its exit code."""
    recorder: Recorder = field(default_factory=Recorder)
    secrets: dict[str, str] = field(default_factory=dict)
    ports: dict[str, tuple[str, int]] = field(default_factory=dict)
    workers: int = 2
    gateway_change: Change | None = None
    organisation_change: Change | None = None
    examples: Path = EXAMPLES
    """The folder of the settings to start from."""
    process: subprocess.Popen[bytes] | None = None
    _web: socket.socket | None = None
    """Keeps the port of the page, which the settings name before the gateway runs and between two runs."""

    @property
    def config(self) -> Path:
        return self.folder / "config" / "gateway.yaml"

    @property
    def _page_port(self) -> int:
        if self._web is None:
            self._web = _kept_port()
        return int(self._web.getsockname()[1])

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def log(self) -> Path:
        return self.folder / "gateway.log"

    def build(self) -> None:
        """Settings, certificate, keys, secrets, empty registries."""
        (self.folder / "config" / "organisations").mkdir(parents=True)
        shutil.copy(self.examples / "trackers.yaml", self.folder / "config")
        shutil.copytree(self.examples / "promises", self.folder / "config" / "promises")
        write_certificate(self.folder / "certificate.pem", self.folder / "key.pem")
        self.write_settings()
        self.command("keys", "init")
        for organisation in self.organisations():
            self.command("registry", "init", "--organisation", organisation["name"])
            for client in organisation["clients"]:
                if client.get("secret"):
                    text = self.command("keys", "client", client["name"])
                    self.secrets[client["name"]] = text.split("password")[1].split()[0]

    def write_settings(self) -> None:
        """The example settings, with this machine in place of the world outside."""
        gateway = _yaml.load((self.examples / "gateway.yaml").read_text("utf-8"))
        self._localise_gateway(gateway)
        _dump(gateway, self.config)
        for file in sorted((self.examples / "organisations").glob("*.yaml")):
            organisation = _yaml.load(file.read_text("utf-8"))
            self._localise_organisation(organisation)
            _dump(organisation, self.folder / "config" / "organisations" / file.name)

    def organisations(self) -> list[dict[str, Any]]:
        """The settings of each organisation, as written."""
        folder = self.folder / "config" / "organisations"
        return [_yaml.load(file.read_text("utf-8")) for file in sorted(folder.glob("*.yaml"))]

    def people(self, organisation: str, rows: Sequence[Mapping[str, str]]) -> None:
        """Import consents, blocks and facts, as an administrator would."""
        file = self.folder / f"people-{organisation}-{time.monotonic_ns()}.csv"
        columns = list(dict.fromkeys(name for row in rows for name in row))
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(rows)
        self.command("registry", "import", str(file), "--organisation", organisation)

    def command(self, *arguments: str, ok: bool = True) -> str:
        """Run `briefgeheim …` with this stage's settings, in this process; gives its standard output."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = self.run([*arguments, "--config", str(self.config)])
        if ok and code:
            raise StageError(f"{' '.join(arguments)}: exit {code}\n{out.getvalue()}{err.getvalue()}")
        return out.getvalue()

    def start(self) -> None:
        """Start the gateway and wait until it is ready."""
        (self.state / "listening.json").unlink(missing_ok=True)
        with self.log.open("ab") as log:
            line = [sys.executable, "-m", "gateway", "serve", "--config", str(self.config)]
            self.process = subprocess.Popen(line, stdout=log, stderr=log, start_new_session=True)
        self._wait(self._listening, "listening")
        self._wait(lambda: self.get("observe", "/readyz")[0] == 200, "ready")

    def stop(self) -> int:
        """SIGTERM, and wait for the drain; gives the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(_PATIENCE)
        self.process = None
        return code

    def kill(self) -> None:
        """`kill -9` of the parent and all below it; returns when none of them is left to hold a port or a lock."""
        if self.process is None:
            return
        parent, self.process = self.process, None
        family = [parent.pid]
        for pid in family:
            _freeze(pid)  # so that it starts and collects nobody
            family += below(pid)
        ends = [os.pidfd_open(pid) for pid in family]
        for pid in family:
            os.kill(pid, signal.SIGKILL)
        for end in ends:
            select.select([end], [], [], _PATIENCE)
            os.close(end)
        parent.wait(_PATIENCE)

    def close(self) -> None:
        self.stop()
        self.recorder.close()
        if self._web is not None:
            self._web.close()

    def url(self, listener: str, path: str = "") -> str:
        address, port = self.ports[listener]
        return f"http://{address}:{port}{path}"

    def get(self, listener: str, path: str) -> tuple[int, str]:
        """Status and text of one GET."""
        try:
            with urllib.request.urlopen(self.url(listener, path), timeout=_PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def login(self, client: str) -> smtplib.SMTP:
        """A session of this client: STARTTLS with our certificate, AUTH."""
        address, port = self.ports["submission"]
        session = smtplib.SMTP(address, port, timeout=_PATIENCE)
        session.starttls(context=ssl.create_default_context(cafile=str(self.folder / "certificate.pem")))
        session.login(client, self.secrets[client])
        return session

    def _localise_gateway(self, gateway: dict[str, Any]) -> None:
        gateway.update(name="gateway.test.example", state=str(self.state), workers=self.workers)
        for listener in gateway["listen"]:
            listener.update(address="127.0.0.1", port=0)
            if listener.get("tls", "none") != "none":
                listener.update(certificate=str(self.folder / "certificate.pem"), key=str(self.folder / "key.pem"))
        gateway["web"] = {"port": self._page_port}
        gateway["observe"] = {"port": 0}
        if self.gateway_change is not None:
            self.gateway_change(gateway)

    def _localise_organisation(self, organisation: dict[str, Any]) -> None:
        organisation["opt_out_url"] = f"http://127.0.0.1:{self._page_port}"
        for provider in organisation["providers"]:
            name = f"{organisation['name']}/{provider['name']}"
            port = self.recorder.ports.get(name) or self.recorder.listen(name)
            provider.update(host="127.0.0.1", port=port, tls="verify", ca_file=str(self.recorder.certificate))
            for key in ("username", "secret"):
                provider.pop(key, None)
        for client in organisation["clients"]:
            if "networks" in client:
                client["networks"] = ["127.0.0.0/8"]
        if self.organisation_change is not None:
            self.organisation_change(organisation)

    def _listening(self) -> bool:
        file = self.state / "listening.json"
        if not file.exists():
            return False
        self.ports = {name: (a, p) for name, (a, p) in json.loads(file.read_text("utf-8")).items()}
        return True

    def _wait(self, there: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + _PATIENCE
        while not there():
            if self.process is None or self.process.poll() is not None or time.monotonic() > end:
                text = self.log.read_text("utf-8")[-4000:]
                raise StageError(f"the gateway did not get {what}:\n{text}")
            time.sleep(0.05)


def below(pid: int) -> list[int]:
    """What a process started, and is still there (Linux)."""
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    except OSError:
        return []


def children(pid: int) -> list[int]:
    """The workers and the page of a parent, which its nursery started."""
    return [child for nursery in below(pid) for child in below(nursery)]


def workers(pid: int) -> list[int]:
    """The mail workers of a parent."""
    return [child for child in children(pid) if _name(child).startswith("worker-")]


def _name(pid: int) -> str:
    """What a process calls itself, or "" when it ended, though it may not be collected yet."""
    try:
        return Path(f"/proc/{pid}/comm").read_text("ascii") if _state(pid) not in _ENDED else ""
    except OSError:
        return ""


def _state(pid: int) -> str:
    """The letter of proc_pid_stat(5)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def _freeze(pid: int) -> None:
    """Returns when it stands still, or has ended."""
    os.kill(pid, signal.SIGSTOP)
    while _state(pid) not in _STILL:
        time.sleep(0.001)


def _dump(data: dict[str, Any], file: Path) -> None:
    with file.open("w", encoding="utf-8") as stream:
        _yaml.dump(data, stream)


def _kept_port() -> socket.socket:
    """A free port, bound so that nobody is given it by chance; the gateway may listen on it all the same.

    Linux lets two sockets with SO_REUSEADDR have one port as long as at most one of them listens (socket(7)).
    """
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    return sock
