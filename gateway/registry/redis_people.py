"""What is done to one person, or to old facts of all, in Redis: erasing, correcting, purging, acts, whole copies.

what:       the rest of `PeopleRegistry` that changes something
takes→gives: `Writer` and what is asked → done in one change (purging and loading: in several)
knows not:  who decided it
fails by:   as `Writer`; `InvalidEvent`
standard:   GDPR 16, 17, 5(1)(e); S-29, S-56; L-04
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from gateway.facts import Scope, ScopeKind
from gateway.pseudonym import Person
from gateway.registry import folding, moving, purging, redis_listing, rotation
from gateway.registry.events import InvalidEvent, check
from gateway.registry.folding import Folded, Row
from gateway.registry.named import kinds_beside, refolded
from gateway.registry.postings import postings
from gateway.registry.protocol import Act, Event, EventKind, EventRow, Evidence, RegistryUnavailable, StateRow
from gateway.registry.record import Mark
from gateway.registry.redis_change import Change
from gateway.registry.redis_forgetting import drop, event_rows, numbers_of, part_with_acts
from gateway.registry.redis_keys import pack_act, pack_event, pack_numbers, unpack_act, unpack_numbers
from gateway.registry.redis_rows import Before, change_rows, put_postings
from gateway.registry.redis_writer import Writer
from gateway.registry.state import unpack

_NOBODY = Person(bytes(32), bytes(32))  # whose facts they are does not matter to what they say
_EVER = 2**60
_BLOCKS = 32  # hashes of events per change while purging
_BUCKETS = 500


async def erase(writer: Writer, person: Person, at: int, evidence: Evidence) -> int:
    """Leave the tombstone and what the law keeps. Gives how many events were deleted."""
    event = Event(EventKind.ERASURE, person, at, evidence)
    check(event)
    async with writer.settled() as identity:
        brought = replace(event, person=writer.owner.pseudonyms.brought(person))
        deleted = len(await events_of(writer, await _number(writer, person)))
        await writer.note([brought], identity)
        await writer.fold([brought], writer.here)
    await _rewrite_log(writer)
    return deleted


async def move(writer: Writer, old: Person, new: Person, at: int, evidence: Evidence) -> int:
    """Everything known of `old` follows to `new`. Gives the number of the rectification."""
    check(Event(EventKind.MANUAL, old, at, evidence, Scope(ScopeKind.EVERYTHING)))
    async with writer.settled():
        people = [writer.owner.pseudonyms.brought(p) for p in (old, new)]

        async def attempt() -> int:
            before = await writer.rows(people)
            identity = writer.known
            placed = [rotation.at(p, identity.layer) for p in people]
            moved = moving.move(before.rows, placed[0], placed[1], at, evidence, before.last, identity.layer)
            await writer.note(moved.blocks, identity)
            change = Change(writer.hand.keys)
            if moved.refiled is not None:
                await _refile(writer, change, *moved.refiled)
            change_rows(change, before, moved.folded)
            await writer.commit(change, writer.here)
            return moved.number

        return await writer.repeated(attempt)


async def purge(writer: Writer, kinds: Collection[EventKind], before: int) -> int:
    """Delete old events of these kinds and the facts that rest on nothing else. Gives how many events went."""
    purging.check(kinds)
    gone = 0
    while some := await _purge_some(writer, frozenset(kinds) - {EventKind.RETAINED}, before):
        gone += some
    if EventKind.RETAINED in kinds:
        gone += await _purge_past(writer, before)
    if gone:
        await _rewrite_log(writer)
    return gone


async def load(writer: Writer, states: Sequence[StateRow], events: Sequence[EventRow]) -> None:
    """Take rows of another registry; their blocks go to the journal. Without rows: they are all here."""
    async with writer.settled(loading=True) as identity:
        proof, _ = await writer.hand.look()
        if not identity.loading and proof.last:
            raise InvalidEvent("load: somebody is known here already; only a new registry takes another one's rows")
        if any(row.layer != identity.layer for row in states):
            raise InvalidEvent(
                f"layer: these rows are not all of pseudonym layer {identity.layer}; finish the key rotation first"
            )
        _, held = await writer.hand.read([row.pseudonym for row in states])
        known = await event_rows(writer.hand, (row.number for row in events))
        new = [row for row, value in zip(states, held, strict=True) if value is None]
        await writer.into_journal([r for row in new for r in folding.records_of(row.pseudonym, row.data, row.layer)])
        change = Change(writer.hand.keys)
        highest = max((proof.last, *(r.person for r in states), *(r.number for r in events)))
        what = Folded([], [r for r in events if r.number not in known], {}, new, set(), set(), highest)
        change_rows(change, Before(last=proof.last), what)
        put_postings(change, (), {line for row in new for line in postings(row.person, unpack(row.data))})
        if states or events:
            change.put(change.keys.identity, "loading", 1)
        else:
            change.drop(change.keys.identity, "loading")
        await writer.commit(change, writer.here)


async def begin_behind(writer: Writer, last: int, web: tuple[bytes, Mark] | None) -> None:
    """Numbers go on behind `last`, and the page's journal is taken in behind the mark of `web`."""
    async with writer.locked():
        proof, _ = await writer.hand.look()
        writer.see(proof)
        change = Change(writer.hand.keys)
        change.expect(change.keys.identity, "last", proof.last or None)
        change.put(change.keys.identity, "last", max(last, proof.last))
        after = writer.here if web is None else replace(writer.here, web=web[0], ingested=web[1])
        await writer.commit(change, after)


