"""A second gateway for tests: the same two organisations, with providers that can do more and rules that are narrower.

what:       `Altered`: kantoor and mailing of De Kleine Parel are scriptable servers, the latter with TLS; myonlinestore
            demands TLS and does not get it; the CRM may submit from 127.0.0.0/9 only; course mail is `mode: bcc`
takes→gives: a folder → a running `Stage` whose settings differ as listed in `_kleine_parel` and `_rezulto`
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.cli import run
from gateway.demo.stage import Stage
from tests.delivery.sink import Script, Sink, Transaction
from tests.e2e.post import wait

NOBODY_LIVES_HERE = "weg-"
"""Recipients whose address begins so are refused by kantoor, which quotes them."""


@dataclass(frozen=True)
class Altered:
    """`office` is the provider kantoor: no TLS, offers DSN. `mailing` demands TLS."""

    stage: Stage
    office: Sink
    mailing: Sink

    def at_office(self, recipient: str, count: int = 1) -> list[Transaction]:
        """What kantoor took for this recipient, once `count` are there."""
        wait(lambda: len(_to(self.office, recipient)) >= count, f"{count} mails at kantoor")
        return _to(self.office, recipient)

    def at_mailing(self, recipient: str, count: int = 1) -> list[Transaction]:
        wait(lambda: len(_to(self.mailing, recipient)) >= count, f"{count} mails at mailing")
        return _to(self.mailing, recipient)


def _to(sink: Sink, recipient: str) -> list[Transaction]:
    return [t for t in sink.accepted if recipient in t.to]


def quoting(argument: str) -> str:
    """A provider's answer that holds the address, as many do."""
    return f"550 5.1.1 {argument} unknown here" if argument.startswith(f"<{NOBODY_LIVES_HERE}") else ""


@contextlib.contextmanager
def altered_gateway(folder: Path) -> Iterator[Altered]:
    secure = Script()
    with Sink(Script(rcpt=quoting)) as office, Sink(secure) as mailing:
        stage = Stage(folder, run, workers=1)

        def change(organisation: dict[str, Any]) -> None:
            if organisation["name"] == "kleine-parel":
                _kleine_parel(organisation, folder, office.port, mailing.port)
            else:
                _rezulto(organisation)

        stage.organisation_change = change
        stage.build()
        secure.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secure.tls.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
        stage.start()
        try:
            yield Altered(stage, office, mailing)
        finally:
            stage.close()


def _kleine_parel(organisation: dict[str, Any], folder: Path, office: int, mailing: int) -> None:
    providers = {p["name"]: p for p in organisation["providers"]}
    providers["kantoor"].update(port=office, tls="none")
    del providers["kantoor"]["ca_file"]
    providers["mailing"].update(port=mailing, tls="verify", ca_file=str(folder / "certificate.pem"))
    providers["myonlinestore"].update(port=office)  # which offers no TLS
    for client in organisation["clients"]:
        if client["name"] == "kleine-parel-crm":
            client["networks"] = ["127.0.0.0/9"]
    for route in organisation["routes"]:
        if route["provider"] == "kantoor":
            route["domains"] = ["dekleineparel.nl"]  # no other domain has a provider for personal mail
        if route["provider"] == "mailing":
            route["streams"].remove("policy_change")  # and that kind has none at all
    organisation["streams"]["personal"]["receipts"] = "keep"
    organisation["streams"]["participation"]["mode"] = "bcc"


def _rezulto(organisation: dict[str, Any]) -> None:
    for client in organisation["clients"]:
        if client["name"] == "rezulto-crm":
            client["networks"] = ["192.0.2.0/24"]  # not where tests come from
