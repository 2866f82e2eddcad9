"""Ways to find people that do not start from their pseudonym: an index that follows from the state rows alone.

what:       the index lines of one state, and what a change of state adds to and takes from them
takes→gives: person number and `State` → `Posting` values
knows not:  SQL, Redis, who asks
fails by:   nothing
standard:   S-09 (publication consents), S-32 (contact ids); DESIGN §4 "Who can name a person"
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from gateway.registry.state import EMPTY, State


class Index(IntEnum):
    """Numbers on disk: never change or reuse one."""

    CONTACT = 1
    PUBLICATION = 2
    RETURN = 3


class Posting(NamedTuple):
    """In index `name`, `key` leads to person number `person`. `event`: of several with one key the latest counts."""

    name: Index
    key: str
    event: int
    person: int


def contact_key(client: str, contact: str) -> str:
    # Texts of events hold no control characters, so this cannot be made in two ways.
    return f"{client}\x1f{contact}"


def postings(person: int, state: State) -> frozenset[Posting]:
    """Every index line of one row."""
    if not (state.contacts or state.publications or state.returns):
        return _NONE
    return frozenset(
        (
            *(Posting(Index.CONTACT, contact_key(c.client, c.contact), c.event, person) for c in state.contacts),
            *(Posting(Index.PUBLICATION, p, 0, person) for p in state.publications),
            *(Posting(Index.RETURN, "", r.event, person) for r in state.returns),
        )
    )


def moved(before: Iterable[tuple[int, State]], after: Iterable[tuple[int, State]]) -> tuple[set[Posting], set[Posting]]:
    """(lines to take out, lines to put in) between two views of the same rows."""
    old = {line for person, state in before if state is not EMPTY for line in postings(person, state)}
    new = {line for person, state in after for line in postings(person, state)}
    return old - new, new - old


_NONE: frozenset[Posting] = frozenset()
