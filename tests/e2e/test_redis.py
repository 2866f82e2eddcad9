"""The running gateway on Redis: what it sends, and what it holds back while Redis is away or empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.cli import run
from gateway.demo.stage import Stage
from tests.e2e.post import (
    REZULTO,
    arrived,
    consent,
    mail,
    one_click,
    opt_out_url,
    person,
    send,
    settled,
    texts,
    until,
    wait,
)
from tests.e2e.watching import in_state
from tests.newsletters import TEXT, Letter
from tests.registry.redis_server import Server

pytestmark = pytest.mark.needs("redis-server")
LIST = "list:lestips"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("redis")).start().ready()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[Stage]:
    def on_redis(gateway: dict[str, Any]) -> None:
        gateway["delivery"] = {"retry": ["1s"]}
        gateway["registry"] = {"backend": "redis", "url": server.url, "timeout": "30s"}

    made = Stage(tmp_path_factory.mktemp("redis-stage"), run, workers=2, gateway_change=on_redis)
    made.build()
    made.start()
    yield made
    made.close()


def news(*to: str) -> Any:
    return mail(REZULTO, list(to), stream="newsletter", list="lestips", basis="consent")


def reader(stage: Stage) -> str:
    who = person()
    stage.people("rezulto", [consent(who, LIST)])
    return who


def ready(stage: Stage, code: int) -> None:
    wait(lambda: stage.get("observe", "/readyz")[0] == code, f"/readyz to say {code}")


def test_mail_to_who_agreed_leaves_and_a_link_used_stops_the_next(stage: Stage) -> None:
    who = reader(stage)
    assert send(stage, "rezulto-crm", news(who), [who]).code == 250
    (first,) = arrived(stage, [who])
    assert one_click(opt_out_url(first.content)) == 200
    assert send(stage, "rezulto-crm", news(who), [who]).code == 550


def test_i3_i13_while_redis_is_away_or_empty_mail_is_taken_and_nothing_leaves(stage: Stage, server: Server) -> None:
    who, refused = reader(stage), person()
    stage.people("rezulto", [{**consent(refused, LIST), "kind": "opt-out"}])
    server.kill()
    ready(stage, 503)
    sent = [send(stage, "rezulto-crm", news(to), [to]) for to in (who, refused)]
    assert [s.code for s in sent] == [250, 250]
    assert all(in_state(stage, s.id, "undecided") for s in sent)
    server.start().ready()
    ready(stage, 200)
    assert len(arrived(stage, [who], 1)) == 1
    server.ask("FLUSHALL")
    wait(lambda: "wiped" in stage.get("observe", "/readyz")[1], "/readyz to say that it is empty")
    for organisation in stage.organisations():
        name = organisation["name"]
        stage.command("registry", "init", "--adopt", "--organisation", name, "--operator", "jan", "--reason", "wiped")
    ready(stage, 200)
    # A worker that was in trouble, too, and has not said so since, stores it undecided once more.
    wait(lambda: send(stage, "rezulto-crm", news(refused), [refused]).code == 550, "a refusal")
    settled(stage)
    assert arrived(stage, [refused], 0) == []


def test_r059_what_workers_saw_of_a_campaign_is_in_redis(stage: Stage, server: Server) -> None:
    pictures = '<img src="https://beeld.esp.example/{TOKEN:p}/foto.jpg" width="600"><p>Beste {name}</p>'
    letter = Letter((TEXT, pictures), salt="redis")

    def shown() -> str:
        who = reader(stage)
        marks = {"stream": "newsletter", "list": "lestips", "basis": "consent", "campaign": "redis"}
        message = mail(REZULTO, [who], html=letter.html(who.partition("@")[0]), **marks)
        assert send(stage, "rezulto-crm", message, [who]).code == 250
        return texts(arrived(stage, [who])[0].content)["text/html"]

    assert "foto.jpg" in shown()
    until(shown, lambda html: "foto.jpg" not in html, "the picture to go")
    keys = server.ask("KEYS", "{bg:rezulto}:campaigns:*")
    assert isinstance(keys, list)
    assert len(keys) >= 2
