"""The HTTP server of the page: uvicorn on a socket that is already bound, without its access log.

what:       serve, swap the application on reload, stop
knows not:  what the application answers
standard:   S-05 (no access log: it would hold addresses of visitors and tokens)
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["ASGIApp", "PageServer"]


class PageServer:
    """`trusted_proxies`: whose X-Forwarded-Proto counts."""

    def __init__(self, app: ASGIApp, trusted_proxies: Sequence[str]) -> None:
        self._app = app
        self._server = _Quiet(
            uvicorn.Config(
                self._answer,
                access_log=False,
                log_config=None,
                server_header=False,
                date_header=True,
                lifespan="off",
                forwarded_allow_ips=list(trusted_proxies),
                timeout_keep_alive=10,
                timeout_graceful_shutdown=10,
                h11_max_incomplete_event_size=16 * 1024,
                http="h11",
                interface="asgi3",
                ws="none",
            )
        )

    def use(self, app: ASGIApp) -> None:
        """New rules: count from the next request."""
        self._app = app

    async def serve(self, sockets: list[socket.socket]) -> None:
        await self._server.serve(sockets=sockets)

    def stop(self) -> None:
        """Answer what is under way, then end."""
        self._server.should_exit = True

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


class _Quiet(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the process's own business."""
        yield
