"""What every answer carries, and how much body is read."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.web.protection import BodyLimit, SafeHeaders


async def _length(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def ask(body: bytes) -> httpx.Response:
    app = SafeHeaders(BodyLimit(Starlette(routes=[Route("/", _length, methods=["POST"])]), limit=100))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page.example") as client:
        return await client.post("/", content=body)


@pytest.mark.parametrize(("size", "read"), [(0, "0"), (100, "100"), (101, "0"), (10_000, "0")])
async def test_a_body_over_the_limit_counts_as_empty(size: int, read: str) -> None:
    assert (await ask(b"x" * size)).text == read


async def test_nothing_may_be_loaded_framed_or_sent_elsewhere() -> None:
    policy = dict(part.split(" ", 1) for part in (await ask(b"")).headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


async def test_errors_are_protected_too() -> None:
    app = SafeHeaders(Starlette())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page.example") as client:
        answer = await client.get("/nothing")
    assert answer.status_code == 404
    assert answer.headers["referrer-policy"] == "no-referrer"
