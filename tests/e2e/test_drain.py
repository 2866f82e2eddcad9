"""SIGTERM finishes what is open, and a worker's death is no client's loss (I-4)."""

from __future__ import annotations

import os
import signal
import smtplib
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from gateway.cli import run
from gateway.demo.stage import Stage
from tests.e2e.post import PAREL, mail, wait
from tests.e2e.test_kill import Load, by_network
from tests.e2e.watching import queue, workers


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("drain"), run, workers=2, organisation_change=by_network)
    made.build()
    made.start()
    yield made
    made.close()


def test_i4_a_drain_under_load_leaves_each_250_delivered_or_in_the_spool(stage: Stage) -> None:
    load = Load(stage)
    threads = [threading.Thread(target=load.run, args=(f"9{n}",)) for n in range(3)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    wait(lambda: len(load.accepted) > 50, "some load")
    try:
        code = stage.stop()
    finally:
        load.stop.set()
        for thread in threads:
            thread.join(180)
    assert code == 0
    before = {m.recipient for m in stage.recorder.mails}
    missing = set(load.accepted) - before
    assert len(queue(stage, state="queued")) >= len(missing)
    stage.start()
    wait(lambda: set(load.accepted) <= {m.recipient for m in stage.recorder.mails}, "the rest")
    copies = Counter(m.recipient for m in stage.recorder.mails)
    assert [who for who in load.accepted if copies[who] > 1] == [], "a drain is no crash: nothing comes twice"


def test_clients_that_connect_while_workers_die_are_served(stage: Stage) -> None:
    """The parent keeps the listening socket, so that a connection waits instead of being refused."""
    address, port = stage.ports["relay"]
    for number in range(3):
        old = workers(stage)
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        with smtplib.SMTP(address, port, timeout=180) as session:
            who = f"died{number}@ontvanger.example"
            content = mail(PAREL, [who]).as_bytes().replace(b"\n", b"\r\n")
            assert session.sendmail(PAREL, [who], content) == {}
        wait(lambda: len(workers(stage)) == 2 and not set(workers(stage)) & set(old), "new workers")  # noqa: B023
    # A worker may die between the provider's answer and its own note of it: a second copy then is no fault (I-4).
    wait(lambda: len({m.recipient for m in stage.recorder.mails if m.recipient.startswith("died")}) == 3, "all three")
    assert stage.process is not None
    assert stage.process.poll() is None


def test_a_gateway_without_mail_drains_at_once(stage: Stage) -> None:
    wait(lambda: not queue(stage, state="queued"), "an empty queue")
    assert stage.stop() == 0
    assert "stopped" in stage.log.read_text("utf-8").splitlines()[-1]
    stage.start()
