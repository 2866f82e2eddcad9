"""The parent process: binds, starts workers and the web process, watches, reloads, drains.

what:       one listening socket per listener, inherited by all workers; rules switch everywhere or nowhere
takes→gives: the settings file → running processes → exit code
knows not:  mail
fails by:   exit 2 on settings (systemd does not restart), exit 1 when workers cannot stay up
standard:   DESIGN §4 Shape; I-13 (`serve` never creates a registry)
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.app.child import Child
from gateway.app.needs import missing
from gateway.app.notify import notify, reloading
from gateway.app.nursery import Nursery
from gateway.app.running import Running, Taken
from gateway.app.sockets import bind, listen, publish
from gateway.config.environment import child_environment, watchdog_seconds
from gateway.config.ids import remember
from gateway.config.load import Loaded, SettingsError, load
from gateway.config.observe_mode import notices
from gateway.observe import maillog
from gateway.observe.exposition import Exposition, fresh_folder
from gateway.spool.blackbox import note_crash

BEAT_LIMIT = 20.0  # seconds without a sign of life after which a worker counts as stuck
_RESPAWN = 0.2
_GIVE_UP = 5  # starts in a row that never got ready, after which another one helps nobody
_READY_LIMIT = 60.0


@dataclass(slots=True)
class Parent:
    """`parts`: which of "mail" and "web" run below this parent."""

    path: Path
    parts: frozenset[str]
    loaded: Loaded
    children: list[Child] = field(default_factory=list)
    _vain: int = 0
    _code: int = 0
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    _reload: asyncio.Lock = field(default_factory=asyncio.Lock)
    _sockets: dict[str, socket.socket] = field(default_factory=dict)
    _exposition: Exposition | None = None
    _running: Running | None = None
    _nursery: Nursery | None = None

    async def run(self) -> int:
        """Serve until SIGTERM or SIGINT; gives the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up.set)  # before anybody can know whom to send it
        try:
            self._running = Running(self._home, "gateway")
        except Taken as error:
            sys.stderr.write(f"{error}\n")
            return 2
        metrics = self._home / "metrics"
        fresh_folder(metrics)
        self._open_sockets()
        self._exposition = self._expose(metrics)
        self._publish()
        async with asyncio.TaskGroup() as tasks:
            self.children = self._make_children(metrics)
            keepers = [tasks.create_task(self._keep(child), name=child.name) for child in self.children]
            watch = tasks.create_task(self._watch(), name="watchdog")
            reloads = tasks.create_task(self._reloads(), name="reloads")
            await self._stopping.wait()
            notify("STOPPING=1")
            watch.cancel()
            reloads.cancel()
            await asyncio.gather(*map(Child.end, self.children, keepers))
        assert self._nursery is not None
        await self._nursery.close()
        self._running.free()
        self._exposition.close()
        for sock in self._sockets.values():
            sock.close()
        maillog.stopped("parent")
        return self._code

    async def _reloads(self) -> None:
        while True:
            await self._hung_up.wait()
            self._hung_up.clear()
            await self.reload()

    async def reload(self) -> None:
        """SIGHUP: every worker prepares the new rules; all take them, or none does and the old ones stay."""
        async with self._reload:
            reloading()
            try:
                loaded = await asyncio.to_thread(load, self.path)
                _same_shape(self.loaded, loaded)
            except SettingsError as error:
                self._refused(error.errors)
                return
            answers = await asyncio.gather(*(child.prepare(loaded.texts) for child in self.children))
            wrong = [answer for answer in answers if answer]
            if wrong:
                await asyncio.gather(*(child.settle(commit=False) for child in self.children))
                self._refused(wrong)
                return
            self.loaded = loaded  # from here on also for a child that dies and is started again
            await self._commit()
            maillog.reloaded(loaded.version)
            _say_observed(loaded)
            self._remember()
            await self._rekey()
            self._tell()

    def _refused(self, errors: Sequence[str]) -> None:
        maillog.reload_refused(len(errors), errors[0])
        self._tell(errors[0])

    def _tell(self, refused: str = "") -> None:
        if self._running is not None:
            self._running.reloaded(refused, ",".join({c.keys for c in self.children if c.kind == "worker"}))
        notify("READY=1")

    async def _commit(self) -> None:
        """The page first: it must know a key before a link of it leaves."""
        for kind in ("web", "worker"):
            these = [child for child in self.children if child.kind == kind]
            await asyncio.gather(*(child.settle(commit=True) for child in these))
            await asyncio.gather(*(child.settled() for child in these))

    async def _rekey(self) -> None:
        """Once all workers have the same keys: what is stored may be brought under the newest."""
        workers = [child for child in self.children if child.kind == "worker"]
        if all(child.ready for child in workers) and len({child.keys for child in workers}) == 1:
            await asyncio.gather(*(child.rekey() for child in workers))

    def trouble(self) -> str:
        """Why /readyz is red, or ""."""
        late = self.late()
        if late:
            return late
        return next((f"{c.name}: {c.trouble}" for c in self.children if c.trouble), "")

    def late(self) -> str:
        """Why /healthz is red, or "": every child beats."""
        now = time.monotonic()
        return next((f"{c.name} does not answer" for c in self.children if now - c.beat > BEAT_LIMIT), "")

    @property
    def _home(self) -> Path:
        """The folder that is written to: the page's own where it is a unit of its own (it may not enter the other)."""
        gateway = self.loaded.gateway
        return gateway.state if "mail" in self.parts else gateway.web_folder

    def _remember(self) -> None:
        """Ids of rules that were taken into use: none may ever mean something else (DESIGN §4 Tokens)."""
        if "mail" not in self.parts:
            return
        try:
            remember(self.loaded.gateway.state, self.loaded.organisations)
        except (OSError, ValueError) as error:
            maillog.trouble("ids", type(error).__name__)

    def _open_sockets(self) -> None:
        if "mail" in self.parts:
            self._sockets = listen(self.loaded.gateway.listen)
            if api := self.loaded.gateway.api:
                self._sockets["api"] = bind(api.address, api.port, "api")
        if "web" in self.parts:
            web = self.loaded.gateway.web
            self._sockets["web"] = bind(web.address, web.port, "web")

    def _expose(self, metrics: Path) -> Exposition:
        gateway = self.loaded.gateway
        address = gateway.observe.address
        port = gateway.observe.port if "mail" in self.parts else gateway.web.metrics_port
        try:
            return Exposition(address, port, metrics, self.late, self.trouble)
        except OSError as error:
            sys.stderr.write(f"observe: cannot listen on {address} port {port}: {error.strerror}\n")
            raise SystemExit(2) from None

    def _publish(self) -> None:
        assert self._exposition is not None
        ports = {name: (str(s.getsockname()[0]), int(s.getsockname()[1])) for name, s in self._sockets.items()}
        ports["observe"] = (self.loaded.gateway.observe.address, self._exposition.port)
        publish(self._home, ports)

    def _make_children(self, metrics: Path) -> list[Child]:
        modules = ["gateway.app.worker"] if "mail" in self.parts else []
        modules += ["gateway.app.web"] if "web" in self.parts else []
        nursery = self._nursery = Nursery(modules, self._sockets, child_environment(metrics))
        mail = self._sockets.keys() - {"web"}
        children = []
        if "mail" in self.parts:
            workers = range(self.loaded.gateway.workers)
            children = [Child(f"worker-{n}", "worker", n, mail, nursery) for n in workers]
        if "web" in self.parts:
            children.append(Child("web", "web", 0, {"web"}, nursery))
        return children

    async def _keep(self, child: Child) -> None:
        """Start it, and start it again when it dies; a worker's death is looked into first (I-3)."""
        while not self._stopping.is_set():
            code = await child.live(self.loaded)
            assert self._exposition is not None
            self._exposition.forget(child.pid)
            if self._stopping.is_set():
                return
            maillog.trouble(child.name, f"ended with code {code}")
            if child.kind == "worker":
                note_crash(self.loaded.gateway.state, child.number)
            if child.was_ready:
                self._vain = 0
            elif code >= 0:  # a child that was killed says nothing about the next start
                self._vain += 1
            if code == 2 or self._vain >= _GIVE_UP:
                self._code = code if code == 2 else 1
                self._stopping.set()
                return
            await asyncio.sleep(_RESPAWN)

    async def _watch(self) -> None:
        """READY once all answered; then the watchdog is fed only while all of them beat."""
        ready = False
        pause = watchdog_seconds() or 1.0
        while True:
            if not ready and self.children and all(c.ready for c in self.children):
                ready = True
                maillog.started("parent", processes=len(self.children))
                notify("READY=1")
                self._remember()
            if ready and not self._reload.locked():
                await self._rekey()
            if ready and not self.late():
                notify("WATCHDOG=1")
            await asyncio.sleep(min(pause, 1.0) if not ready else pause)


def _same_shape(old: Loaded, new: Loaded) -> None:
    """What only a restart can change: what the parent and the children were built with."""
    fixed = (
        "listen", "state", "credentials", "workers", "web", "observe", "name", "limits", "delivery",
    )  # fmt: skip
    changed = [name for name in fixed if getattr(old.gateway, name) != getattr(new.gateway, name)]
    if changed:
        raise SettingsError([f"gateway.yaml: {', '.join(changed)}: changed; needs a restart, not a reload"])


def _say_observed(loaded: Loaded) -> None:
    for notice in notices(loaded.organisations, time.time()):
        maillog.observing(notice)


def serve(path: Path, parts: Sequence[str]) -> int:
    """Run the parent; settings errors go to standard error, one per line, exit 2."""
    try:
        loaded = load(path)
    except SettingsError as error:
        sys.stderr.write("\n".join(error.errors) + "\n")
        return 2
    if lacking := missing(loaded, parts):
        sys.stderr.write("\n".join(lacking) + "\n")
        return 2
    maillog.configure(loaded.gateway.observe.log, loaded.gateway.observe.level)
    _say_observed(loaded)
    return asyncio.run(Parent(path, frozenset(parts), loaded).run())
