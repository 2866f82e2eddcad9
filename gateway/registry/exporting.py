"""Everything a registry holds, row by row, for people and other programs.

what:       states and events as plain values, by pseudonym; in bounded memory
takes→gives: a registry → one mapping per state or event
knows not:  file formats, addresses, who asks
fails by:   `RegistryUnavailable`
standard:   S-03, L-09 (what an authority may ask to see); I-7 (no address is in it)
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from gateway.config.organisation import Organisation
from gateway.facts import Consent, Scope, ScopeKind
from gateway.registry.events import ATTESTED
from gateway.registry.protocol import EventRow, StateRow
from gateway.registry.scopes import scope_text
from gateway.registry.state import State, unpack

_BATCH = 1000
STATE_COLUMNS = (
    *("pseudonym", "person", "blocks", "consents", "requests", "returns", "enrolments", "contracts", "third_parties"),
    *("purchases", "subscriptions", "publications", "minor", "guardian", "language", "contacts", "origins"),
    *("announced", "retained"),
)
EVENT_COLUMNS = (
    *("number", "person", "at", "kind", "scope", "actor", "channel", "wording", "proof", "grade", "detail"),
)  # fmt: skip

Record = dict[str, object]


class Rows(Protocol):
    """What an export needs of a registry."""

    async def state_rows(self, after: bytes, limit: int) -> list[StateRow]: ...

    async def event_rows(self, after: int, limit: int) -> list[EventRow]: ...


async def states(registry: Rows, organisation: Organisation) -> AsyncIterator[Record]:
    """One record per pseudonym. `person` is the number that events know them by; times are Unix seconds."""
    after = b""
    while rows := await registry.state_rows(after, _BATCH):
        for row in rows:
            yield _state(row, organisation)
        after = rows[-1].pseudonym


async def events(registry: Rows, organisation: Organisation) -> AsyncIterator[Record]:
    """One record per event, in the registry's own order."""
    after = 0
    while rows := await registry.event_rows(after, _BATCH):
        for row in rows:
            yield _event(row, organisation)
        after = rows[-1].number


def _state(row: StateRow, organisation: Organisation) -> Record:
    state = unpack(row.data)
    shown = {"pseudonym": row.pseudonym.hex(), "person": row.person, **_scoped(state, organisation), **_named(state)}
    return {name: shown[name] for name in STATE_COLUMNS}


def _scoped(state: State, organisation: Organisation) -> Record:
    def given(consents: Sequence[Consent]) -> list[Record]:
        return [{"scope": scope_text(c.scope, organisation), "at": c.at, "event": c.event} for c in consents]

    blocks = [
        {"kind": b.kind.value, "scope": scope_text(b.scope, organisation), "at": b.at, "event": b.event}
        for b in state.blocks
    ]
    return {
        "blocks": blocks,
        "consents": given(state.consents),
        "requests": given(state.requests),
        "returns": given(state.returns),
    }


def _named(state: State) -> Record:
    return {
        "enrolments": sorted(state.enrolments),
        "contracts": sorted(state.contracts),
        "third_parties": [{"reference": r, "third_party": t} for r, t in sorted(state.third_parties)],
        "purchases": [{"category": p.category, "declined": p.declined, "at": p.at} for p in state.purchases],
        "subscriptions": [{"category": s.category, "end": s.end, "free": s.free} for s in state.subscriptions],
        "publications": sorted(state.publications),
        "minor": state.minor,
        "guardian": state.guardian,
        "language": state.language,
        "contacts": [{"client": c.client, "contact": c.contact} for c in state.contacts],
        "origins": sorted(state.origins),
        "announced": sorted(state.announced),
        "retained": [{"id": r.id, "reason": r.reason, "until": r.until} for r in state.retained],
    }


def _event(row: EventRow, organisation: Organisation) -> Record:
    scope = ""
    if row.scope_kind is not None and row.scope_id is not None:
        scope = scope_text(Scope(ScopeKind(row.scope_kind), row.scope_id), organisation)
    detail: Mapping[str, object] = json.loads(row.detail) if row.detail else {}
    return {
        "number": row.number,
        "person": row.person,
        "at": row.at,
        "kind": row.kind,
        "scope": scope,
        "actor": row.actor,
        "channel": row.channel,
        "wording": row.wording,
        "proof": row.proof,
        "grade": ATTESTED if row.channel == ATTESTED else "",
        "detail": dict(detail),
    }
