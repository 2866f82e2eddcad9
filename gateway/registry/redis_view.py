"""Reading facts from Redis, and proving with every read that this is still the right registry (I-13).

what:       one round trip for all people of a batch, with the tails of this node's own journals
takes→gives: `Person` values → `Facts`, in the order asked
knows not:  writing, replaying, decisions
fails by:   `RegistryMistrusted`, `RegistryUnavailable`; `JournalDamaged`, `OSError` (the caller maps them)
standard:   I-2, I-12, I-13
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gateway.facts import Facts
from gateway.pseudonym import Person
from gateway.registry import rotation, web
from gateway.registry.identity import LOADING, Identity, check_keys
from gateway.registry.journal import Journal
from gateway.registry.opening import Owner
from gateway.registry.places import Places
from gateway.registry.postings import contact_key
from gateway.registry.protocol import RegistryMistrusted
from gateway.registry.redis_hand import Hand
from gateway.registry.redis_keys import data_of, split_names
from gateway.registry.redis_proof import Proof, Waiting, all_vetted
from gateway.registry.state import joined, known
from gateway.registry.tail import Tail
from gateway.registry.tail import Waiting as OnItsWay

_CHUNK = 1000  # people per round trip


@dataclass(frozen=True, slots=True)
class _Asked:
    """One batch as it is sent: what was true before the answer came may not be held against the answer."""

    names: list[tuple[list[bytes], list[bytes]]]
    own: list[list[OnItsWay]]
    web: list[list[OnItsWay]]
    layers: range
    taken: tuple[int, int]


class View:
    """One loop's eyes on a registry. `expected` is what every read must find, and only its positions may grow.

    `writing`: whether this process is at work with the own journal. What it appends meanwhile is not looked at: half of
    a batch could be there, and all of it is in Redis, or there to be seen, when it is done.
    """

    def __init__(
        self,
        hand: Hand,
        places: Places,
        expected: Identity,
        owner: Owner,
        seen: Callable[[float], None] | None,
        writing: Callable[[], bool],
    ) -> None:
        self._writing = writing
        self._hand = hand
        self._places = places
        self._expected = expected
        self._owner = owner
        self._seen = seen
        self._taken = _positions(expected)
        self._own = Tail(Journal.open(places.journal, write=False), expected.applied, owner.pseudonyms, None)
        self._web: Tail | None = None
        self._closed = False

    async def read(self, people: Sequence[Person]) -> list[Facts]:
        """One batched read. Tails first: what moves into the registry meanwhile is seen twice, never not at all."""
        found: list[Facts] = []
        for start in range(0, max(1, len(people)), _CHUNK):
            found += await self._read(people[start : start + _CHUNK])
        return found

    async def contact(self, client: str, contact: str) -> bytes | None:
        """The exact pseudonym of the person whom this client last called so."""
        keys, key = self._hand.keys, contact_key(client, contact)
        holders = (await self._look([keys.contacts(key)], [key]))[0]
        if holders is None:
            return None
        _, person = max(tuple(map(int, holder.split(b"/"))) for holder in holders.split(b","))
        names = split_names((await self._look([keys.names(person)], [person]))[0])
        return names[0] if names else None

    async def published(self, ids: Collection[str]) -> frozenset[str]:
        """Those of these publication consents that somebody gave and did not take back."""
        asked = sorted(ids)
        found = await self._look([self._hand.keys.publications] * len(asked), asked)
        return frozenset(name for name, count in zip(asked, found, strict=True) if count is not None)

    def close(self) -> None:
        self._closed = True
        self._own.journal.close()
        if self._web is not None:
            self._web.journal.close()

    async def _look(self, keys: list[str], fields: list[Any]) -> list[Any]:
        taken = self._taken
        proof, found = await self._hand.look(keys, fields)
        self._check(proof, taken)
        return found

    async def _read(self, people: Sequence[Person]) -> list[Facts]:
        keys = self._owner.pseudonyms
        people = [p if p.layer == keys.version else keys.brought(p) for p in people]
        while True:
            asked = self._ask(people)
            names = list({p: None for pair in asked.names for some in pair for p in some})
            proof, found = await self._hand.read(names)
            self._check(proof, asked.taken)
            if asked.layers == self._expected.layers:  # else rows are looked for elsewhere since this very read
                taken = _positions(proof.identity(self._own.journal.head))
                return _answer(asked, taken, dict(zip(names, found, strict=True)))

    def _ask(self, people: list[Person]) -> _Asked:
        self._refresh()
        layers = self._expected.layers
        return _Asked(
            names=[_names(p, layers) for p in people],
            own=_waiting(self._own, people),
            web=_waiting(self._web, people),
            layers=layers,
            taken=self._taken,
        )

    def _refresh(self) -> None:
        if not self._writing():
            self._own.refresh()
        if self._web is None:
            found = web.find(self._places.web, self._expected)
            if found is not None:
                self._web = Tail(found[0], found[1], self._owner.pseudonyms, self._seen)
        if self._web is not None:
            self._web.refresh()
        self._forget()

    def _forget(self) -> None:
        """Also after reading, not only when the registry moves: a tail can come by a record after the registry did."""
        self._own.forget(self._taken[0])
        if self._web is not None:
            self._web.forget(self._taken[1])

    def _check(self, proof: Proof, taken: tuple[int, int]) -> None:
        """`taken`: the positions known before this was asked; answers of two connections may cross."""
        if self._closed:
            raise RegistryMistrusted("the registry is being opened and checked")
        expected = self._expected
        found = proof.identity(self._own.journal.head)
        if proof.taken is None or found.registry != expected.registry:
            raise RegistryMistrusted("the registry's identity is not the one this node knows")
        all_vetted(proof)
        if found.loading:
            raise Waiting(LOADING)
        if (found.layer, found.key_check, found.floor) != (expected.layer, expected.key_check, expected.floor):
            check_keys(found, expected.organisation, self._owner.pseudonyms)
        positions = _positions(found)
        if positions[0] < taken[0] or positions[1] < taken[1]:
            raise RegistryMistrusted("the registry is older than it was: a backup was put back")
        self._expected = found
        self._move(found, positions)

    def _move(self, found: Identity, positions: tuple[int, int]) -> None:
        if positions == self._taken:
            return
        if positions[0] > self._own.journal.end.position and not self._writing():
            self._own.refresh()
            if positions[0] > self._own.journal.end.position:
                raise RegistryMistrusted("the journal is behind its registry")
        if found.web is not None and self._web is not None and found.web != self._web.journal.head.identity:
            raise RegistryMistrusted("the web journal is another one than the registry knows")
        self._taken = max(positions[0], self._taken[0]), max(positions[1], self._taken[1])
        self._forget()


def _positions(identity: Identity) -> tuple[int, int]:
    return identity.applied.position, identity.ingested.position if identity.ingested else 0


def _names(person: Person, layers: range) -> tuple[list[bytes], list[bytes]]:
    """Every pseudonym that rows of this person may be under: exact, wide; one each but while rows are lifted."""
    if person.layer == layers.start == layers[-1]:
        names = [person.exact]
        return names, names if person.wide == person.exact else [person.wide]
    known = [rotation.at(person, layer) for layer in layers]
    return [p.exact for p in known], [p.wide for p in known]


def _waiting(tail: Tail | None, people: list[Person]) -> list[list[OnItsWay]]:
    """Empty where nothing waits at all."""
    if tail is None or not len(tail):
        return []
    return [[w for name in {p.exact, p.wide} for w in tail.waiting(name)] for p in people]


def _answer(asked: _Asked, taken: tuple[int, int], values: dict[bytes, bytes | None]) -> list[Facts]:
    """`taken`: how far the journals were taken in when the values were read."""
    if not asked.own and not asked.web:
        return [joined(_first(exact, values), _first(wide, values), ()) for exact, wide in asked.names]
    pending = [[w.block for w in some if w.position > taken[0]] for some in asked.own or _nothing(asked)]
    for blocks, some in zip(pending, asked.web or _nothing(asked), strict=True):
        blocks += [w.block for w in some if w.position > taken[1]]
    return [
        joined(_first(exact, values), _first(wide, values), blocks)
        for (exact, wide), blocks in zip(asked.names, pending, strict=True)
    ]


def _nothing(asked: _Asked) -> list[list[OnItsWay]]:
    return [[]] * len(asked.names)


def _first(names: list[bytes], values: dict[bytes, bytes | None]) -> Facts | None:
    for name in names:
        if (value := values[name]) is not None:
            return _known(value)
    return None


@lru_cache(maxsize=8192)  # intake and delivery decide about the same people shortly after each other
def _known(value: bytes) -> Facts:
    return known(data_of(value))
