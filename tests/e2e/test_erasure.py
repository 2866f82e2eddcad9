"""S-31, S-35, L-16, L-35: after an erasure nothing of the person is left in any file, and a re-import stays blocked.

A real gateway with two workers; the person went through everything there is: import, mail delivered, held, queued and
shared, opt-out, export, a request. Then every file of the state folder is searched as raw octets.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.address import Address
from gateway.config.credentials import Credentials
from gateway.config.load import load
from gateway.demo.recorder import Recorded
from gateway.demo.stage import Stage
from gateway.pseudonym import Person
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
from tests.stages import MakeStage

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
    people += [{"address": a, **COURSE} for a in (STAYS, *group)]
    people += [{"address": WHO, **COURSE, "third_party": "aanbieder-bewegen"}]
    people += [
        {"address": WHO, "kind": "contact", "client": f"kleine-parel-{c}", "contact": "c-4711"}
        for c in ("crm", "office")
    ]
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
    assert sent.code == 250, sent.reply
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
        stage.command("queue", "retry", row["message"], *WHY, ok=False)  # it may have left meanwhile, which is as good
    told = arrived(stage, ["wil@dekleineparel.nl"], 2)
    assert all(b"blocked for this stream" in m.content for m in told)
    return told


def opened(stage: Stage, folder: Path, address: str = WHO) -> str:
    text = folder / "request.txt"
    text.write_text(TEXT, "utf-8")
    who = ("--to", address, "--name", NAME, "--text-file", str(text), "--channel", "letter")
    out = stage.command("rights", "open", "--kind", "erasure", *who, *ELS, *ORG)
    match = re.match(r"case (\d+):", out)
    assert match, out
    return match[1]


def closed(stage: Stage, number: str) -> None:
    """Answer by mail, as soon as what is under way has arrived, and wait for that mail."""
    close = ["rights", "close", number, *ELS, *ORG, "--config", str(stage.config)]
    wait(lambda: stage.run(close) == 0, "the notices of the case to arrive")
    wait(lambda: number not in open_numbers(stage), "the case to end")


def open_numbers(stage: Stage) -> set[str]:
    return {str(json.loads(line)["number"]) for line in stage.command("rights", "list", *ORG, "--json").splitlines()}


def pseudonyms(stage: Stage, address: str = WHO) -> Person:
    loaded = load(stage.config)
    return Credentials.of(loaded.gateway).pseudonyms(loaded.organisation("kleine-parel")).person(Address.parse(address))


def nothing_left(stage: Stage, address: str = WHO) -> None:
    """No file names the person; the pseudonym stands in the tombstone and in the block journals, and nowhere else."""
    keyed = pseudonyms(stage, address)
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
    notice = arrived(stage, [PARTY], 2)[1]
    assert "cursus-3" in texts(notice.content)["text/plain"]
    settled(stage)
    closed(stage, number)
    reply = to(stage, WHO)[answered:]
    assert len(reply) == 1
    assert "Autoriteit Persoonsgegevens" in texts(reply[0])["text/plain"]
    assert news(stage, WHO) == 550
    invoice = mail("winkel@webshop.dekleineparel.nl", [WHO], reference="order-1")
    assert send(stage, "kleine-parel-webshop", invoice, [WHO]).code == 550, "and this one is noted in the audit"
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


# Where the command kills itself: before the registry forgets, after it did, and in the middle of a shard.
MOMENTS = {
    "gateway.registry.sqlite:SQLiteRegistry.erase": "before",
    "gateway.app.spools:Spools.forget": "before",
    "gateway.spool.forgetting:_give_back": "before",
    "gateway.rights.effects:RightsEffects.complete": "after",
}


def test_s31_killed_in_the_middle_and_done_again_nothing_is_left(stage: Stage, tmp_path: Path) -> None:
    people = [f"weg{n}.{WHO}" for n in range(len(MOMENTS))]
    stage.people("kleine-parel", [r for a in people for r in (consent(a, LIST), {"address": a, **COURSE})])
    course(stage, *people, STAYS)
    arrived(stage, people)
    for address, (place, when) in zip(people, MOMENTS.items(), strict=True):
        number = opened(stage, tmp_path, address)
        killed_at(stage, place, when, "rights", "complete", number, *ELS, *ORG)
        assert number in open_numbers(stage), "a completion that was cut off is not over"
    stage.kill()
    stage.start()
    for number in sorted(open_numbers(stage)):
        stage.command("rights", "complete", number, *ELS, *ORG)
        wait(lambda number=number: answered(stage, number), "the case to end")
    assert open_numbers(stage) == set()
    assert [news(stage, a) for a in people] == [550] * len(people)
    assert stage.stop() == 0
    for address in people:
        nothing_left(stage, address)


def answered(stage: Stage, number: str) -> bool:
    """By letter; the gateway may take a step of its own at the same moment, and then it is done again."""
    stage.command("rights", "close", number, "--by", "letter", *ELS, *ORG, ok=False)
    return number not in open_numbers(stage)


def killed_at(stage: Stage, place: str, when: str, *arguments: str) -> None:
    """Run a command in a process that sends itself SIGKILL before, or after, this function."""
    module, _, name = place.partition(":")
    line = [sys.executable, "-c", KILLED, module, name, when, *arguments, "--config", str(stage.config)]
    done = subprocess.run(line, capture_output=True, timeout=180)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


KILLED = """
import functools, importlib, inspect, os, signal, sys
from gateway.cli import run
module, name, when, *arguments = sys.argv[1:]
*owner, name = name.split(".")
place = functools.reduce(getattr, owner, importlib.import_module(module))
real = getattr(place, name)
def end():
    os.kill(os.getpid(), signal.SIGKILL)
async def later(*given, **named):
    await real(*given, **named) if when == "after" else None
    end()
def sooner(*given, **named):
    end()
setattr(place, name, later if inspect.iscoroutinefunction(real) else sooner)
run(arguments)
"""
