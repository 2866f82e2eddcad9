"""The real opt-out page of the tests' school on a port of this machine, in the test's own loop."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from gateway.registry.journal import Journal
from gateway.registry.places import places
from gateway.web.app import Desk, build
from gateway.web.recording import Recorder
from gateway.web.server import ASGIApp, PageServer
from tests.house import House


def clock() -> float:
    """The page's clock."""
    return time.time()


def desk(house: House) -> ASGIApp:
    """The page that writes to the journal which this house's registry reads."""
    organisation = house.tenant.organisation
    journal = Journal.ensure(places(house.folder, organisation.name).web, organisation=organisation.id)
    recorder = Recorder(journal, wait=0.0, clock=lambda: clock())
    return build({organisation.name: Desk(organisation, house.tenant.tokens, recorder)})


def bound() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


@asynccontextmanager
async def served(app: ASGIApp, sock: socket.socket, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    """Answer on `sock` for as long as the block lasts."""
    server = PageServer(app, ("127.0.0.1",))
    if tls is not None:
        config = server._server.config
        config.load()
        config.ssl = tls
    task = asyncio.create_task(server.serve([sock]))
    inner: uvicorn.Server = server._server
    while not inner.started:
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.stop()
        await task
