"""The API for client systems and the webhooks, in the first mail worker, which has registries and keys.

what:       wiring of `admin`: server on an inherited socket, tokens and secrets from the credentials
takes→gives: settings, tenants, registries → requests answered, webhooks told
knows not:  mail, the page
fails by:   `CredentialsError` when a webhook's secret is missing
standard:   DESIGN §4 People
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from gateway import __version__
from gateway.admin.access import Directory, House
from gateway.app.webhooks import Hook, Webhooks
from gateway.config.credentials import Credentials, api_file
from gateway.config.load import Loaded
from gateway.registry.protocol import PeopleRegistry
from gateway.tenant import Tenant
from gateway.web.server import ASGIApp, PageServer


class ApiDesk:
    """`use` with new rules and keys after a reload; `run` until cancelled."""

    def __init__(self, sockets: Mapping[str, socket.socket], registries: Mapping[str, PeopleRegistry]) -> None:
        self._socket = sockets.get("api")
        self._registries = registries
        self._server: PageServer | None = None
        self._webhooks = Webhooks()

    def use(self, loaded: Loaded, credentials: Credentials, tenants: Mapping[str, Tenant]) -> None:
        """From the next request, and the next look at the feed, on. Raises `CredentialsError`."""
        self._webhooks.use(hooks(loaded, credentials, self._registries))
        api = loaded.gateway.api
        if self._socket is None or api is None:
            return
        app = application(credentials, tenants, self._registries, api.addresses)
        if self._server is None:
            self._server = PageServer(app, api.trusted_proxies)
        else:
            self._server.use(app)

    async def run(self) -> None:
        """Answer and tell until cancelled; then finish what is under way."""
        async with asyncio.TaskGroup() as tasks:
            telling = tasks.create_task(self._webhooks.run(), name="webhooks")
            serving = None
            if self._server is not None and self._socket is not None:
                serving = tasks.create_task(self._server.serve([self._socket]), name="api")
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            telling.cancel()
            if self._server is not None and serving is not None:
                self._server.stop()


def application(
    credentials: Credentials, tenants: Mapping[str, Tenant], registries: Mapping[str, PeopleRegistry], most: int
) -> ASGIApp:
    """The API over all organisations."""
    from gateway.admin.api import build  # loaded only where there is an API: it costs a start a tenth of its time

    houses = {name: House(tenant.organisation, tenant.pseudonyms, registries[name]) for name, tenant in tenants.items()}

    def stored(organisation: str, client: str) -> str | None:
        file = api_file(organisation, client)
        return credentials.api_token(organisation, client) if credentials.exists(file) else None

    return build(Directory(houses, stored), most=most, version=__version__)


def hooks(loaded: Loaded, credentials: Credentials, registries: Mapping[str, PeopleRegistry]) -> Iterator[Hook]:
    """Every webhook of the settings, with its secret and its place on disk. Raises `CredentialsError`."""
    for organisation in loaded.organisations:
        for settings in organisation.webhooks:
            secret = credentials.webhook_secret(organisation.name, settings.secret)
            file = _place(loaded.gateway.state, organisation.name, settings.name)
            nobody = credentials.pseudonyms(organisation).nobody().exact
            yield Hook(organisation, settings, secret, registries[organisation.name], file, nobody)


def _place(state: Path, organisation: str, name: str) -> Path:
    return state / "webhooks" / f"{organisation}.{name}.json"