async def act(writer: Writer, done: Act, person: Person | None) -> None:
    """Note who did what with the registry, and about whom."""
    async with writer.settled():

        async def attempt() -> None:
            about = None if person is None else await _number(writer, person)
            keys = writer.hand.keys
            _, (last,) = await writer.hand.look([keys.acts], ["n"])
            number, change = int(last or 0) + 1, Change(keys)
            change.expect(keys.acts, "n", last)
            change.put(keys.acts, "n", number)
            change.put(keys.acts, number, pack_act(done))
            if about is not None:
                change.add(keys.acts_about, about, number)
            await writer.commit(change, writer.reached)

        await writer.repeated(attempt)


async def acts(writer: Writer, person: Person) -> list[Act]:
    """What operators did about one person, oldest first."""
    about, keys = await _number(writer, person), writer.hand.keys
    if about is None:
        return []
    _, (held,) = await writer.hand.look([keys.acts_about], [about])
    numbers = sorted(unpack_numbers(held))
    _, found = await writer.hand.look([keys.acts] * len(numbers), numbers)
    return [unpack_act(value) for value in found if value is not None]


async def history(writer: Writer, person: Person) -> list[tuple[int, Event]]:
    """All events of both rows of one person, oldest first, with their numbers."""
    before = await writer.rows([writer.owner.pseudonyms.brought(person)])
    rows = {n: r for row in before.rows.values() for n, r in (await events_of(writer, row.person)).items()}
    return [(number, folding.stored_event(person, rows[number])) for number in sorted(rows)]


async def events_of(writer: Writer, person: int | None) -> dict[int, EventRow]:
    """The events filed under one person number."""
    if person is None:
        return {}
    numbers = (await numbers_of(writer.hand, [person]))[person]
    return {n: row for n, row in (await event_rows(writer.hand, numbers)).items() if row.person == person}


async def _number(writer: Writer, person: Person) -> int | None:
    brought = writer.owner.pseudonyms.brought(person)
    before = await writer.rows([brought])
    row = before.rows.get(rotation.at(brought, writer.known.layer).exact)
    return None if row is None else row.person


async def _refile(writer: Writer, change: Change, old: int, new: int) -> None:
    """Events and acts of person number `old` are those of `new` from now on."""
    rows, keys = await events_of(writer, old), writer.hand.keys
    for number, row in rows.items():
        change.expect(keys.events(number), number, pack_event(row))
        change.put(keys.events(number), number, pack_event(replace(row, person=new)))
    change.drop(keys.numbers(old), old)
    if rows:
        change.add(keys.numbers(new), new, pack_numbers(sorted(rows)))
    await part_with_acts(writer.hand, change, {old: new})


