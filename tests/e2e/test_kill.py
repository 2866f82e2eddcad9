"""`kill -9` at random moments under load loses nothing (I-4)."""

from __future__ import annotations

import os
import random
import signal
import smtplib
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from gateway.demo.stage import Stage, workers
from tests.e2e.post import PAREL, mail, wait
from tests.stages import MakeStage

KILLS = 200
SENDERS = 3


@dataclass
class Load:
    """Clients that send until told to stop, and remember every recipient whose mail got its 250."""

    stage: Stage
    stop: threading.Event = field(default_factory=threading.Event)
    accepted: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    """Sent, but the answer never came: may arrive or not."""

    def run(self, number: int) -> None:
        count = 0
        while not self.stop.is_set():
            try:
                address, port = self.stage.ports["relay"]
                with smtplib.SMTP(address, port, timeout=180) as session:
                    while not self.stop.is_set():
                        count += 1
                        self._one(session, f"k{number}n{count}@ontvanger.example")
            except (smtplib.SMTPException, OSError):
                time.sleep(0.02)  # the worker is gone; the next connection finds another or waits in the socket

    def _one(self, session: smtplib.SMTP, who: str) -> None:
        content = mail(PAREL, [who], text=f"Bericht voor {who}.\n").as_bytes().replace(b"\n", b"\r\n")
        try:
            session.sendmail(PAREL, [who], content)
        except (smtplib.SMTPServerDisconnected, OSError):
            self.unsure.append(who)
            raise
        self.accepted.append(who)


def by_network(organisation: dict) -> None:
    """The office comes in by network, so that clients need no login per connection."""
    for client in organisation["clients"]:
        if client["name"] == "kleine-parel-office":
            client.pop("secret")
            client["networks"] = ["127.0.0.0/8"]
        else:
            client.pop("networks", None)


@pytest.mark.timeout(1800)
def test_i4_200_kills_at_random_moments_lose_nothing(make_stage: MakeStage) -> None:
    stage = make_stage(organisation=by_network, workers=2)
    stage.start()
    load = Load(stage)
    threads = [threading.Thread(target=load.run, args=(n,)) for n in range(SENDERS)]
    for thread in threads:
        thread.start()
    dice = random.Random(4)
    killed = 0
    while killed < KILLS:
        before = len(load.accepted)
        wait(lambda: len(load.accepted) > before, "mail accepted since the last kill")  # noqa: B023
        time.sleep(dice.uniform(0.0, 0.4))  # random moments are the point here
        assert stage.process is not None
        alive = workers(stage.process.pid)
        if alive:
            os.kill(dice.choice(alive), signal.SIGKILL)
            killed += 1
        if killed % 50 == 25:
            stage.kill()
            stage.start()
            killed += 1
    load.stop.set()
    for thread in threads:
        thread.join(180)
    wait(lambda: set(load.accepted) <= {m.recipient for m in stage.recorder.mails}, "every accepted mail")
    copies = Counter(m.recipient for m in stage.recorder.mails)
    twice = [who for who in load.accepted if copies[who] > 1]
    assert len(load.accepted) > KILLS, "the load was too small to mean anything"
    # Second copies come only from the provider's final reply that was not recorded: at most what was in flight.
    assert len(twice) <= KILLS * 2, f"{len(twice)} of {len(load.accepted)} came twice"
    assert stage.process is not None
    assert stage.process.poll() is None
