"""Deleting events in Redis so that nothing of them stays: the row, the person's list, the times by kind.

what:       adds to a change what takes events out
takes→gives: numbers or people whose events go → operations in a `Change`
knows not:  why they go
fails by:   errors of `Hand`
standard:   GDPR 17; S-56; I-13: whoever changes one of these rows meanwhile makes the change begin again
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from gateway.registry.protocol import EventRow
from gateway.registry.redis_change import Change
from gateway.registry.redis_hand import Hand
from gateway.registry.redis_keys import ROW, pack_event, pack_numbers, unpack_event, unpack_numbers


async def forget(hand: Hand, change: Change, erased: Mapping[int, int]) -> None:
    """Every event of each person number before that of the tombstone; what operators did about them loses them."""
    lists = await numbers_of(hand, erased)
    gone = {n for person, numbers in lists.items() for n in numbers if n < erased[person]}
    rows = await event_rows(hand, gone)
    await drop(hand, change, [rows[n] for n in sorted(gone & rows.keys())])
    await part_with_acts(hand, change, dict.fromkeys(erased))


async def numbers_of(hand: Hand, people: Iterable[int]) -> dict[int, list[int]]:
    """Numbers of the events of each person number, oldest first; some may be gone."""
    asked = list(people)
    _, found = await hand.look([hand.keys.numbers(p) for p in asked], asked)
    return {p: sorted({p, *unpack_numbers(value)}) for p, value in zip(asked, found, strict=True)}


async def event_rows(hand: Hand, numbers: Iterable[int]) -> dict[int, EventRow]:
    """Those of these events that there are."""
    asked = sorted(numbers)
    _, found = await hand.look([hand.keys.events(n) for n in asked], asked)
    return {n: unpack_event(n, value) for n, value in zip(asked, found, strict=True) if value is not None}


async def blocks_of(hand: Hand, blocks: Iterable[int]) -> dict[int, dict[int, EventRow]]:
    """Whole hashes of events, by `number // ROW`."""
    asked = sorted(blocks)
    _, found = await hand.look([hand.keys.events(b * ROW) for b in asked], [""] * len(asked))
    return {b: {int(n): unpack_event(int(n), v) for n, v in pairs(held)} for b, held in zip(asked, found, strict=True)}


async def drop(hand: Hand, change: Change, rows: Collection[EventRow]) -> None:
    """Take these events out; before the same change puts any in."""
    keys, gone = hand.keys, {row.number for row in rows}
    for row in rows:
        change.expect(keys.events(row.number), row.number, pack_event(row))
        change.drop(keys.events(row.number), row.number)
    await _shorten_lists(hand, change, rows, gone)
    for block, held in (await blocks_of(hand, {n // ROW for n in gone})).items():
        for kind in {held[n].kind for n in gone if n in held}:
            times = [r.at for n, r in held.items() if r.kind == kind and n not in gone]
            change.unrank(keys.kinds(kind), block)
            if times:
                change.rank(keys.kinds(kind), min(times), block)


async def part_with_acts(hand: Hand, change: Change, people: Mapping[int, int | None]) -> None:
    """Acts about these people are about nobody any more, or about another person number."""
    key, asked = hand.keys.acts_about, list(people)
    _, lists = await hand.look([key] * len(asked), asked)
    for person, value in zip(asked, lists, strict=True):
        if value is None:
            continue
        change.expect(key, person, value)
        change.drop(key, person)
        if (to := people[person]) is not None:
            change.add(key, to, value)


def pairs(held: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
    """A whole hash, as Redis gives it in a script."""
    flat = list(held)
    return list(zip(flat[::2], flat[1::2], strict=True))


async def _shorten_lists(hand: Hand, change: Change, rows: Collection[EventRow], gone: set[int]) -> None:
    for person, numbers in (await numbers_of(hand, {row.person for row in rows})).items():
        kept = [n for n in numbers if n not in gone and n != person]
        change.drop(hand.keys.numbers(person), person)
        if kept:
            change.put(hand.keys.numbers(person), person, pack_numbers(kept))
