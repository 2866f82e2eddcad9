"""Webhooks against a real receiver: in order, at least once, later when it is away."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from gateway.app.webhooks import Hook, Webhooks
from gateway.config.api import Webhook
from gateway.facts import Scope, ScopeKind
from gateway.registry.protocol import EventKind
from tests.house import House

NEWS = Scope(ScopeKind.LIST, 7)


class Receiver(ThreadingHTTPServer):
    """Answers with `code`; keeps what it got."""

    def __init__(self) -> None:
        self.code, self.got = 200, list[tuple[str, dict[str, object]]]()
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append((self.headers["webhook-id"], body))
        self.send_response(self.server.code)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    found = House.open(tmp_path)
    yield found
    await found.close()


def hook(house: House, receiver: Receiver) -> Hook:
    url = f"http://127.0.0.1:{receiver.server_address[1]}/people"
    settings = Webhook(name="crm", url=url, client="crm", secret="crm")
    file = house.folder / "webhooks" / "school.crm.json"
    nobody = house.tenant.pseudonyms.nobody().exact
    return Hook(house.tenant.organisation, settings, b"0" * 24, house.registry, file, nobody)


async def step(found: Hook, now: float = 1_800_000_000.0) -> bool:
    async with httpx.AsyncClient() as client:
        return await found.step(client, now)


def kinds(receiver: Receiver) -> list[list[object]]:
    return [[line["kind"] for line in body["data"]] for _, body in receiver.got]  # type: ignore[attr-defined]


async def test_a_new_webhook_is_told_what_happens_from_now_on(house: House, receiver: Receiver) -> None:
    await house.record(EventKind.CONSENT, "anna@example.org", scope=NEWS)
    found = hook(house, receiver)
    await step(found)
    await house.record(EventKind.OPT_OUT, "anna@example.org", scope=NEWS)
    await step(found)
    assert kinds(receiver) == [["opt-out"]]


async def test_what_was_taken_is_not_told_again_after_a_restart(house: House, receiver: Receiver) -> None:
    await step(hook(house, receiver))
    await house.record(EventKind.OPT_OUT, "anna@example.org", scope=NEWS)
    await step(hook(house, receiver))
    await step(hook(house, receiver))
    assert kinds(receiver) == [["opt-out"]]


@pytest.mark.parametrize("code", [302, 404, 500])
async def test_a_receiver_that_does_not_take_it_is_told_again_later(
    house: House, receiver: Receiver, code: int
) -> None:
    found = hook(house, receiver)
    await step(found)
    await house.record(EventKind.OPT_OUT, "anna@example.org", scope=NEWS)
    receiver.code = code
    await step(found, 1000.0)
    await step(found, 1004.0)
    assert len(receiver.got) == 1, "it rests first"
    receiver.code = 204
    await step(found, 1005.0)
    await step(found, 1006.0)
    assert [identity for identity, _ in receiver.got] == ["school-crm-1-1"] * 2


async def test_rests_grow_to_an_hour(house: House, receiver: Receiver) -> None:
    found = hook(house, receiver)
    await step(found)
    await house.record(EventKind.OPT_OUT, "anna@example.org", scope=NEWS)
    receiver.code, now, rests = 500, 0.0, []
    for _ in range(12):
        await step(found, now)
        rests.append(found.until - now)
        now = found.until
    assert rests[:3] == [5, 10, 20]
    assert rests[-1] == 3600


async def test_a_receiver_that_is_gone_loses_nothing(house: House, receiver: Receiver) -> None:
    found = hook(house, receiver)
    await step(found)
    await house.record(EventKind.OPT_OUT, "anna@example.org", scope=NEWS)
    url, found.settings = found.settings.url, found.settings.model_copy(update={"url": "http://127.0.0.1:1/"})
    await step(found, 1000.0)
    found.settings = found.settings.model_copy(update={"url": url})
    await step(found, 2000.0)
    assert kinds(receiver) == [["opt-out"]]


async def test_facts_move_the_place_without_a_call(house: House, receiver: Receiver) -> None:
    found = hook(house, receiver)
    await step(found)
    await house.record(EventKind.LANGUAGE, "anna@example.org", detail={"language": "nl"})
    await step(found)
    assert receiver.got == []
    assert found.place == 1


async def test_a_reload_keeps_the_place(house: House, receiver: Receiver) -> None:
    webhooks, first, second = Webhooks(), hook(house, receiver), hook(house, receiver)
    webhooks.use([first])
    await step(first)
    webhooks.use([second])
    assert second.place == first.place == 0
