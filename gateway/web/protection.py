"""What every answer carries, and how much body is read.

knows not:  what the page says
standard:   R-073, S-05; CSP level 3
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    # Browsers ignore it over plain http, so it is safe on loopback behind the TLS proxy (S-16).
    "Strict-Transport-Security": "max-age=63072000",
    "Permissions-Policy": "browsing-topics=()",
}


class SafeHeaders:
    """Adds the headers to every response, also to errors."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_safe)


class BodyLimit:
    """Ends reading a body over `limit` octets, as if it were empty: the page then says that nothing changed."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = 0

        async def receive_some() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._limit:
                return {"type": "http.request", "body": b"", "more_body": False}
            return message

        await self._app(scope, receive_some, send)
