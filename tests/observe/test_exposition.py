"""/metrics, /healthz and /readyz over real HTTP, with counts of real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.observe.exposition import CONTENT_TYPE, Exposition, fresh_folder

WORKER = """
import os, sys
from gateway.observe import metrics
metrics.ACCEPTED.labels("alfa", "crm").inc(int(sys.argv[1]))
metrics.CONNECTIONS.labels("relay").set(int(sys.argv[1]))
metrics.SETTINGS_VERSION.labels("old").set(0)
metrics.SETTINGS_VERSION.labels("new").set(1)
print(os.getpid(), flush=True)
sys.stdin.read()
"""


class Workers:
    """Processes that count, like the gateway's, in one shared folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.running: list[subprocess.Popen[str]] = []

    def start(self, number: int) -> int:
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(self._folder)}
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(number)],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.running.append(worker)
        assert worker.stdout is not None
        return int(worker.stdout.readline())

    def end(self) -> None:
        for worker in self.running:
            worker.communicate()


class State:
    dead = unready = ""


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    fresh_folder(tmp_path / "metrics")
    group = Workers(tmp_path / "metrics")
    yield group
    group.end()


@pytest.fixture
def state() -> State:
    return State()


@pytest.fixture
def exposition(tmp_path: Path, state: State) -> Iterator[Exposition]:
    served = Exposition("127.0.0.1", 0, tmp_path / "metrics", lambda: state.dead, lambda: state.unready)
    yield served
    served.close()


def get(exposition: Exposition, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{exposition.port}{path}", timeout=120)


def samples(exposition: Exposition) -> dict[str, float]:
    lines = get(exposition, "/metrics").text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


ACCEPTED = 'briefgeheim_messages_accepted_total{client="crm",organisation="alfa"}'
CONNECTIONS = 'briefgeheim_connections{listener="relay"}'


def test_workers_count_together_and_one_that_ended_keeps_what_it_counted(
    workers: Workers, exposition: Exposition
) -> None:
    first, _second = workers.start(3), workers.start(4)
    found = samples(exposition)
    assert (found[ACCEPTED], found[CONNECTIONS]) == (7, 7)
    workers.running[0].communicate()
    exposition.forget(first)
    found = samples(exposition)
    assert (found[ACCEPTED], found[CONNECTIONS]) == (7, 4), "its counts stay, its open connections do not"


def test_only_settings_in_force_are_shown(workers: Workers, exposition: Exposition) -> None:
    workers.start(1)
    versions = {name: value for name, value in samples(exposition).items() if "settings_info" in name}
    assert versions == {'briefgeheim_settings_info{version="new"}': 1}


def test_metrics_come_in_the_text_format(workers: Workers, exposition: Exposition) -> None:
    workers.start(1)
    answer = get(exposition, "/metrics?x=1")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == CONTENT_TYPE
    assert "# HELP briefgeheim_messages_accepted_total Messages answered with 250" in answer.text


@pytest.mark.parametrize(("path", "name"), [("/healthz", "dead"), ("/readyz", "unready")])
def test_health_says_what_is_wrong_while_it_is(
    workers: Workers, exposition: Exposition, state: State, path: str, name: str
) -> None:
    assert (get(exposition, path).status_code, get(exposition, path).text) == (200, "ok\n")
    setattr(state, name, "worker-1: spool full")
    assert (get(exposition, path).status_code, get(exposition, path).text) == (503, "worker-1: spool full\n")
    setattr(state, name, "")
    assert get(exposition, path).status_code == 200


def test_anything_else_is_not_here(workers: Workers, exposition: Exposition) -> None:
    assert get(exposition, "/").status_code == 404
    assert httpx.post(f"http://127.0.0.1:{exposition.port}/metrics", timeout=120).status_code == 501


def test_a_fresh_folder_forgets_the_counts_of_the_last_run(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    (folder / "counter_1.db").write_bytes(b"old")
    (folder / "note").write_text("not ours")
    fresh_folder(folder)
    assert [file.name for file in folder.iterdir()] == ["note"]
