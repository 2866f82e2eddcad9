"""A running page: the real application on a real port of this machine, with real journals in a folder."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.config.organisation import Organisation
from gateway.facts import Scope, ScopeKind
from gateway.registry.journal import Journal
from gateway.token import OptOut, TokenKeys
from gateway.web.app import Desk, build
from gateway.web.recording import Recorder
from gateway.web.server import PageServer


def organisation(number: int, name: str) -> Organisation:
    return Organisation.model_validate(
        {
            "id": number,
            "name": name,
            "controller": {
                "name": f"Stichting {name.title()}",
                "postal_address": "Kerkstraat 1, 1000 AA Ergens, Nederland",
                "contact": f"info@{name}.example",
                "policy_url": f"https://{name}.example/privacy",
                "policy_date": "2024-01-01",
            },
            "opt_out_url": f"https://afmelden.{name}.example",
            "postmaster": f"postmaster@{name}.example",
            "domains": [],
            "lists": [{"id": 7, "name": "nieuws", "title": "Nieuws & meer <vandaag>"}],
            "clients": [],
            "providers": [],
            "routes": [],
            "streams": {},
            "classify": [],
        }
    )


@dataclass
class House:
    url: str
    folder: Path
    keys: dict[str, TokenKeys]
    numbers: dict[str, int]

    def link(self, name: str = "alfa", *, scope: Scope | None = None, at: str = "", person: bytes = b"p" * 32) -> str:
        opt_out = OptOut(self.numbers[name], person, 0, scope or Scope(ScopeKind.LIST, 7), 20000, 99)
        return f"{self.url}/{at or name}/{self.keys[name].seal(opt_out)}"

    def records(self, name: str = "alfa") -> list:
        journal = Journal.open(self.folder / f"{name}.journal", write=False)
        found = journal.since(journal.head.start)
        journal.close()
        return found


@contextmanager
def open_house(folder: Path) -> Iterator[House]:
    """The pages of two organisations, served until the block ends."""
    numbers = {"alfa": 1, "beta": 2}
    keys = {name: TokenKeys({1: os.urandom(64)}) for name in numbers}
    desks = {
        name: Desk(
            organisation(number, name),
            keys[name],
            Recorder(
                Journal.ensure(folder / f"{name}.journal", organisation=number), wait=0.0, clock=lambda: 1_760_000_000
            ),
        )
        for name, number in numbers.items()
    }
    sock = socket.create_server(("127.0.0.1", 0))
    server = PageServer(build(desks), ["127.0.0.1"])
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([sock])))
    thread.start()
    try:
        yield House(f"http://127.0.0.1:{sock.getsockname()[1]}", folder, keys, numbers)
    finally:
        server.stop()
        thread.join()
