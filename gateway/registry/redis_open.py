"""When a registry in Redis may be trusted, and how a new one is made, accepted, or joined by one more node.

what:       opening with every check of I-13; making, accepting and joining; retiring a node that is no more
takes→gives: paths, owner, a hand on the primary → `Writer`, caught up with this node's journals
knows not:  look-ups, who asks
fails by:   `RegistryMistrusted`, `RegistryUnavailable`; `RegistryExists`; `JournalDamaged`, `OSError`
standard:   I-12, I-13

Every node that writes has a block journal of its own, and Redis holds how far each is taken in. Blocks that a restart
or failover of Redis lost are in those journals; so after one, each node takes in what is missing of its own and says
that it did. Until all have, nobody gets facts; a node that will not come back is retired by name and with a reason.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.config.store import Store
from gateway.registry import durable, folding, node, redis_safety
from gateway.registry.events import InvalidEvent
from gateway.registry.journal import Journal
from gateway.registry.node import Memory
from gateway.registry.opening import Owner, RegistryExists, journal_of, new_journal
from gateway.registry.places import Places
from gateway.registry.protocol import Act, RegistryMistrusted, RegistryUnavailable
from gateway.registry.record import Head
from gateway.registry.redis_change import Change
from gateway.registry.redis_faults import as_registry_errors
from gateway.registry.redis_forgetting import pairs
from gateway.registry.redis_hand import Hand, Moved
from gateway.registry.redis_listing import filled_buckets, rows_in
from gateway.registry.redis_proof import RETIRED, VETTED, Proof, Taken, is_there, prove
from gateway.registry.redis_scripts import LOOK
from gateway.registry.redis_writer import Writer

_SEEDED = 500  # buckets whose blocks are put into a new journal at once


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node that ever wrote: journal identity (hex), its position; "checked", "waiting" or "retired …"."""

    journal: str
    position: int
    state: str


async def safe(hand: Hand, store: Store) -> None:
    """Refuse a server whose settings would make it forget."""
    with as_registry_errors():
        wrong = await redis_safety.unsafe(await hand.primary.client(), store)
    if wrong:
        raise RegistryMistrusted(f"unsafe Redis: {'; '.join(wrong)}")


async def trust(writer: Writer) -> Proof:
    """Check everything, take in what this node's journals have and Redis lacks, and say so there."""
    memory = remembered(writer.places)
    hand, journal = writer.hand, writer.journal
    hand.reign = ""
    proof, _ = await hand.look()
    _match(proof, journal.head, memory)
    hand.reign = proof.reign
    async with writer.locked():
        await writer.beside(journal.verify)
        await writer.beside(lambda: journal.check(memory.seen))
        identity = writer.see((await hand.look())[0])
        await writer.beside(lambda: journal.check(identity.applied))
        await writer.catch_up()
        await vet(writer)
        await _remember_peers(writer)
    return (await hand.look())[0]


async def vet(writer: Writer) -> None:
    """Under the lock, once caught up: this node's journal is in the registry as this reign holds it."""
    hand = writer.hand

    async def attempt() -> None:
        proof, _ = await hand.look()
        writer.see(proof)
        if proof.vetted != hand.reign or proof.taken is None:
            change = Change(hand.keys)
            change.put(hand.keys.nodes, VETTED + hand.node, hand.reign)
            await writer.commit(change, writer.taken_or_new)

    await writer.repeated(attempt)


async def init(hand: Hand, places: Places, owner: Owner) -> Journal:
    """Make registry, journal and node file. Raises `RegistryExists` where any of them is there."""
    for path in (places.journal, places.node):
        if path.exists():
            raise RegistryExists(f"{path} exists; to accept what is there, use --adopt with an operator and a reason")
    if await _is_there(hand):
        raise RegistryExists(
            "Redis has a registry of this organisation; to work with it, use --adopt with an operator and a reason"
        )
    journal = new_journal(places, owner)
    await _make(hand, journal.head, owner, ())
    return journal


async def _remember_peers(writer: Writer) -> None:
    """Whose journals a registry made anew, after Redis was wiped, must wait for."""
    peers = [row.journal for row in await nodes(writer.hand) if not row.state.startswith("retired")]
    path = _peers_file(writer.places)
    if _peers(path) != peers:
        await writer.beside(lambda: durable.replace(path, "\n".join(peers).encode("ascii"), 0o640))


def _peers_file(places: Places) -> Path:
    return places.node.with_suffix(".peers")


