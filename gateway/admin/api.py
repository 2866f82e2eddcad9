"""The HTTP API of client systems: status of their own addresses, and the feed.

what:       `POST /v1/status`, `GET /v1/feed`, `GET /v1/openapi.json`
takes→gives: `Directory` → an ASGI application
knows not:  sockets, how the registry stores
fails by:   401 without a valid token; 413, 422 with what was expected, never with what was sent; 503 while the
            registry cannot be trusted, because "not found" would read as "allowed"
standard:   DESIGN §4 People; RFC 6750; I-7, I-13
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp

from gateway.address import Address, InvalidAddress
from gateway.admin.access import Caller, Directory
from gateway.admin.lines import json_lines, lines
from gateway.admin.status import PersonStatus, status
from gateway.observe import metrics
from gateway.registry.protocol import RegistryUnavailable

_OCTETS_PER_ADDRESS = 400  # an address has at most 254; the rest is JSON around it
_FEED_MOST = 5000
_AT_ONCE = 100
_ABOUT = """Client systems ask about their own addresses and follow what people said.

Every request carries `Authorization: Bearer CLIENT.SECRET`, as `briefgeheim keys api CLIENT` printed it. Nothing that
is asked is stored, and no answer repeats an address."""


class Question(BaseModel):
    """Addresses of the client's own database."""

    model_config = ConfigDict(extra="forbid")
    addresses: Annotated[
        list[str], Field(min_length=1, description="Mail addresses, at most as many as the settings say.")
    ]


class Answer(BaseModel):
    """One entry per address, in the order asked."""

    people: list[PersonStatus]


def build(directory: Directory, *, most: int, version: str) -> ASGIApp:
    """The application. `most`: addresses in one question; `version` of the program, for the description."""
    app = FastAPI(
        title="Briefgeheim", version=version, description=_ABOUT,
        openapi_url="/v1/openapi.json", docs_url=None, redoc_url=None,
    )  # fmt: skip  # both pages of FastAPI load scripts from elsewhere
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(RegistryUnavailable, _away)
    _limit(app, most * _OCTETS_PER_ADDRESS + 1024)
    asking = Depends(_caller_of(directory))

    @app.post("/v1/status", summary="What stands for these addresses")
    async def ask(question: Question, caller: Caller = asking) -> Answer:
        """Whether a block stops each stream of this client, and which blocks and consents are in force."""
        if len(question.addresses) > most:
            raise HTTPException(422, f"addresses: {len(question.addresses)}, expected at most {most}")
        return Answer(people=await _people(question.addresses, caller))

    @app.get(
        "/v1/feed",
        summary="What people said, in order",
        response_class=Response,
        responses={200: {"content": {"application/jsonl": {}}, "description": "One JSON object per line."}},
    )
    async def feed(
        caller: Caller = asking,
        after: Annotated[int, Query(ge=0, description="The cursor of the last line you have; 0 from the start.")] = 0,
        limit: Annotated[int, Query(ge=1, le=_FEED_MOST, description="Most events looked at.")] = 1000,
    ) -> Response:
        """Refusals, lifts and consents behind the cursor. The next one is in `Briefgeheim-Cursor`, also when no line
        was told; the end is reached when it does not move."""
        fed = await caller.house.registry.feed(after, limit)
        house = caller.house
        told = lines(fed, house.organisation, caller.client.name, house.pseudonyms.nobody().exact)
        cursor = fed[-1].number if fed else after
        return Response(json_lines(told), media_type="application/jsonl", headers={"Briefgeheim-Cursor": str(cursor)})

    return app


async def _people(texts: list[str], caller: Caller) -> list[PersonStatus]:
    found: list[PersonStatus | None] = [None] * len(texts)
    asked: list[tuple[int, Address]] = []
    for index, text in enumerate(texts):
        try:
            asked.append((index, Address.parse(text)))
        except InvalidAddress:
            found[index] = PersonStatus(index=index, error="not one usable mail address")
    house = caller.house
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]
        facts = await house.registry.facts(house.pseudonyms.people([address for _, address in some]))
        for (index, _), known in zip(some, facts, strict=True):
            found[index] = status(index, house.organisation, caller.client, known)
        await asyncio.sleep(0)  # mail goes on between two batches
    return [one for one in found if one is not None]


def _caller_of(directory: Directory) -> Callable[[Request], Caller]:
    def caller(request: Request) -> Caller:
        found = directory.caller(request.headers.get("authorization", ""))
        if found is None:
            raise HTTPException(401, "expected Authorization: Bearer CLIENT.SECRET", {"WWW-Authenticate": "Bearer"})
        request.state.client = found.client.name
        request.state.organisation = found.house.organisation.name
        return found

    return caller


def _limit(app: FastAPI, octets: int) -> None:
    @app.middleware("http")
    async def watched(request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
        """Refuses what is too large before it is read, and counts every answer."""
        length = request.headers.get("content-length", "0" if request.method == "GET" else "")
        if not length.isascii() or not length.isdigit():
            answer: Response = JSONResponse({"detail": "expected Content-Length"}, 411)
        elif int(length) > octets:
            answer = JSONResponse({"detail": f"expected at most {octets} octets"}, 413)
        else:
            answer = await proceed(request)
        answer.headers["Cache-Control"] = "no-store"
        owner = getattr(request.state, "organisation", ""), getattr(request.state, "client", "")
        metrics.API_REQUESTS.labels(*owner, str(answer.status_code)).inc()
        return answer


async def _not_understood(_request: Request, error: Exception) -> Response:
    """Where and what was expected; never the value, which may be an address (I-7)."""
    assert isinstance(error, RequestValidationError)
    found = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
    return JSONResponse({"detail": found}, 422)


async def _away(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"detail": "the registry cannot be asked now"}, 503, {"Retry-After": "10"})
