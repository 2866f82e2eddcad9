"""Whole registries and long lists read from Redis: rows in order, the feed, ages, counts.

what:       reads that list instead of looking somebody up
takes→gives: a cursor or limit → rows, and the values of the protocol
knows not:  journals, who asks
fails by:   as `Hand`
standard:   DESIGN §4 "Who can name a person", Redis; S-56
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from gateway.facts import Scope, ScopeKind
from gateway.registry.protocol import EventKind, EventRow, Fed, Return, StateRow
from gateway.registry.redis_forgetting import blocks_of, pairs
from gateway.registry.redis_hand import Hand
from gateway.registry.redis_keys import (
    BUCKETS,
    ROW,
    bucket_of,
    pseudonym_of,
    split_names,
    unpack_state,
)
from gateway.registry.redis_proof import Proof
from gateway.registry.state import State, unpack

_AT_ONCE = 500  # buckets, or hashes of events, per reading
_SAMPLE = 64  # keys of each kind that are measured


async def filled_buckets(hand: Hand, after: int, limit: int) -> list[int]:
    """Numbers of buckets behind `after` that may hold rows."""
    octets = await hand.ask("GETRANGE", hand.keys.map, (after + 1) // 8, -1)
    found: list[int] = []
    first = (after + 1) // 8 * 8
    for place, octet in enumerate(octets):
        if not octet:
            continue
        for bit in range(8):
            number = first + place * 8 + bit
            if octet & (128 >> bit) and number > after:
                found.append(number)
        if len(found) >= limit:
            break
    return found[:limit]


async def rows_in(hand: Hand, buckets: Collection[int]) -> tuple[Proof, list[StateRow]]:
    """All state rows of these buckets, in the order of their pseudonyms."""
    proof, found = await hand.look([hand.keys.bucket_number(b) for b in buckets], [""] * len(buckets))
    rows = []
    for bucket, held in zip(buckets, found, strict=True):
        names = ((pseudonym_of(bucket, rest), value) for rest, value in pairs(held))
        rows += [unpack_state(pseudonym, value) for pseudonym, value in sorted(names)]
    return proof, rows


async def state_rows(hand: Hand, after: bytes, limit: int) -> list[StateRow]:
    """State rows behind pseudonym `after`, in its order."""
    rows: list[StateRow] = []
    bucket = bucket_of(after) - 1 if after else -1
    while len(rows) < limit and (buckets := await filled_buckets(hand, bucket, _AT_ONCE)):
        rows += [row for row in (await rows_in(hand, buckets))[1] if row.pseudonym > after]
        bucket = buckets[-1]
    return rows[:limit]


async def event_rows_after(hand: Hand, after: int, limit: int) -> list[EventRow]:
    """Event rows behind number `after`, in order."""
    rows: list[EventRow] = []
    proof, _ = await hand.look()
    block, end = (after + 1) // ROW, proof.last // ROW + 1
    while len(rows) < limit and block < end:
        some = range(block, min(end, block + max(1, min(_AT_ONCE, -(-limit // ROW)))))
        for held in (await blocks_of(hand, some)).values():
            rows += [held[n] for n in sorted(held) if n > after]
        block = some.stop
    return rows[:limit]


async def feed(hand: Hand, after: int, limit: int) -> list[Fed]:
    """Events behind number `after`, oldest first."""
    rows = await event_rows_after(hand, after, limit)
    states = await states_of(hand, {row.person for row in rows})
    return [
        Fed(row.number, EventKind(row.kind), row.at, _scope(row), pseudonym, _contacts(state))
        for row in rows
        for pseudonym, state in states.get(row.person, ())[:1]
    ]


async def returns(hand: Hand, limit: int) -> list[Return]:
    """Pending returns, oldest first."""
    members = await hand.ask("ZRANGE", hand.keys.returns, 0, limit - 1)
    waiting = [(int(event), int(person)) for event, person in (m.split(b"/") for m in members)]
    states = await states_of(hand, {person for _, person in waiting})
    return [
        Return(event, pseudonym, given.scope, given.at, _contacts(state))
        for event, person in waiting
        for pseudonym, state in states.get(person, ())
        for given in state.returns
        if given.event == event
    ]


async def oldest(hand: Hand, kinds: Iterable[EventKind]) -> int | None:
    """Unix seconds of the oldest event of these kinds."""
    times = []
    for kind in kinds:
        found = await hand.ask("ZRANGE", hand.keys.kinds(kind.value), 0, 0, "WITHSCORES")
        times += [int(float(score)) for score in found[1:2]]
    return min(times, default=None)


async def numbers_before(hand: Hand, kinds: Iterable[EventKind], before: int, limit: int) -> list[EventRow]:
    """Events of these kinds older than `before`, some at a time."""
    rows: dict[int, EventRow] = {}
    for kind in kinds:
        some = await hand.ask("ZRANGE", hand.keys.kinds(kind.value), "-inf", f"({before}", "BYSCORE", "LIMIT", 0, limit)
        for held in (await blocks_of(hand, (int(block) for block in some))).values():
            rows.update((n, row) for n, row in held.items() if row.kind == kind.value and row.at < before)
    return [rows[n] for n in sorted(rows)]


async def states_of(hand: Hand, people: Collection[int]) -> Mapping[int, list[tuple[bytes, State]]]:
    """The rows that have these person numbers, with the exact one first."""
    found = await rows_of(hand, people)
    return {person: [(row.pseudonym, unpack(row.data)) for row in rows] for person, rows in found.items()}


async def rows_of(hand: Hand, people: Collection[int]) -> dict[int, list[StateRow]]:
    """The rows that have these person numbers, as they are stored."""
    asked = sorted(people)
    _, found = await hand.look([hand.keys.names(p) for p in asked], asked)
    names = [(person, name) for person, value in zip(asked, found, strict=True) for name in split_names(value)]
    _, values = await hand.read([name for _, name in names])
    rows: dict[int, list[StateRow]] = {}
    for (person, name), value in zip(names, values, strict=True):
        if value is not None:
            rows.setdefault(person, []).append(unpack_state(name, value))
    return rows


async def octets(hand: Hand, proof: Proof) -> int:
    """Memory of the organisation's rows, events and indexes: measured on some hashes of each, and multiplied."""
    buckets = await filled_buckets(hand, -1, BUCKETS)
    blocks = proof.last // ROW + 1
    chosen = buckets[:: max(1, len(buckets) // _SAMPLE)]
    total = await _measured(hand, [hand.keys.bucket_number(b) for b in chosen], len(buckets))
    some = range(0, blocks, max(1, blocks // _SAMPLE))
    for name in (hand.keys.events, hand.keys.names, hand.keys.numbers):
        total += await _measured(hand, [name(b * ROW) for b in some], blocks)
    return total


async def _measured(hand: Hand, sample: list[str], there: int) -> int:
    sizes = [int(await hand.ask("MEMORY USAGE", key) or 0) for key in sample]
    return sum(sizes) * there // len(sizes) if sizes else 0


def _scope(row: EventRow) -> Scope | None:
    if row.scope_kind is None or row.scope_id is None:
        return None
    return Scope(ScopeKind(row.scope_kind), row.scope_id)


def _contacts(state: State) -> frozenset[tuple[str, str]]:
    return frozenset((c.client, c.contact) for c in state.contacts)


async def waiting(hand: Hand, layer: int) -> int:
    """How many rows are of an older layer than `layer`."""
    number, bucket = 0, -1
    while buckets := await filled_buckets(hand, bucket, _AT_ONCE):
        number += sum(row.layer < layer for row in (await rows_in(hand, buckets))[1])
        bucket = buckets[-1]
    return number
