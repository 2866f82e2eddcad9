"""The feed's lines: refusals, lifts and consents as a client system reads them.

what:       which events are told, and one line of JSON each
takes→gives: `Fed` → a JSON-able line, or None for what is not told
knows not:  HTTP, cursors' storage, addresses
fails by:   nothing
standard:   DESIGN §4 "who can name a person": pseudonym and the client's own contact id, nothing else
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from gateway.config.organisation import Organisation
from gateway.registry.protocol import EventKind, Fed
from gateway.registry.scopes import scope_text

# Facts came from the client systems themselves; what people said or had done is news to them.
TOLD = frozenset(
    {
        EventKind.CONSENT,
        EventKind.REQUEST,
        EventKind.OPT_OUT,
        EventKind.WITHDRAWAL,
        EventKind.OBJECTION,
        EventKind.RESTRICTION,
        EventKind.RESTRICTION_LIFTED,
        EventKind.ERASURE,
        EventKind.COMPLAINT,
        EventKind.BOUNCE,
        EventKind.MANUAL,
        EventKind.LIFTED,
        EventKind.RECTIFIED,
    }
)
Line = dict[str, str | int | list[str]]


def line(fed: Fed, organisation: Organisation, client: str) -> Line | None:
    """`contacts` holds only this client's own ids of the person; `person` is the pseudonym in hexadecimal."""
    if fed.kind not in TOLD:
        return None
    return {
        "cursor": fed.number,
        "kind": fed.kind.value.removeprefix("fact-"),
        "at": datetime.fromtimestamp(fed.at, UTC).isoformat(),
        "scope": "" if fed.scope is None else scope_text(fed.scope, organisation),
        "person": fed.person.hex(),
        "contacts": sorted(contact for owner, contact in fed.contacts if owner == client),
    }


def lines(fed: Iterable[Fed], organisation: Organisation, client: str, nobody: bytes) -> list[Line]:
    """Those that are told, in order. `nobody`, whom the opt-out is probed with, is no news (L-31)."""
    people = (one for one in fed if one.person != nobody)
    return [found for one in people if (found := line(one, organisation, client)) is not None]


def json_lines(found: Iterable[Line]) -> bytes:
    """JSON Lines: one object per line, UTF-8, each ended by LF."""
    return b"".join(json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in found)
