"""Starting and ending at awkward moments: nothing is left behind that the next start would stumble over."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.app.running import at_work
from gateway.cli import run
from gateway.demo.stage import Stage
from tests.e2e.post import wait
from tests.e2e.watching import workers


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("start"), run, workers=2)
    made.build()
    yield made
    made.close()


def left(stage: Stage) -> list[int]:
    """Processes of this gateway, whoever is their parent by now."""
    return [int(file.parent.name) for file in Path("/proc").glob("[0-9]*/environ") if _is_of(stage, file)]


def _is_of(stage: Stage, environment: Path) -> bool:
    try:
        return bytes(stage.state) in environment.read_bytes()
    except OSError:
        return False


def hang_up_soon(stage: Stage) -> None:
    """SIGHUP as soon as anybody can know to whom."""
    while (found := at_work(stage.state)) is None or not found.pid:
        pass
    os.kill(found.pid, signal.SIGHUP)


def test_a_reload_asked_for_while_it_starts_is_carried_out(stage: Stage) -> None:
    asking = threading.Thread(target=hang_up_soon, args=(stage,))
    asking.start()
    stage.start()
    asking.join()
    wait(lambda: "rules reloaded" in (log := stage.log.read_text("utf-8")) or "not reloaded" in log, "an answer")
    assert stage.stop() == 0


def test_a_stop_while_workers_are_started_again_leaves_none_of_them(stage: Stage) -> None:
    for _ in range(2):
        stage.start()
        for pid in workers(stage):
            os.kill(pid, signal.SIGKILL)
        wait(lambda: "ended with code -9" in stage.log.read_text("utf-8"), "the parent to notice")
        assert stage.stop() == 0
        assert left(stage) == []


def test_a_kill_of_everything_is_over_when_it_returns_and_the_port_of_the_page_stays_its_own(stage: Stage) -> None:
    stage.start()
    page = stage.ports["web"]
    stage.kill()
    assert left(stage) == []
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(page)
    stage.start()
    assert stage.ports["web"] == page
    assert stage.get("web", "/")[0] == 404
    assert stage.stop() == 0
