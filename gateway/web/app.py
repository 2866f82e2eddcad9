"""The public pages as an ASGI application: GET shows, POST acts, nothing else.

what:       `/{organisation}/{token}`; the organisation in the path says whose keys may open the token
takes→gives: organisations with their token keys and recorders → Starlette
knows not:  the registry, mail, other people's records
fails by:   400 (not a known body), 404 (not our link), 503 (not stored, so not promised)
standard:   RFC 8058 3.1-3.2, 6; R-065..R-073; I-2, I-9, I-12; S-05
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.config.organisation import Organisation
from gateway.facts import Scope, ScopeKind
from gateway.observe import maillog, metrics
from gateway.token import PROBE, InvalidToken, OptOut, TokenKeys
from gateway.web import pages
from gateway.web.protection import BodyLimit, SafeHeaders
from gateway.web.recording import Receipt, Recorder

BODY_LIMIT = 64 * 1024  # octets; a one-click body is under 200
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True)
class Desk:
    """One organisation at the page: its rules, the keys of its own links, and where opt-outs are written."""

    organisation: Organisation
    tokens: TokenKeys
    recorder: Recorder


def build(desks: Mapping[str, Desk]) -> Starlette:
    """The application for these organisations, by name."""
    page = _Page(desks)
    return Starlette(
        routes=[
            Route("/style.css", _style, methods=["GET"]),
            Route("/healthz", _health, methods=["GET"]),
            # Both spellings, so that a slash added on the way never turns a POST into a redirect.
            Route("/{organisation}/{token}", page.answer, methods=["GET", "POST"]),
            Route("/{organisation}/{token}/", page.answer, methods=["GET", "POST"]),
        ],
        middleware=[Middleware(SafeHeaders), Middleware(BodyLimit, limit=BODY_LIMIT)],
        exception_handlers={404: _not_found},
    )


async def _style(_request: Request) -> Response:
    return Response(pages.STYLE, media_type="text/css")


async def _health(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _not_found(request: Request, _error: Exception) -> Response:
    return _problem(request, None, 404, "bad_link")


class _Page:
    def __init__(self, desks: Mapping[str, Desk]) -> None:
        self._desks = desks

    async def answer(self, request: Request) -> Response:
        desk = self._desks.get(request.path_params["organisation"])
        opt_out = self._open(desk, request.path_params["token"])
        if desk is None or opt_out is None:
            return _problem(request, desk.organisation if desk else None, 404, "bad_link")
        if request.method == "POST":
            return await self._act(request, desk, opt_out)
        return _ask(request, desk.organisation, opt_out.scope)

    def _open(self, desk: Desk | None, token: str) -> OptOut | None:
        if desk is None:
            return None
        try:
            opt_out = desk.tokens.open(token)
        except InvalidToken:
            return None
        return opt_out if opt_out.organisation == desk.organisation.id else None

    async def _act(self, request: Request, desk: Desk, opt_out: OptOut) -> Response:
        form = await _form(request)
        one_click = _said(form, "List-Unsubscribe") == "One-Click"
        if not one_click and _said(form, "opt-out") != "yes":
            return _problem(request, desk.organisation, 400, "bad_request")
        if _said(form, "all") == "yes" and pages.wider_offered(opt_out.scope):
            opt_out = replace(opt_out, scope=Scope(ScopeKind.MARKETING))
        name, way = desk.organisation.name, "one-click" if one_click else "page"
        try:
            receipt = await desk.recorder.record(opt_out)
        except OSError as error:
            maillog.trouble("web journal", type(error).__name__)
            response = _problem(request, desk.organisation, 503, "later")
            response.headers["Retry-After"] = "120"
            return response
        if opt_out.message != PROBE:
            metrics.PAGE_OPT_OUTS.labels(name, opt_out.scope.kind.name.lower(), way).inc()
            maillog.opted_out(name, opt_out.pseudonym, str(opt_out.scope), way)
        if one_click:
            return PlainTextResponse("Unsubscribed.\n")
        return _done(request, desk.organisation, opt_out.scope, receipt)


async def _form(request: Request) -> FormData:
    """The fields of a urlencoded or multipart body; empty for anything else (RFC 8058 3.2 allows just these two)."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in _FORMS:
        return FormData()
    try:
        return await request.form(max_files=0, max_fields=20)
    except (MultiPartException, HTTPException, ValueError):
        return FormData()


def _said(form: FormData, name: str) -> str:
    """A field's value; senders that end the body with a line end mean the same (R-065)."""
    value = form.get(name)
    return value.rstrip("\r\n") if isinstance(value, str) else ""


def _language(request: Request, organisation: Organisation | None) -> str:
    wanted = request.query_params.get("lang", "")
    return pages.choose_language(organisation, request.headers.get("accept-language", ""), wanted)


def _ask(request: Request, organisation: Organisation, scope: Scope) -> Response:
    language = _language(request, organisation)
    stops, wider = pages.reach(organisation, scope, language, "stops"), pages.wider_offered(scope)
    return _html(pages.render("ask", organisation, language, stops=stops, wider=wider), 200)


def _done(request: Request, organisation: Organisation, scope: Scope, receipt: Receipt) -> Response:
    language = _language(request, organisation)
    stopped, time = pages.reach(organisation, scope, language, "stopped"), pages.Moment.of(receipt.at, language)
    return _html(pages.render("done", organisation, language, stopped=stopped, receipt=receipt.number, time=time), 200)


def _problem(request: Request, organisation: Organisation | None, status: int, text: str) -> Response:
    language = _language(request, organisation)
    texts = pages.TEXTS[language]
    page = pages.render(
        "problem",
        organisation,
        language,
        heading=texts[f"{text}_heading"],
        text=texts[text],
        retry=status != 404,
    )
    return _html(page, status)


def _html(page: bytes, status: int) -> Response:
    return Response(page, status_code=status, media_type="text/html; charset=utf-8")
