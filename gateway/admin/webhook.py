"""One call of a webhook: the body and the headers that prove who sent it.

what:       lines of the feed → body, id, timestamp, signature
takes→gives: lines, secret, time → `Call`
knows not:  HTTP, cursors' storage, retries
fails by:   nothing
standard:   Standard Webhooks specification 1.0 (webhook-id, webhook-timestamp, webhook-signature v1: HMAC-SHA-256)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.admin.lines import Line


@dataclass(frozen=True, slots=True)
class Call:
    """What is posted. The same lines have the same id, so that a receiver can tell a repetition."""

    body: bytes
    headers: Mapping[str, str]


def call(organisation: str, name: str, told: Sequence[Line], secret: bytes, now: int) -> Call:
    """`now` is Unix seconds; `told` is not empty."""
    identity = f"{organisation}-{name}-{told[0]['cursor']}-{told[-1]['cursor']}"
    body = json.dumps({"type": "people.changed", "organisation": organisation, "data": list(told)}).encode()
    return Call(
        body,
        {
            "content-type": "application/json",
            "webhook-id": identity,
            "webhook-timestamp": str(now),
            "webhook-signature": signature(secret, identity, now, body),
        },
    )


def signature(secret: bytes, identity: str, now: int, body: bytes) -> str:
    """`v1,` and base64 of the HMAC over id, time and body."""
    made = hmac.new(secret, f"{identity}.{now}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(made.digest()).decode()}"
