"""The child's end of the control wire: start, signs of life, the two steps of a reload, the end.

what:       `serve_orders` answers the parent until it says stop or is gone
knows not:  what the child does with its settings
fails by:   nothing: a parent that is gone means drain and end
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from gateway.app.control import Wire, texts_in
from gateway.config.credentials import CredentialsError
from gateway.config.load import Loaded, SettingsError, load_texts

BEAT = 2.0  # seconds between signs of life
GARBAGE = 20_000  # objects between two collections; mail leaves almost no cycles behind

Serve = Callable[[int, int, dict[str, socket.socket]], Coroutine[None, None, int]]
"""Number of the child, descriptor of its end of the wire, sockets by name → exit code."""


class Staff(Protocol):
    """What a child offers its parent."""

    def trouble(self) -> str:
        """Why this child is not ready for work, or ""."""
        ...

    def prepare(self, loaded: Loaded) -> object:
        """Build what the new rules need, unused. Raises `SettingsError`, `CredentialsError`, `ValueError`."""
        ...

    def commit(self, prepared: object) -> None:
        """Use what was prepared."""
        ...

    async def settled(self) -> str:
        """Returns when every part uses what was committed; which keys it works with (`keys`)."""
        ...

    def keys(self) -> str:
        """Tells the keys that people are known by from any others, without telling them; "" where there are none."""
        ...

    def rekey(self) -> None:
        """Every process uses the same keys by now: bring what is stored under the newest."""
        ...


@dataclass(slots=True)
class Link:
    """Reads orders and sends signs; `stopping` is set by SIGTERM or when the parent is gone."""

    wire: Wire
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    async def open(cls, descriptor: int) -> Link:
        link = cls(await Wire.over(socket.socket(fileno=descriptor)))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, link.stopping.set)
        return link

    async def settings(self) -> Loaded:
        """The first order: the settings, as the parent read them."""
        order = await self.wire.receive()
        return load_texts(texts_in(order["texts"]))

    async def beat(self, staff: Staff) -> None:
        """Signs of life until cancelled."""
        await self.wire.send(**{"is": "ready", "keys": staff.keys()})
        while True:
            await self.wire.send(**{"is": "beat", "trouble": staff.trouble()})
            await asyncio.sleep(BEAT)

    async def obey(self, staff: Staff) -> None:
        """Carry out reloads until the parent is gone."""
        prepared: object = None
        while True:
            try:
                order = await self.wire.receive()
            except (ConnectionError, OSError):
                self.stopping.set()
                return
            if order["do"] == "prepare":
                prepared = await self._prepare(staff, order["texts"])
            elif order["do"] == "commit" and prepared is not None:
                staff.commit(prepared)
                prepared = None
            elif order["do"] == "abort":
                prepared = None
            elif order["do"] == "settle":
                await self.wire.send(**{"is": "settled", "keys": await staff.settled()})
            elif order["do"] == "rekey":
                staff.rekey()

    async def _prepare(self, staff: Staff, texts: Mapping[str, str]) -> object:
        try:
            prepared = staff.prepare(load_texts(texts_in(texts)))
        except (SettingsError, CredentialsError, ValueError, OSError) as error:
            await self.wire.send(**{"is": "refused", "why": str(error).splitlines()[0]})
            return None
        await self.wire.send(**{"is": "prepared"})
        return prepared


def inherited(argument: str) -> dict[str, socket.socket]:
    """`name=fd,…` → sockets the parent bound."""
    pairs = [item.split("=") for item in argument.split(",") if item]
    return {name: socket.socket(fileno=int(number)) for name, number in pairs}


def run(serve: Serve, number: int, wire: int, sockets: dict[str, socket.socket]) -> NoReturn:
    """A child's whole life: end with the code that `serve` gives."""
    gc.set_threshold(GARBAGE)
    with asyncio.Runner(loop_factory=_event_loop()) as runner:
        code = runner.run(serve(number, wire, sockets))
    raise SystemExit(code)


def _event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed; None is Python's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