def _peers(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except FileNotFoundError:
        return []


def remembered(places: Places) -> Memory:
    """What this node knows, or `RegistryMistrusted`."""
    try:
        memory = node.load(places.node)
    except ValueError as error:
        raise RegistryMistrusted(str(error)) from None
    if memory is None:
        raise RegistryMistrusted("this node knows no registry yet: run `registry init`")
    return memory


async def adopt(hand: Hand, places: Places, owner: Owner, done: list[str]) -> Journal:
    """Bring what is in Redis and this node's journal together, so that every block of either is in both."""
    fresh = not places.journal.exists()
    journal = new_journal(places, owner) if fresh else journal_of(places, owner)
    hand.node = journal.head.identity.hex()
    if fresh:
        done.append("made a new block journal")
    if not await _is_there(hand):
        peers = set(_peers(_peers_file(places))) - {hand.node}
        await _make(hand, journal.head, owner, peers)
        done.append(f"made a new registry{f', which waits for {len(peers)} other node(s)' if peers else ''}")
    return journal


async def accept(writer: Writer, done: list[str]) -> None:
    """Second half of `adopt`: this node's journal into Redis, and the blocks of Redis into a journal without them."""
    hand, journal = writer.hand, writer.journal
    proof, _ = await hand.look()
    hand.reign = proof.reign
    async with writer.locked():
        identity = writer.see((await hand.look())[0])
        known = writer.taken is not None
        start = identity.applied.position
        await writer.catch_up()
        done.append(f"registry holds all {journal.end.position - start} blocks it had not taken in")
        if not known:
            done.append(f"put the registry's own {await _seed(writer)} blocks into the journal")
        await vet(writer)
        memory = writer.known.memory((0, 0))
        await writer.beside(lambda: node.store(writer.places.node, memory))


async def nodes(hand: Hand) -> list[NodeRow]:
    """Every node that ever wrote, by journal."""
    proof, (held,) = await hand.look([hand.keys.nodes], [""])
    entries = {name.decode(): value for name, value in pairs(held)}
    names = sorted({name.removeprefix(VETTED) for name in entries})
    return [
        NodeRow(name, _position(entries.get(name)), _state(entries.get(VETTED + name, b""), proof.reign))
        for name in names
    ]


async def retire(writer: Writer, journal: str, act: Act) -> str:
    """Wait for this node no longer. Its blocks that Redis lost are lost; it may come back by itself at any time."""
    found = [row for row in await nodes(writer.hand) if row.journal.startswith(journal.lower())]
    if len(found) != 1 or len(journal) < 6:
        raise InvalidEvent("journal: expected the first six or more digits of exactly one node of `registry node list`")
    (row,) = found
    if row.journal == writer.hand.node:
        raise InvalidEvent("journal: this is the node you are on; retire it from another one")
    async with writer.locked():

        async def attempt() -> None:
            writer.see((await writer.hand.look())[0])
            change = Change(writer.hand.keys)
            change.put(change.keys.nodes, VETTED + row.journal, f"{RETIRED}{act.at} {act.operator}: {act.reason}")
            await writer.commit(change, writer.reached)

        await writer.repeated(attempt)
    return row.journal


def _position(value: bytes | None) -> int:
    return 0 if value is None else Taken.unpack(value).applied.position


async def remove(hand: Hand, memory: Memory) -> None:
    """Remove every key of this organisation, where the registry is the one remembered."""
    answer = await hand.answer(LOOK, (), ())
    if not is_there(answer):
        return
    proof, _ = prove(answer)
    if proof.registry != memory.registry:
        raise RegistryMistrusted("Redis holds another registry than the one to be removed")
    cursor: bytes | int = 0
    while True:
        cursor, names = await hand.ask("SCAN", cursor, "MATCH", f"{hand.keys.tag}*", "COUNT", 1000)
        if names:
            await hand.ask("UNLINK", *names)
        if int(cursor) == 0:
            return


def _state(value: bytes, reign: str) -> str:
    if value.startswith(RETIRED.encode()):
        return f"retired {value[1:].decode()}"
    return "checked" if value.decode() == reign else "waiting"


def _match(proof: Proof, head: Head, memory: Memory) -> None:
    if proof.registry != memory.registry:
        raise RegistryMistrusted("Redis holds another registry than this node knows")
    if head.identity != memory.journal:
        raise RegistryMistrusted("this is another block journal than this node knows")


async def _is_there(hand: Hand) -> bool:
    keys = hand.keys
    answer = await hand.answer(LOOK, (), ())
    if is_there(answer):
        return True
    if not isinstance(answer[0], list):
        prove(answer)
    if await hand.ask("EXISTS", keys.map, keys.nodes):
        raise RegistryMistrusted(
            "Redis holds rows of this organisation without saying whose: restore it, or remove them"
        )
    return False


async def _make(hand: Hand, head: Head, owner: Owner, peers: Collection[str]) -> None:
    """An empty registry of this owner, at the start of the journal with this head; `peers` have not checked theirs."""
    keys, answer = owner.pseudonyms, await hand.answer(LOOK, (), ())
    hand.node, hand.reign = head.identity.hex(), answer[0][0].decode()
    change = Change(hand.keys)
    for name, value in (
        ("registry", uuid.uuid4().bytes),
        ("organisation", owner.organisation),
        ("key_check", keys.check_value()),
        ("layer", keys.version),
    ):
        change.expect(hand.keys.identity, name, None)
        change.put(hand.keys.identity, name, value)
    change.put(hand.keys.nodes, VETTED + hand.node, hand.reign)
    for peer in peers:
        change.put(hand.keys.nodes, VETTED + peer, "")
    try:
        await hand.change(change, None, Taken(head.start, None, None, ""))
    except Moved:
        raise RegistryUnavailable("another node is making this registry right now") from None


async def _seed(writer: Writer) -> int:
    """Every block in Redis into a journal that never had them."""
    bucket, number = -1, 0
    while buckets := await filled_buckets(writer.hand, bucket, _SEEDED):
        proof, rows = await rows_in(writer.hand, buckets)
        writer.see(proof)
        records = [r for row in rows for r in folding.records_of(row.pseudonym, row.data, row.layer)]
        await writer.into_journal(records)
        number, bucket = number + len(records), buckets[-1]
    if number:
        await writer.commit(Change(writer.hand.keys), replace(writer.taken_or_new, applied=writer.journal.end))
    return number
