"""The loop that tells webhooks what people said: in order, at least once, as long as it takes.

what:       follows each organisation's feed and posts new lines; keeps its place on disk
takes→gives: `Tenant`-like houses and settings → calls made
knows not:  how lines are written and signed
fails by:   nothing: a receiver that is away is tried again, later and later, and its lag is a metric
standard:   DESIGN §4 People: signed webhooks with retries
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from gateway.admin.lines import lines
from gateway.admin.webhook import call
from gateway.config.api import Webhook
from gateway.config.organisation import Organisation
from gateway.observe import maillog, metrics
from gateway.registry import durable
from gateway.registry.protocol import PeopleRegistry, RegistryUnavailable

_LOOK = 1.0  # seconds between two looks at the feed
_AT_ONCE = 200
_WAIT = 10.0
_FIRST_REST, _LONGEST_REST = 5.0, 3600.0


@dataclass(slots=True)
class Hook:
    """One webhook at work. `place` is the cursor behind the last line its receiver took; `nobody` is not told of."""

    organisation: Organisation
    settings: Webhook
    secret: bytes
    registry: PeopleRegistry
    file: Path
    nobody: bytes
    place: int = -1
    rest: float = 0.0
    until: float = 0.0

    async def step(self, client: httpx.AsyncClient, now: float) -> bool:
        """Tell what is new; whether there may be more at once. Raises `RegistryUnavailable`, `OSError`."""
        if now < self.until:
            return False
        await self._begin()
        fed = await self.registry.feed(self.place, _AT_ONCE)
        metrics.WEBHOOK_WAITING.labels(self.organisation.name, self.settings.name).set(len(fed))
        if not fed:
            return False
        told = lines(fed, self.organisation, self.settings.client, self.nobody)
        if told and not await self._tell(client, told, now):
            return False
        await self._move(fed[-1].number)
        return len(fed) == _AT_ONCE

    async def _begin(self) -> None:
        """A new webhook starts with what happens from now on; the feed has what was before."""
        if self.place >= 0:
            return
        try:
            self.place = int(json.loads(await asyncio.to_thread(self.file.read_text, "ascii"))["cursor"])
        except FileNotFoundError:
            await self._move(int((await self.registry.status())["events"]))

    async def _move(self, place: int) -> None:
        content = json.dumps({"cursor": place}).encode()
        await asyncio.to_thread(durable.replace, self.file, content, 0o640)
        self.place = place

    async def _tell(self, client: httpx.AsyncClient, told: list[dict[str, str | int | list[str]]], now: float) -> bool:
        made = call(self.organisation.name, self.settings.name, told, self.secret, int(now))
        try:
            answer = await client.post(self.settings.url, content=made.body, headers=dict(made.headers))
            outcome = "ok" if answer.is_success else str(answer.status_code)
        except httpx.HTTPError as error:
            outcome = type(error).__name__
        metrics.WEBHOOK_CALLS.labels(self.organisation.name, self.settings.name, outcome).inc()
        if outcome == "ok":
            self.rest = 0.0
            return True
        self.rest = min(max(_FIRST_REST, self.rest * 2), _LONGEST_REST)
        self.until = now + self.rest
        maillog.trouble(f"webhook {self.organisation.name}/{self.settings.name}", outcome)
        return False


@dataclass(slots=True)
class Webhooks:
    """All webhooks of a node; `use` after a reload."""

    clock: Callable[[], float] = time.time
    hooks: list[Hook] = field(default_factory=list)

    def use(self, hooks: Iterable[Hook]) -> None:
        """From the next look on; a place already known is kept."""
        known = {(h.organisation.name, h.settings.name): h.place for h in self.hooks}
        self.hooks = list(hooks)
        for hook in self.hooks:
            hook.place = known.get((hook.organisation.name, hook.settings.name), -1)

    async def run(self) -> None:
        """Until cancelled."""
        async with httpx.AsyncClient(timeout=_WAIT, follow_redirects=False) as client:
            while True:
                busy = [await self._step(hook, client) for hook in list(self.hooks)]
                if not any(busy):
                    await asyncio.sleep(_LOOK)

    async def _step(self, hook: Hook, client: httpx.AsyncClient) -> bool:
        try:
            return await hook.step(client, self.clock())
        except (RegistryUnavailable, OSError, ValueError) as error:
            maillog.trouble(f"webhook {hook.organisation.name}/{hook.settings.name}", type(error).__name__)
            return False
