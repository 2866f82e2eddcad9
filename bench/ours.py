"""The gateway under load: the example settings on loopback, people with consent in the registry, all mail to the sink.

what:       builds and starts it; proves on a few mails that it does the whole job
takes→gives: an empty folder, the sink's port → a running gateway with its ports and its client's secret
fails by:   `BenchError` when a copy is not what it should be
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import dkim

from bench.mail import LIST, address
from bench.process import BenchError
from gateway.cli import run
from gateway.demo.recorder import Recorded, Recorder
from gateway.demo.stage import EXAMPLES, Stage

CLIENT = "rezulto-crm"
OFFICE = "rezulto-office"
NETWORKS = {CLIENT: "127.0.0.1/32", OFFICE: "127.0.0.2/32"}  # the relay port knows its clients by where they come from
_PROOF = {"at": "2026-03-01", "actor": "person", "channel": "form", "wording": "2026-01", "proof": "form-log"}
_ALL_LANES = 40  # connections to the provider, over all workers; Postfix's default is 20 per destination
_SAME = ("list-unsubscribe", "list-unsubscribe-post")


def build(folder: Path, recorder: Recorder, sink: int, *, workers: int, people: int) -> Stage:
    """A stage that is ready to start; every provider is the sink, and every reader agreed to the newsletter."""
    for file in (EXAMPLES / "organisations").glob("*.yaml"):
        for provider in re.findall(r"\{?\s*provider: ([\w-]+)", file.read_text("utf-8")):
            recorder.ports[f"{file.stem}/{provider}"] = sink
    stage = Stage(folder, run, recorder, workers=workers, gateway_change=_gateway, organisation_change=_organisation)
    stage.build()
    consents = [{"address": address(n), "kind": "consent", "scope": f"list:{LIST}", **_PROOF} for n in range(people)]
    stage.people("rezulto", consents)
    return stage


def prove(stage: Stage, mails: list[Recorded], number: int) -> None:
    """The whole job was done on each of these copies: signed, nobody else named, no tracker, opt-out twice."""
    if len(mails) != number:
        raise BenchError(f"{len(mails)} of {number} mails arrived")
    keys = {}
    for line in stage.command("keys", "dns").splitlines():
        name, _, text = line.partition(" ")
        keys[name.rstrip(".").encode()] = "".join(re.findall(r'"([^"]*)"', text)).encode()
    for mail in mails:
        header, _, body = mail.content.partition(b"\r\n\r\n")
        body = body.replace(b"=\r\n", b"")
        wrong = [
            what
            for what, right in {
                "signature": dkim.verify(mail.content, dnsfunc=lambda name, timeout=5: keys.get(name.rstrip(b"."))),
                "own address": set(re.findall(rb"reader\d+@", mail.content)) == {mail.recipient[:13].encode()},
                "trackers": b"track/open" not in body and b"mc_eid" not in body,
                "one-click": all(name in header.lower() for name in (b"list-unsubscribe:", b"list-unsubscribe-post:")),
                "opt-out": body.count(b"/rezulto/") >= 2,
            }.items()
            if not right
        ]
        if wrong:
            raise BenchError(f"a copy is not as it should be: {', '.join(wrong)}")


def _gateway(settings: dict[str, Any]) -> None:
    settings["observe"]["level"] = "warning"
    settings["limits"] = {"connections": 1000, "connections_per_address": 1000}
    settings["delivery"] = {"concurrency": _ALL_LANES // 2}


def _organisation(settings: dict[str, Any]) -> None:
    for client in settings["clients"]:
        client.pop("networks", None)
        if client["name"] in NETWORKS:
            client["networks"] = [NETWORKS[client["name"]]]
    for provider in settings["providers"]:
        provider.update(max_connections=_ALL_LANES, tls="none")  # the peer's sink speaks no TLS
        provider.pop("ca_file", None)
