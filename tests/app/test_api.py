"""The API and webhooks of a running gateway: keys made by commands, opt-out by link, told to the client."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

from gateway.demo.stage import Stage
from tests.e2e.post import arrived, consent, mail, one_click, opt_out_url, person, send, wait


def with_api(gateway: dict[str, Any]) -> None:
    gateway["api"] = {"port": 0}


def ask(stage: Stage, token: str, path: str, body: object = None) -> tuple[int, str]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(stage.url("api", path), data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.status, answer.read().decode()


def test_a_client_hears_of_an_opt_out_by_link(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(gateway=with_api)
    token = stage.command("keys", "api", "kleine-parel-crm").split()[1]
    anna = person()
    stage.people("kleine-parel", [consent(anna, "list:nieuwsbrief")])
    stage.start()
    content = mail("info@dekleineparel.nl", [anna], stream="newsletter", list="nieuwsbrief", contact="A-17")
    send(stage, "kleine-parel-crm", content, [anna])
    (copy,) = arrived(stage, [anna])
    assert "opt-out" not in ask(stage, token, "/v1/feed")[1]
    assert one_click(opt_out_url(copy.content)) == 200
    wait(lambda: "opt-out" in ask(stage, token, "/v1/feed")[1], "the opt-out in the feed")
    told = [json.loads(line) for line in ask(stage, token, "/v1/feed")[1].splitlines()]
    assert (told[-1]["kind"], told[-1]["scope"], told[-1]["contacts"]) == ("opt-out", "source:perfectview", ["A-17"])
    _, text = ask(stage, token, "/v1/status", {"addresses": [anna]})
    assert json.loads(text)["people"][0]["streams"]["newsletter"]["blocked"] is True
