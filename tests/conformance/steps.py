"""What a privacy officer does more than once: send as a system, look people up, read counts, try other settings."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from gateway.cli.conformance import counted as counts_of
from gateway.config.promises import Promise, load_promises
from gateway.demo.stage import EXAMPLES, Stage
from gateway.observe.reading import read_samples
from tests.e2e.post import EVIDENCE, PAREL, Sent, consent, mail, send, settled, wait
from tests.e2e.watching import in_state, queue

CRM, SHOP, OFFICE = "kleine-parel-crm", "kleine-parel-webshop", "kleine-parel-office"
SHOP_MAIL = "winkel@webshop.dekleineparel.nl"
OFFICER = ("--operator", "officer", "--reason", "looking whether it is true")
ORG = ("--organisation", "kleine-parel")
NEWSLETTER = {"stream": "newsletter", "list": "nieuwsbrief"}
_yaml = YAML()


def reader(stage: Stage, who: str) -> str:
    """Somebody who asked for the newsletter of De Kleine Parel."""
    stage.people("kleine-parel", [consent(who, "list:nieuwsbrief")])
    return who


def request(who: str, topic: str, **other: str) -> dict[str, str]:
    """A row of an import: this person asked to hear of a topic."""
    return {"address": who, "kind": "request", "topic": topic} | EVIDENCE | other


def enrolment(who: str, reference: str, **other: str) -> dict[str, str]:
    return {"address": who, "kind": "enrolment", "reference": reference} | other


def participant(stage: Stage, who: str, reference: str, topic: str = "cursussen") -> str:
    """Somebody to whom every kind of the database's mail may be sent."""
    stage.people("kleine-parel", [consent(who, "list:nieuwsbrief"), enrolment(who, reference), request(who, topic)])
    return who


def kinds(reference: str, topic: str = "cursussen") -> dict[str, dict[str, str]]:
    """The three kinds of automated mail with the marks of each."""
    return {
        "newsletter": NEWSLETTER,
        "notification": {"stream": "notification", "topic": topic, "ready": "yes"},
        "participation": {"stream": "participation", "reference": reference},
    }


def from_database(stage: Stage, who: str, sender: str = PAREL, **marks: str) -> Sent:
    """One mail of the mailing database to one person."""
    return send(stage, CRM, mail(sender, [who], **marks), [who])


def refused(sent: Sent, *words: str) -> None:
    """It was refused by a rule, with these words."""
    assert (sent.code, sent.reply[:5]) == (550, "5.7.1"), sent.reply
    assert [w for w in words if w not in sent.reply] == [], sent.reply


def held(stage: Stage, sent: Sent) -> str:
    """It was taken and waits for a person; why."""
    assert sent.code == 250, sent.reply
    return str(in_state(stage, sent.id, "held")[0]["reason"])


def nothing_arrived(stage: Stage, *people: str) -> None:
    """Once nothing is queued any more, no provider ever saw these people."""
    settled(stage)
    assert [m.provider for m in stage.recorder.mails if m.recipient in people] == []


def attempted(stage: Stage, sent: Sent) -> None:
    """Wait for a first attempt that was put off."""
    wait(lambda: any(row["attempts"] for row in queue(stage, sent.id)), "a first attempt")


def retry(stage: Stage, *mails: Sent) -> None:
    for sent in mails:
        stage.command("queue", "retry", sent.id, *OFFICER)


@contextmanager
def provider_away(stage: Stage, provider: str) -> Iterator[None]:
    """While it lasts, this provider takes no mail; its mail waits."""
    stage.recorder.pause(provider)
    try:
        yield
    finally:
        stage.recorder.resume(provider)


def looked_up(stage: Stage, who: str, organisation: str = "kleine-parel") -> dict[str, Any]:
    """What the registry says of a person."""
    shown = stage.command("registry", "show", "--to", who, *OFFICER, "--organisation", organisation, "--json")
    found: dict[str, Any] = json.loads(shown)
    return found


def exported(stage: Stage, who: str, folder: Path, organisation: str = "kleine-parel") -> dict[str, Any]:
    """The copy that a person who asks for access gets."""
    arguments = ("--to", who, "--out", str(folder), *OFFICER, "--organisation", organisation)
    stage.command("rights", "export", *arguments)
    found: dict[str, Any] = json.loads((folder / "data.json").read_text("utf-8"))
    return found


def traced(stage: Stage, who: str, *words: str) -> None:
    """Who may look finds these words in what is recorded of a person's mail."""
    look = ("trace", "--to", who, *OFFICER, "--json")
    wait(lambda: all(word in stage.command(*look) for word in words), f"{words} in the trace")


def counted(stage: Stage, row: str, organisation: str = "kleine-parel") -> float:
    """All that the running gateway counted for a promise, by the metrics that its row names."""
    (promise,) = (p for p in _promises(organisation) if p.id == row)
    found = counts_of(promise, organisation, read_samples(stage.get("observe", "/metrics")[1]))
    assert found, f"{row} names no metric"
    return float(sum(found.values()))


@lru_cache
def _promises(organisation: str) -> tuple[Promise, ...]:
    return tuple(load_promises(EXAMPLES / "promises" / f"{organisation}.yaml").promises)


def counts_more(stage: Stage, row: str, before: float, by: float = 1) -> None:
    """Wait until a promise's counts have grown by at least this much."""
    wait(lambda: counted(stage, row) >= before + by, f"{row} to count {by} more than {before}")


def checked(stage: Stage, folder: Path, file: str, change: Callable[[Any], None]) -> tuple[int, Path]:
    """`check-config` on a copy of the settings with a change; its exit code, and the copy."""
    copy = Path(shutil.copytree(stage.config.parent, folder / "config"))
    settings = _yaml.load((copy / file).read_text("utf-8"))
    change(settings)
    with (copy / file).open("w", encoding="utf-8") as stream:
        _yaml.dump(settings, stream)
    return stage.run(["check-config", "--config", str(copy / "gateway.yaml")]), copy


@dataclass(frozen=True)
class Page:
    status: int
    headers: dict[str, str]
    text: str


def visit(url: str, body: str | None = None, visitor: str = "127.44.55.66", **headers: str) -> Page:
    """One request of a browser without scripts, from this address of the machine; POST when there is a body."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=180, source_address=(visitor, 0))
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        fields["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request("GET" if body is None else "POST", parts.path, body, fields)
        answer = connection.getresponse()
        return Page(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read().decode())
    finally:
        connection.close()


def pressed(page: Page) -> str:
    """What a browser sends when the only button of the page is pressed."""
    form = page.text.partition("<form")[2].partition("</form>")[0]
    fields = []
    for tag in re.findall(r"<(?:input|button)[^>]*>", form):
        values = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if "name" in values and ("checkbox" not in tag or "checked" in tag):
            fields.append((values["name"], values.get("value", "")))
    return urllib.parse.urlencode(fields)
