"""/metrics, /healthz and /readyz of the whole node, over plain HTTP for the monitoring network.

what:       one small server thread in the parent; metrics of all workers together
takes→gives: two callables that say what is wrong ("" when nothing) → HTTP answers
knows not:  workers, mail
standard:   Prometheus text exposition
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from gateway.observe.metrics import SETTINGS_NAME

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Exposition:
    """`alive` and `ready` give the reason why not, or "". Starts at once; `port` is the one really bound."""

    def __init__(
        self, address: str, port: int, folder: Path, alive: Callable[[], str], ready: Callable[[], str]
    ) -> None:
        self._folder = folder
        self._answers = {"/healthz": alive, "/readyz": ready}
        self._server = ThreadingHTTPServer((address, port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="exposition", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def forget(self, pid: int) -> None:
        """A worker ended: its gauges end with it, its counters stay."""
        mark_process_dead(pid, str(self._folder))  # type: ignore[no-untyped-call]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str) -> tuple[int, bytes]:
        """Status and body for one GET."""
        if path == "/metrics":
            registry = CollectorRegistry()
            registry.register(_InForce(MultiProcessCollector(None, str(self._folder))))  # type: ignore[no-untyped-call]
            return 200, generate_latest(registry)
        check = self._answers.get(path)
        if check is None:
            return 404, b"not here; try /metrics, /healthz or /readyz\n"
        wrong = check()
        return (503, f"{wrong}\n".encode()) if wrong else (200, b"ok\n")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = outer.answer(self.path.split("?")[0])
                self.send_response(status)
                self.send_header("Content-Type", CONTENT_TYPE)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass  # requests of monitoring are no mail events

        return Handler


class _InForce(Collector):
    """All workers' metrics, without the settings versions that none of them uses any more.

    Shared metrics files cannot forget a label; a worker sets the version it left to 0.
    """

    def __init__(self, all_workers: MultiProcessCollector) -> None:
        self._all = all_workers

    def collect(self) -> Iterator[Metric]:
        for metric in self._all.collect():  # type: ignore[no-untyped-call]
            if metric.name == SETTINGS_NAME:
                metric.samples = [sample for sample in metric.samples if sample.value]
            yield metric


def fresh_folder(folder: Path) -> None:
    """Empty the shared metrics folder; counters start at zero with the parent."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink()