async def _purge_some(writer: Writer, kinds: frozenset[EventKind], before: int) -> int:
    async with writer.settled():

        async def attempt() -> int:
            rows = await redis_listing.numbers_before(writer.hand, kinds, before, _BLOCKS)
            if rows:
                change = Change(writer.hand.keys)
                await drop(writer.hand, change, rows)
                await _refold(writer, change, rows, kinds)
                await writer.commit(change, writer.reached)
            return len(rows)

        return await writer.repeated(attempt)


async def _refold(writer: Writer, change: Change, gone: Sequence[EventRow], kinds: frozenset[EventKind]) -> None:
    """The facts of these people once more from the fact events that are left of them."""
    proof, _ = await writer.hand.look()
    people = {row.person for row in gone}
    left = await _left(writer, people, kinds_beside(kinds), {row.number for row in gone})
    found = await redis_listing.rows_of(writer.hand, people)
    before = _placed(writer, (row for rows in found.values() for row in rows), proof.last)
    held = folding.held_of(before.rows)
    for row in held.values():
        if not row.state.erased:
            row.state = refolded(row.state, kinds, left.get(row.person, ()))
    _keep(writer, change, before, held)


async def _left(
    writer: Writer, people: set[int], kinds: Collection[EventKind], gone: set[int]
) -> Mapping[int, list[tuple[int, Event]]]:
    numbers = {n for held in (await numbers_of(writer.hand, people)).values() for n in held}
    wanted = {kind.value for kind in kinds}
    left: dict[int, list[tuple[int, Event]]] = {}
    for number, row in (await event_rows(writer.hand, numbers - gone)).items():
        if row.kind in wanted:
            left.setdefault(row.person, []).append((number, folding.stored_event(_NOBODY, row)))
    return left


async def _purge_past(writer: Writer, before: int) -> int:
    """What the law no longer keeps, also of erased people, of whom no event tells it any more."""
    gone = 0
    async with writer.settled():

        async def of_events() -> int:
            kept = await redis_listing.numbers_before(writer.hand, (EventKind.RETAINED,), _EVER, _EVER)
            past = [r for r in kept if int(folding.stored_event(_NOBODY, r).detail["until"] or 0) < before]
            if past:
                change = Change(writer.hand.keys)
                await drop(writer.hand, change, past)
                await writer.commit(change, writer.reached)
            return len(past)

        gone += await writer.repeated(of_events)
    bucket = -1
    while buckets := await redis_listing.filled_buckets(writer.hand, bucket, _BUCKETS):
        gone += await _purge_tombstones(writer, buckets, before)
        bucket = buckets[-1]
    return gone


async def _purge_tombstones(writer: Writer, buckets: list[int], before: int) -> int:
    async with writer.settled():

        async def attempt() -> int:
            proof, rows = await redis_listing.rows_in(writer.hand, buckets)
            past = [r for r in rows if any(kept.until < before for kept in unpack(r.data).retained)]
            if not past:
                return 0
            old = _placed(writer, past, proof.last)
            held = folding.held_of(old.rows)
            for row in held.values():
                row.state = replace(row.state, retained=tuple(k for k in row.state.retained if k.until >= before))
            change = Change(writer.hand.keys)
            _keep(writer, change, old, held)
            await writer.commit(change, writer.reached)
            return sum(row.state.erased for row in held.values())

        return await writer.repeated(attempt)


def _placed(writer: Writer, rows: Iterable[StateRow], last: int) -> Before:
    """Rows as they were found, to be written in the layer of the registry."""
    layer, keys, before = writer.known.layer, writer.owner.pseudonyms, Before(last=last)
    for row in rows:
        if row.layer == layer:
            before.rows[row.pseudonym] = row
        else:
            new = keys.lift(row.pseudonym, row.layer, layer)
            before.rows[new] = replace(row, pseudonym=new, layer=layer)
            before.under[new] = row
    before.asked = list(before.rows)
    return before


def _keep(writer: Writer, change: Change, before: Before, held: Mapping[bytes, Row]) -> None:
    change_rows(change, before, folding.folded(held, [], [], before.last, writer.known.layer))


async def _rewrite_log(writer: Writer) -> None:
    """What was deleted still lies in the append-only file until it is written anew; Redis does that beside its work."""
    try:
        await writer.hand.ask("BGREWRITEAOF")
    except RegistryUnavailable:
        pass  # not allowed, or under way already: docs/redis.md says what then remains, and for how long
