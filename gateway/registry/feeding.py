"""What others are told of events, in SQLite: the feed, pending returns, ages.

what:       reads that list instead of looking somebody up
takes→gives: a connection and a cursor or limit → values of the protocol
knows not:  journals, identity, who asks
fails by:   `sqlite3.Error`
standard:   DESIGN §4 "Who can name a person"; S-56; GDPR 15
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from gateway.facts import Scope, ScopeKind
from gateway.pseudonym import Pseudonyms
from gateway.registry.postings import Index
from gateway.registry.protocol import EventKind, Fed, Return
from gateway.registry.state import State, unpack

_FEED = """
SELECT e.number, e.kind, e.at, e.scope_kind, e.scope_id, s.pseudonym, s.layer, s.data
FROM events AS e JOIN state AS s ON s.person = e.person WHERE e.number > ? ORDER BY e.number LIMIT ?"""
_RETURNS = """
SELECT p.event, s.pseudonym, s.layer, s.data FROM postings AS p JOIN state AS s ON s.person = p.person
WHERE p.name = ? ORDER BY p.event LIMIT ?"""


def feed(connection: sqlite3.Connection, after: int, limit: int, keys: Pseudonyms) -> list[Fed]:
    """People in the newest layer of `keys`, whichever their rows are of."""
    return [
        Fed(number, EventKind(kind), at, _scope(scope_kind, scope_id), keys.lift(name, layer), _contacts(unpack(data)))
        for number, kind, at, scope_kind, scope_id, name, layer, data in connection.execute(_FEED, (after, limit))
    ]


def returns(connection: sqlite3.Connection, limit: int, keys: Pseudonyms) -> list[Return]:
    """As `feed`."""
    found = []
    for event, name, layer, data in connection.execute(_RETURNS, (Index.RETURN, limit)):
        state = unpack(data)
        waiting = next(r for r in state.returns if r.event == event)
        found.append(Return(event, keys.lift(name, layer), waiting.scope, waiting.at, _contacts(state)))
    return found


def oldest(connection: sqlite3.Connection, kinds: Collection[EventKind]) -> int | None:
    """Facts by their index; for other kinds every event is read."""
    wanted = [kind.value for kind in kinds]
    only_facts = "kind GLOB 'fact-*' AND " if all(k.startswith("fact-") for k in wanted) else ""
    marks = ",".join("?" * len(wanted))
    query = f"SELECT MIN(at) FROM events WHERE {only_facts}kind IN ({marks})"
    found = connection.execute(query, wanted).fetchone()[0]
    return None if found is None else int(found)


def _scope(kind: int | None, number: int | None) -> Scope | None:
    return None if kind is None or number is None else Scope(ScopeKind(kind), number)


def _contacts(state: State) -> frozenset[tuple[str, str]]:
    return frozenset((c.client, c.contact) for c in state.contacts)
