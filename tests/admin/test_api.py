"""The API: what a client hears about its own addresses, the feed, and what it never says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.facts import Scope, ScopeKind
from gateway.registry.protocol import EventKind
from tests.admin.house import MOST, desk

NEWS = Scope(ScopeKind.LIST, 7)


async def test_status_tells_what_stops_mail_and_what_was_agreed(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.house.record(EventKind.CONSENT, "anna@example.org", scope=NEWS)
        await at.house.record(EventKind.OBJECTION, "bert@example.org", scope=Scope(ScopeKind.MARKETING))
        asked = {"addresses": ["anna@example.org", "bert@example.org", "new@example.org"]}
        answer = await at.client.post("/v1/status", json=asked)
        anna, bert, new = answer.json()["people"]
    assert answer.status_code == 200
    assert anna["streams"] == {"newsletter": {"blocked": False, "rule": "", "fact": ""}}
    assert anna["consents"] == [{"kind": "consent", "scope": "list:news", "since": "2027-01-15"}]
    assert bert["streams"]["newsletter"]["blocked"] is True
    assert bert["blocks"][0]["kind"] == "objection"
    assert (new["known"], new["blocks"]) == (False, [])


async def test_a_person_who_asked_to_be_forgotten_is_to_be_deleted(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.house.record(EventKind.ERASURE, "anna@example.org")
        answer = await at.client.post("/v1/status", json={"addresses": ["anna@example.org"]})
    assert answer.json()["people"][0]["delete"] is True


async def test_spellings_of_one_person_are_one_person(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.house.record(EventKind.OPT_OUT, "anna@example.org", scope=NEWS)
        answer = await at.client.post("/v1/status", json={"addresses": ["ANNA@Example.ORG"]})
    assert answer.json()["people"][0]["blocks"][0]["kind"] == "opt-out"


async def test_i7_no_answer_repeats_an_address(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        answers = [
            await at.client.post("/v1/status", json={"addresses": ["canary@example.org", "canary at example"]}),
            await at.client.post("/v1/status", json={"addresses": "canary@example.org"}),
            await at.client.post("/v1/status", json={"address": "canary@example.org"}),
            await at.client.post("/v1/status", json={"addresses": ["canary@example.org"] * (MOST + 1)}),
            await at.client.get("/v1/feed", params={"after": "canary@example.org"}),
        ]
    assert [a.status_code for a in answers] == [200, 422, 422, 422, 422]
    assert not [a.text for a in answers if "canary" in a.text]
    assert answers[0].json()["people"][1]["error"] == "not one usable mail address"


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/status"), ("GET", "/v1/feed")])
async def test_nothing_without_a_token(tmp_path: Path, method: str, path: str) -> None:
    async with desk(tmp_path) as at:
        asked = {"json": {"addresses": ["a@example.org"]}} if method == "POST" else {}
        answer = await at.client.request(method, path, headers={"Authorization": "Bearer crm.wrong"}, **asked)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        large = await at.client.post("/v1/status", content=b"x" * 100_000)

        async def unmeasured() -> object:  # no Content-Length
            yield b"{}"

        without = await at.client.post("/v1/status", content=unmeasured())  # type: ignore[arg-type]
    assert (large.status_code, without.status_code) == (413, 411)


async def test_i13_without_a_registry_nothing_is_said_to_be_allowed(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        at.house.take_away_registry()
        answer = await at.client.post("/v1/status", json={"addresses": ["anna@example.org"]})
        await at.house.put_back_registry()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


async def test_the_feed_tells_in_order_what_people_said(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.house.record(EventKind.CONSENT, "anna@example.org", scope=NEWS)
        await at.house.record(EventKind.CONTACT, "anna@example.org", detail={"client": "crm", "contact": "A-17"})
        await at.house.record(EventKind.CONTACT, "anna@example.org", detail={"client": "office", "contact": "secret"})
        await at.house.record(EventKind.OPT_OUT, "anna@example.org", scope=NEWS)
        first = await at.client.get("/v1/feed", params={"limit": 1})
        rest = await at.client.get("/v1/feed", params={"after": first.headers["Briefgeheim-Cursor"]})
        end = await at.client.get("/v1/feed", params={"after": rest.headers["Briefgeheim-Cursor"]})
    told = [json.loads(line) for answer in (first, rest) for line in answer.text.splitlines()]
    assert [(line["kind"], line["scope"]) for line in told] == [("consent", "list:news"), ("opt-out", "list:news")]
    assert told[1]["contacts"] == ["A-17"], "only the ids of the client that asks"
    assert told[0]["person"] == told[1]["person"]
    assert rest.headers["content-type"].startswith("application/jsonl")
    assert (end.text, end.headers["Briefgeheim-Cursor"]) == ("", rest.headers["Briefgeheim-Cursor"])


async def test_what_it_offers_is_described(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        described = (await at.client.get("/v1/openapi.json")).json()
        pages = [(await at.client.get(path)).status_code for path in ("/docs", "/redoc")]
    assert set(described["paths"]) == {"/v1/status", "/v1/feed"}
    assert pages == [404, 404]
