"""What monitoring reads over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.observe.exposition import Exposition, fresh_folder

WORKER = """
import sys
from gateway.observe import metrics
for number, version in enumerate(sys.argv[1:]):
    metrics.SETTINGS_VERSION.labels(version).set(1 if number == len(sys.argv) - 2 else 0)
metrics.FAULTS.labels("pipeline").inc(2)
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Exposition, dict[str, str], Path]]:
    wrong = {"alive": "", "ready": ""}
    fresh_folder(tmp_path)
    exposition = Exposition("127.0.0.1", 0, tmp_path, lambda: wrong["alive"], lambda: wrong["ready"])
    yield exposition, wrong, tmp_path
    exposition.close()


def get(exposition: Exposition, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{exposition.port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def work(folder: Path, *versions: str) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    subprocess.run([sys.executable, "-c", WORKER, *versions], env=environment, check=True, timeout=60)


def test_health_and_readiness_say_why_not(served: tuple[Exposition, dict[str, str], Path]) -> None:
    exposition, wrong, _ = served
    assert get(exposition, "/healthz") == (200, "ok\n")
    wrong["ready"] = "registry of school: away"
    assert get(exposition, "/readyz?x=1") == (503, "registry of school: away\n")
    assert get(exposition, "/healthz")[0] == 200
    assert get(exposition, "/else")[0] == 404


def test_all_workers_are_added_up(served: tuple[Exposition, dict[str, str], Path]) -> None:
    exposition, _, folder = served
    work(folder, "aaaa")
    work(folder, "aaaa")
    assert 'briefgeheim_faults_total{where="pipeline"} 4.0' in get(exposition, "/metrics")[1]


def test_a_version_that_no_worker_uses_any_more_is_not_shown(served: tuple[Exposition, dict[str, str], Path]) -> None:
    exposition, _, folder = served
    work(folder, "aaaa", "bbbb")
    work(folder, "aaaa", "bbbb")
    shown = [line for line in get(exposition, "/metrics")[1].splitlines() if line.startswith("briefgeheim_settings")]
    assert shown == ['briefgeheim_settings_info{version="bbbb"} 1.0']
    work(folder, "aaaa")
    assert 'version="aaaa"' in get(exposition, "/metrics")[1], "one worker still at it is to be seen"


def test_counters_start_anew_with_the_parent(tmp_path: Path) -> None:
    (tmp_path / "counter_1.db").write_bytes(b"x")
    (tmp_path / "other").write_text(json.dumps({}))
    fresh_folder(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["other"]
