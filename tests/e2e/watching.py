"""Looking at a running gateway from outside: queue, metrics, log, settings in force, memory."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from gateway.demo.stage import Stage
from gateway.demo.stage import workers as of_parent
from tests.e2e.post import wait

_yaml = YAML()
_SAMPLE = re.compile(r"^(\w+?)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def queue(stage: Stage, message: str = "", **wanted: str) -> list[dict[str, Any]]:
    """Rows of the queue, as `queue list` shows them."""
    lines = stage.command("queue", "list", "--json", "--limit", "100000").splitlines()
    rows = [json.loads(line) for line in lines]
    found = [r for r in rows if not message or r["message"] == message]
    return [r for r in found if all(r[key] == value for key, value in wanted.items())]


def in_state(stage: Stage, message: str, state: str) -> list[dict[str, Any]]:
    """Rows of a message, once they are in this state."""
    wait(lambda: bool(queue(stage, message, state=state)), f"{message} to be {state}: {queue(stage, message)}")
    return queue(stage, message, state=state)


def metric(stage: Stage, name: str, listener: str = "observe", **labels: str) -> float:
    """Sum of the samples of this name with these labels."""
    text = stage.get(listener, "/metrics")[1]
    return sum(value for found, value in samples(text, name) if labels.items() <= found.items())


def samples(text: str, name: str) -> list[tuple[dict[str, str], float]]:
    found = []
    for line in text.splitlines():
        match = _SAMPLE.match(line)
        if match and match[1] == name:
            found.append((dict(_LABEL.findall(match[2] or "")), float(match[3])))
    return found


def version(stage: Stage) -> list[str]:
    """Settings versions in force, by what the workers say."""
    shown = samples(stage.get("observe", "/metrics")[1], "briefgeheim_settings_info")
    return [labels["version"] for labels, _ in shown]


def edit(stage: Stage, organisation: str, change: Callable[[Any], None]) -> Path:
    """Change one organisation's settings file; gives its path."""
    file = stage.folder / "config" / "organisations" / f"{organisation}.yaml"
    settings = _yaml.load(file.read_text("utf-8"))
    change(settings)
    fresh = file.with_suffix(".new")
    with fresh.open("w", encoding="utf-8") as stream:
        _yaml.dump(settings, stream)
    fresh.replace(file)
    return file


def hang_up(stage: Stage) -> None:
    assert stage.process is not None
    stage.process.send_signal(signal.SIGHUP)


def reload(stage: Stage) -> None:
    """SIGHUP, and wait until all workers say that they use other rules."""
    (before,) = version(stage)
    hang_up(stage)
    wait(lambda: len(version(stage)) == 1 and version(stage) != [before], "new rules in force")


def reload_refused(stage: Stage) -> str:
    """SIGHUP, and wait for the log line that says why the old rules stay."""
    seen = stage.log.read_text("utf-8").count("rules not reloaded")
    hang_up(stage)
    wait(lambda: stage.log.read_text("utf-8").count("rules not reloaded") > seen, "a refused reload")
    line = next(x for x in reversed(stage.log.read_text("utf-8").splitlines()) if "rules not reloaded" in x)
    return str(json.loads(line)["first"])


def workers(stage: Stage) -> list[int]:
    """Process ids of the mail workers."""
    assert stage.process is not None
    return of_parent(stage.process.pid)


def peak(pid: int) -> int:
    """Most memory this process ever had, in KiB (Linux)."""
    text = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(text.split("VmHWM:")[1].split()[0])


def serve(stage: Stage, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `serve` where it should end by itself."""
    line = [sys.executable, "-m", "gateway", "serve", "--config", str(stage.config), *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=180)
