"""The HTTP server of the page."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.web.server import PageServer


def says(word: str) -> Starlette:
    async def answer(request: Request) -> Response:
        return PlainTextResponse(f"{word} over {request.url.scheme}")

    return Starlette(routes=[Route("/", answer)])


@pytest.mark.parametrize(("trusted", "scheme"), [("127.0.0.1", "https"), ("192.0.2.1", "http")])
async def test_it_swaps_rules_without_a_restart_and_believes_only_its_own_proxy(
    trusted: str, scheme: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        url = f"http://127.0.0.1:{sock.getsockname()[1]}/?token=secret"
        server = PageServer(says("old"), [trusted])
        serving = asyncio.create_task(server.serve([sock]))
        async with httpx.AsyncClient(headers={"X-Forwarded-Proto": "https"}, timeout=120) as client:
            assert (await client.get(url)).text == f"old over {scheme}"
            server.use(says("new"))
            answer = await client.get(url)
            assert answer.text == f"new over {scheme}"
            assert "server" not in answer.headers
        server.stop()
        await serving
    written = capfd.readouterr()
    assert "secret" not in written.out + written.err, "no access log: it would hold tokens"
