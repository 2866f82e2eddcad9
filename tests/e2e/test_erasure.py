"""S-31, S-35, L-16, L-35: after an erasure nothing of the person is left in any file, and a re-import stays blocked.

A real gateway with two workers; the person went through everything there is: import, mail delivered, held, queued and
shared, opt-out, export, a request. Then every file of the state folder is searched as raw octets.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.address import Address
from gateway.config.credentials import Credentials
from gateway.config.load import load
from gateway.demo.recorder import Recorded
from gateway.demo.stage import Stage
from gateway.pseudonym import Person
from tests.e2e.conftest import MakeStage
from tests.e2e.post import (
    EVIDENCE,
    PAREL,
    arrived,
    consent,
    mail,
    one_click,
    opt_out_url,
    person,
    send,
    settled,
    texts,
    wait,
)
from tests.e2e.traces import found
from tests.e2e.watching import in_state, queue

ORG = ("--organisation", "kleine-parel")
ELS = ("--operator", "els")
WHY = (*ELS, "--reason", "asked by letter")
WHO = "hildegard.zonnebloem@verdwijnt.example"
NAME = "Hildegard Zonnebloem-Quist"
TEXT = "Graag alles over mijn knieblessure wissen."
STAYS = "blijft@ontvanger.example"
NEEDLES = [WHO, "hildegard.zonnebloem", "verdwijnt.example", NAME, "Zonnebloem-Quist", "knieblessure", "factuur voor u"]
PARTY = "inschrijving@bewegen.example"
LIST = "list:nieuwsbrief"
COURSE = {"kind": "enrolment", "reference": "cursus-3"}


def to(stage: Stage, address: str) -> list[bytes]:
    return [m.content for m in stage.recorder.mails if m.recipient == address]


def news(stage: Stage, *who: str) -> int:
    text = f"Beste {NAME}, uw nieuwsbrief.\n"
    return send(
        stage, "kleine-parel-crm", mail(PAREL, who, text=text, stream="newsletter", list="nieuwsbrief"), who
    ).code


def course(stage: Stage, *who: str, text: str = "Tot dinsdag.\n") -> str:
    shown = mail(PAREL, who, text=text, stream="participation", reference="cursus-3")
    sent = send(stage, "kleine-parel-crm", shown, who)
    assert sent.code == 250, sent.reply
    return sent.id


def office(stage: Stage, *who: str) -> str:
    message = mail("wil@dekleineparel.nl", who, text=f"Dag {NAME}, uw factuur voor u.\n")
    message.replace_header("To", f'"{NAME}" <{WHO}>')
    sent = send(stage, "kleine-parel-office", message, who)
    assert sent.code == 250, sent.reply
    return sent.id


def lived(stage: Stage, out: Path) -> None:
    """Everything that can happen to a person before they ask to be erased."""
    group = [person("cursist") for _ in range(4)]
    people = [consent(WHO, LIST), consent(STAYS, LIST), {"address": WHO, "kind": "language", "language": "nl"}]
    people += [{"address": a, **COURSE} for a in (WHO, STAYS, *group)]
    people += [{"address": WHO, "kind": "contact", "client": "kleine-parel-crm", "contact": "c-4711"}]
    people += [{"address": WHO, "kind": "request", "topic": "cursussen", **EVIDENCE}]
    stage.people("kleine-parel", people)
    assert news(stage, WHO, STAYS) == 250
    first = arrived(stage, [WHO])[0]
    course(stage, WHO, STAYS, *group)
    arrived(stage, [WHO], 2)
    office(stage, WHO)
    arrived(stage, [WHO], 3)
    shared = mail(PAREL, [PARTY], text=f"Wij melden {NAME}, {WHO}, aan.\n", stream="personal",
                  about="c-4711", shared_with="aanbieder-bewegen")  # fmt: skip
    sent = send(stage, "kleine-parel-office", shared, [PARTY])
    assert sent.code in (250, 550), sent.reply
    assert one_click(opt_out_url(first.content)) == 200
    stage.command("rights", "export", "--to", WHO, "--out", str(out), *WHY, *ORG)
    stage.command("trace", "--to", WHO, *WHY)
    stage.command("registry", "show", "--to", WHO, *WHY, *ORG)


def waiting(stage: Stage) -> tuple[str, str]:
    """One mail that is held (it shows somebody) beside one that goes, and one whose provider is away."""
    leak = mail("wil@dekleineparel.nl", [WHO, STAYS], text=f"De groep: {NAME} en wij.\n")
    stage.recorder.pause("kleine-parel/kantoor")
    sent = send(stage, "kleine-parel-office", leak, [WHO, STAYS])
    assert sent.code == 250, sent.reply
    queued = office(stage, WHO)
    wait(lambda: queue(stage, queued)[0]["attempts"] >= 1, "a first attempt")
    stage.command("queue", "hold", queued, *WHY)
    in_state(stage, queued, "held")
    return sent.id, queued


def reports(stage: Stage) -> list[Recorded]:
    """What the submitter of the destroyed mail hears: the words of any block."""
    stage.recorder.resume("kleine-parel/kantoor")
    for row in queue(stage, state="queued"):  # they were tried while the provider was away
        stage.command("queue", "retry", row["message"], *WHY)
    told = arrived(stage, ["wil@dekleineparel.nl"], 2)
    assert all(b"blocked for this stream" in m.content for m in told)
    return told


def opened(stage: Stage, folder: Path) -> str:
    text = folder / "request.txt"
    text.write_text(TEXT, "utf-8")
    out = stage.command("rights", "open", "--kind", "erasure", "--to", WHO, "--name", NAME, "--text-file", str(text),
                        "--channel", "letter", *ELS, *ORG)  # fmt: skip
    match = re.match(r"case (\d+):", out)
    assert match, out
    return match[1]


def closed(stage: Stage, number: str) -> None:
    stage.command("rights", "close", number, *ELS, *ORG)
    wait(lambda: number not in open_numbers(stage), "the case to end")


def open_numbers(stage: Stage) -> set[str]:
    return {str(json.loads(line)["number"]) for line in stage.command("rights", "list", *ORG, "--json").splitlines()}


def pseudonyms(stage: Stage) -> Person:
    loaded = load(stage.config)
    return Credentials.of(loaded.gateway).pseudonyms(loaded.organisation("kleine-parel")).person(Address.parse(WHO))


def nothing_left(stage: Stage) -> None:
    """No file names the person; the pseudonym stands in the tombstone and in the block journals, and nowhere else."""
    keyed = pseudonyms(stage)
    hits = found(stage.state, NEEDLES, [keyed.exact, keyed.wide])
    allowed = {"registry/kleine-parel.sqlite", "journal/kleine-parel.journal", "web/kleine-parel.journal"}
    assert set(hits) <= allowed, hits
    assert all(name.startswith("pseudonym") for names in hits.values() for name in names), hits
    assert "registry/kleine-parel.sqlite" in hits, "the search finds the tombstone, so it would find the rest"
    log = stage.log.read_text("utf-8")
    assert [n for n in NEEDLES if n in log] == []


def the_block_holds(stage: Stage) -> None:
    """A file with the old address comes in again (L-35)."""
    stage.people("kleine-parel", [consent(WHO, LIST), {"address": WHO, **COURSE}])
    before = len(to(stage, WHO))
    assert news(stage, WHO) == 550
    settled(stage)
    assert len(to(stage, WHO)) == before


@pytest.fixture
def stage(make_stage: MakeStage) -> Stage:
    made = make_stage(workers=2)
    made.start()
    return made


def test_s31_s32_s35_l16_l35_nothing_is_left_in_any_file(stage: Stage, tmp_path: Path) -> None:
    lived(stage, tmp_path / "out")
    waiting(stage)
    before = found(stage.state, [], [pseudonyms(stage).exact])
    assert any(name.startswith("spool/") for name in before), "the search sees what is there"
    number = opened(stage, tmp_path)
    assert [row for row in queue(stage) if row["person"] == pseudonyms(stage).exact[:6].hex()
            and row["state"] in ("queued", "held")] == []  # fmt: skip
    assert news(stage, WHO) == 550
    told = reports(stage)
    assert not any(b"eras" in m.content.lower() or b"restrict" in m.content.lower() for m in told)
    answered = len(to(stage, WHO))
    done = stage.command("rights", "complete", number, *ELS, *ORG)
    assert "kleine-parel-crm" in done
    settled(stage)
    closed(stage, number)
    reply = to(stage, WHO)[answered:]
    assert len(reply) == 1
    assert "Autoriteit Persoonsgegevens" in texts(reply[0])["text/plain"]
    assert news(stage, WHO) == 550
    rows = [json.loads(line) for line in stage.command("rights", "register", *ORG, "--json").splitlines()]
    assert {(r["kind"], r["outcome"]) for r in rows} == {("erasure", "granted")}
    assert rows[0]["number"] is rows[0]["received"] is rows[0]["closed"] is None
    assert stage.stop() == 0
    nothing_left(stage)
    stage.start()
    the_block_holds(stage)
    verified = stage.command("audit", "verify", ok=False)
    assert "changed" not in verified


def test_s31_an_erasure_is_carried_out_while_the_gateway_is_stopped(stage: Stage, tmp_path: Path) -> None:
    stage.people("kleine-parel", [consent(WHO, LIST), {"address": WHO, **COURSE}])
    assert news(stage, WHO) == 250
    arrived(stage, [WHO])
    waiting(stage)
    assert stage.stop() == 0
    number = opened(stage, tmp_path)
    mine = pseudonyms(stage).exact[:6].hex()
    assert [row for row in queue(stage) if row["person"] == mine and row["state"] in ("queued", "held")] == []
    stage.command("rights", "complete", number, *ELS, *ORG)
    stage.command("rights", "close", number, "--by", "letter", *ELS, *ORG)
    nothing_left(stage)
    stage.start()
    reports(stage)
    the_block_holds(stage)


@pytest.mark.parametrize("moment", ["cases", "registry", "spool"])
def test_s31_killed_in_the_middle_and_done_again_nothing_is_left(stage: Stage, tmp_path: Path, moment: str) -> None:
    """The command and the gateway are killed as soon as the first file of that kind changes after its start."""
    stage.people("kleine-parel", [consent(WHO, LIST), {"address": WHO, **COURSE}])
    assert news(stage, WHO) == 250
    course(stage, WHO, STAYS)
    arrived(stage, [WHO], 2)
    number = opened(stage, tmp_path)
    _kill_during(stage, moment, "rights", "complete", number, *ELS, *ORG)
    stage.kill()
    stage.start()
    assert news(stage, WHO) == 550, "blocked from the intake on, whatever happened since"
    if str(number) in open_numbers(stage):
        stage.command("rights", "complete", number, *ELS, *ORG, ok=False)
        closed(stage, number)
    assert stage.stop() == 0
    nothing_left(stage)
    stage.start()
    the_block_holds(stage)


def _kill_during(stage: Stage, moment: str, *arguments: str) -> None:
    """Start the command as a process of its own, and kill it at the first change below `moment`."""
    before = _state(stage.state / moment)
    line = [sys.executable, "-m", "gateway", *arguments, "--config", str(stage.config)]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and _state(stage.state / moment) == before:
        time.sleep(0.001)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.wait(30)


def _state(folder: Path) -> list[tuple[str, int, int]]:
    return sorted((p.name, s.st_mtime_ns, s.st_size) for p in folder.iterdir() for s in (p.stat(),))
