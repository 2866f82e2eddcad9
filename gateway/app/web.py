"""The web process: the opt-out page of all organisations, with their token keys and its own journals.

what:       wiring of `web` with journals; runs below the parent
knows not:  mail, the registry, pseudonym keys
fails by:   exit 2 when a token key is missing
standard:   DESIGN §4 People: weak on purpose
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from gateway.app.links import Link
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.load import Loaded
from gateway.config.organisation import Organisation
from gateway.observe import maillog, metrics
from gateway.registry.journal import Journal
from gateway.registry.places import web_journal
from gateway.web.app import Desk, build
from gateway.web.recording import Recorder
from gateway.web.server import ASGIApp, PageServer


@dataclass(slots=True)
class Pages:
    """The page's staff: builds desks, and new ones on reload. `version` is that of the settings in use."""

    server: PageServer
    version: str

    def trouble(self) -> str:
        return ""

    def prepare(self, loaded: Loaded) -> object:
        return application(loaded), loaded.version

    def commit(self, prepared: object) -> None:
        app, version = cast(tuple[ASGIApp, str], prepared)
        self.server.use(app)
        metrics.SETTINGS_VERSION.labels(self.version).set(0)
        metrics.SETTINGS_VERSION.labels(version).set(1)
        self.version = version

    async def settled(self) -> str:
        return self.keys()  # `commit` is all there is

    def keys(self) -> str:
        return ""

    def rekey(self) -> None:
        pass  # nothing is stored here under a key


def application(loaded: Loaded) -> ASGIApp:
    """Desks of all organisations. Raises `CredentialsError`."""
    credentials = Credentials.of(loaded.gateway)
    return build({o.name: desk(o, loaded, credentials) for o in loaded.organisations})


def desk(organisation: Organisation, loaded: Loaded, credentials: Credentials) -> Desk:
    """One organisation's desk; its journal is made when it is not there yet."""
    journal = Journal.ensure(_place(loaded, organisation), organisation=organisation.id)
    wait = loaded.gateway.delivery.decision_age.total_seconds()
    return Desk(organisation, credentials.token_keys(organisation.name), Recorder(journal, wait=wait, clock=time.time))


def _place(loaded: Loaded, organisation: Organisation) -> Path:
    return web_journal(loaded.gateway.web_folder, organisation.name)


async def serve(_number: int, wire: int, sockets: dict[str, socket.socket]) -> int:
    link = await Link.open(wire)
    loaded = await link.settings()
    maillog.configure(loaded.gateway.observe.log, loaded.gateway.observe.level)
    try:
        server = PageServer(application(loaded), loaded.gateway.web.trusted_proxies)
    except CredentialsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    pages = Pages(server, loaded.version)
    metrics.SETTINGS_VERSION.labels(loaded.version).set(1)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve([sockets["web"]]), name="page")
        beat = tasks.create_task(link.beat(pages), name="beat")
        orders = tasks.create_task(link.obey(pages), name="orders")
        await link.stopping.wait()
        server.stop()
        await serving
        beat.cancel()
        orders.cancel()
    return 0
