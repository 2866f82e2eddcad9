"""The registry of one organisation in Redis, shared by several nodes.

what:       everything a registry does, each as one question to a session
takes→gives: as `registry/protocol.py` says
knows not:  addresses, messages, decisions
fails by:   `RegistryUnavailable`, `RegistryMistrusted`; `InvalidEvent` for an event that cannot be kept
standard:   DESIGN §4 Redis; I-2, I-3, I-10, I-12, I-13
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

from gateway.facts import Facts
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry import redis_listing, redis_open, redis_people, redis_rotation
from gateway.registry.opening import Owner
from gateway.registry.places import Places
from gateway.registry.protocol import Act, Event, EventKind, EventRow, Evidence, Fed, Return, StateRow
from gateway.registry.record import Mark
from gateway.registry.redis_primary import Reach
from gateway.registry.redis_session import Session
from gateway.registry.redis_writer import Writer


class RedisRegistry:
    """One process's registry. `why`: what is missing among the credentials, where something is."""

    def __init__(
        self, reach: Reach, where: Places, owner: Owner, seen: Callable[[float], None] | None = None, why: str = ""
    ) -> None:
        self.session = Session(reach, where, owner, seen, why)

    async def facts(self, people: Sequence[Person]) -> list[Facts]:
        """One batched read; a registry that stopped being trusted is opened and checked anew, at most once a second."""
        return await self.session.see(lambda view: view.read(people))

    async def contact(self, client: str, contact: str) -> bytes | None:
        return await self.session.see(lambda view: view.contact(client, contact))

    async def published(self, ids: Collection[str]) -> frozenset[str]:
        return await self.session.see(lambda view: view.published(ids))

    async def record(self, events: Sequence[Event]) -> list[int]:
        return await self.session.write(lambda writer: writer.record(events))

    async def ingest(self) -> int:
        return await self.session.write(lambda writer: writer.ingest())

    async def replay(self) -> int:
        return await self.session.write(lambda writer: writer.replay())

    async def act(self, act: Act, person: Person | None) -> None:
        await self.session.write(lambda writer: redis_people.act(writer, act, person))

    async def acts(self, person: Person) -> list[Act]:
        return await self.session.write(lambda writer: redis_people.acts(writer, person))

    async def history(self, person: Person) -> list[tuple[int, Event]]:
        return await self.session.write(lambda writer: redis_people.history(writer, person))

    async def feed(self, after: int, limit: int) -> list[Fed]:
        return await self.session.write(lambda writer: redis_listing.feed(writer.hand, after, limit))

    async def returns(self, limit: int) -> list[Return]:
        return await self.session.write(lambda writer: redis_listing.returns(writer.hand, limit))

    async def erase(self, person: Person, at: int, evidence: Evidence) -> int:
        return await self.session.write(lambda writer: redis_people.erase(writer, person, at, evidence))

    async def move(self, old: Person, new: Person, at: int, evidence: Evidence) -> int:
        return await self.session.write(lambda writer: redis_people.move(writer, old, new, at, evidence))

    async def purge(self, kinds: Collection[EventKind], before: int) -> int:
        return await self.session.write(lambda writer: redis_people.purge(writer, kinds, before))

    async def oldest(self, kinds: Collection[EventKind]) -> int | None:
        return await self.session.write(lambda writer: redis_listing.oldest(writer.hand, kinds))

    async def state_rows(self, after: bytes, limit: int) -> list[StateRow]:
        return await self.session.write(lambda writer: redis_listing.state_rows(writer.hand, after, limit))

    async def event_rows(self, after: int, limit: int) -> list[EventRow]:
        return await self.session.write(lambda writer: redis_listing.event_rows_after(writer.hand, after, limit))

    async def load(self, states: Sequence[StateRow], events: Sequence[EventRow]) -> None:
        await self.session.write(lambda writer: redis_people.load(writer, states, events))

    async def lift(self, *, begin: bool = True) -> int:
        """Bring every row to the newest layer of the keys, some buckets at a time. Gives the changes needed."""
        if not await self.session.write(lambda writer: redis_rotation.begin(writer, begin=begin)):
            return 0
        after: int | None = -1
        changes = 0
        while after is not None:
            after = await self.session.write(partial(_lift_some, after))
            changes += 1
        return changes

    async def nodes(self) -> list[redis_open.NodeRow]:
        """Every node that ever wrote here."""
        return await self.session.write(lambda writer: redis_open.nodes(writer.hand))

    async def retire(self, journal: str, act: Act) -> str:
        """Wait no longer for the node with this journal; gives its whole name."""
        name = await self.session.write(lambda writer: redis_open.retire(writer, journal, act))
        await self.act(replace(act, what=f"retire node {name}"), None)
        return name

    async def begin_behind(self, last: int, web: tuple[bytes, Mark] | None) -> None:
        """End a copy: numbers go on behind `last`, and the page's journal is taken in behind `web`."""
        await self.session.write(lambda writer: redis_people.begin_behind(writer, last, web))

    async def abandon(self) -> None:
        """Remove the registry that `init` made with these files; raises `RegistryMistrusted` where it is another."""
        await self.session.with_hand(lambda hand: redis_open.remove(hand, redis_open.remembered(self.session.places)))

    async def status(self) -> dict[str, int | str]:
        """Counts and positions, for people."""
        return await self.session.write(_status)

    async def init(self) -> None:
        """Make a new registry; raises `RegistryExists`."""
        session = self.session
        await session.make(lambda hand: redis_open.init(hand, session.places, session.owner), [])

    async def adopt(self, act: Act) -> list[str]:
        """Accept what is in Redis, or join it as one more node. Gives what was done, in words."""
        session, done = self.session, list[str]()
        await session.make(lambda hand: redis_open.adopt(hand, session.places, session.owner, done), done)
        await self.act(replace(act, what=f"adopt: {'; '.join(done)}"), None)
        return done

    def use_keys(self, pseudonyms: Pseudonyms) -> None:
        self.session.use_keys(pseudonyms)

    async def settled(self) -> None:
        await self.session.settled()

    def trouble(self) -> str:
        """What the last look found; sets off another one."""
        return self.session.trouble()

    def close(self) -> None:
        self.session.close()


async def _lift_some(after: int, writer: Writer) -> int | None:
    return await redis_rotation.lift_some(writer, after)


async def _status(writer: Writer) -> dict[str, int | str]:
    async with writer.locked():
        journal = await writer.beside(writer.journal.verify)
        proof, _ = await writer.hand.look()
        found = writer.see(proof)
    waiting = await redis_listing.waiting(writer.hand, found.layer) if found.floor is not None else 0
    return {
        "registry": found.registry.hex(),
        "node": writer.hand.node,
        "people": proof.people,
        "events": proof.last,
        "journal": journal.position,
        "applied": found.applied.position,
        "web": found.ingested.position if found.ingested else 0,
        "layer": found.layer,
        "waiting": waiting,
        "octets": await redis_listing.octets(writer.hand, proof),
        "torn": writer.journal.torn,
    }
