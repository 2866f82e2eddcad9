"""A call can be checked by its receiver and told from a repetition."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from gateway.admin.lines import Line
from gateway.admin.webhook import call, signature

SECRET = b"0" * 24
TOLD: list[Line] = [{"cursor": 5, "kind": "opt-out"}, {"cursor": 8, "kind": "lifted"}]


def test_a_receiver_can_check_the_signature() -> None:
    made = call("school", "crm", TOLD, SECRET, 1_800_000_000)
    signed = f"{made.headers['webhook-id']}.{made.headers['webhook-timestamp']}.".encode() + made.body
    wanted = base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256)).decode()
    assert made.headers["webhook-signature"] == f"v1,{wanted}"


def test_a_known_answer() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    assert signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_the_same_lines_have_the_same_id_at_another_time() -> None:
    first, again = (call("school", "crm", TOLD, SECRET, now) for now in (1, 2))
    assert first.headers["webhook-id"] == again.headers["webhook-id"] == "school-crm-5-8"
    assert first.headers["webhook-signature"] != again.headers["webhook-signature"]


def test_the_body_has_the_lines() -> None:
    content = json.loads(call("school", "crm", TOLD, SECRET, 1).body)
    assert (content["type"], content["organisation"], content["data"]) == ("people.changed", "school", TOLD)
