"""Bringing all rows in Redis to the newest pseudonym layer while mail flows on; `rotation` says in which order and why.

what:       moves the registry to a layer, then its rows bucket by bucket; the floor rises at the end
takes→gives: `Writer` → rows under the newest pseudonyms
knows not:  why keys rotate
fails by:   as `Writer`; cut off, it is done by calling it again
standard:   DESIGN §4 Pseudonyms; I-10
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.registry import rotation
from gateway.registry.protocol import StateRow
from gateway.registry.redis_change import Change
from gateway.registry.redis_keys import pack_state
from gateway.registry.redis_listing import filled_buckets, rows_in
from gateway.registry.redis_rows import Before, put_states

if TYPE_CHECKING:
    from gateway.registry.redis_writer import Writer

BUCKETS = 200  # per change


async def begin(writer: Writer, *, begin: bool) -> bool:
    """Move the registry to the newest layer of the keys, unless it is there. Gives whether rows wait to be lifted."""
    async with writer.settled() as identity:
        begun = rotation.begun(identity, writer.owner.pseudonyms) if begin else identity
        if begun != identity:
            change = Change(writer.hand.keys)
            change.put(change.keys.identity, "layer", begun.layer)
            change.put(change.keys.identity, "key_check", begun.key_check)
            change.put(change.keys.identity, "floor", begun.lowest)
            await writer.commit(change, writer.reached)
        return begun.floor is not None


async def lift_some(writer: Writer, after: int) -> int | None:
    """Lift the rows of some buckets behind number `after`; gives where to go on, None when all are done."""
    async with writer.settled():
        return await _lift_some(writer, after)


async def lift_all(writer: Writer) -> None:
    """Everything at once, under a lock the caller holds: before older records can be understood."""
    identity = writer.known
    begun = rotation.begun(identity, writer.owner.pseudonyms)
    change = Change(writer.hand.keys)
    change.put(change.keys.identity, "layer", begun.layer)
    change.put(change.keys.identity, "key_check", begun.key_check)
    change.put(change.keys.identity, "floor", begun.lowest)
    await writer.commit(change, writer.taken_or_new)
    after: int | None = -1
    while after is not None:
        writer.see((await writer.hand.look())[0])
        after = await _lift_some(writer, after)
    writer.see((await writer.hand.look())[0])


async def _lift_some(writer: Writer, after: int) -> int | None:
    buckets = await filled_buckets(writer.hand, after, BUCKETS)

    async def attempt() -> None:
        writer.see((await writer.hand.look())[0])
        change = Change(writer.hand.keys)
        if buckets:
            await _move(writer, change, buckets)
        else:
            change.drop(change.keys.identity, "floor")
        await writer.commit(change, writer.taken_or_new)

    await writer.repeated(attempt)
    return buckets[-1] if buckets else None


async def _move(writer: Writer, change: Change, buckets: list[int]) -> None:
    layer, keys = writer.known.layer, writer.owner.pseudonyms
    _, old = await rows_in(writer.hand, buckets)
    before = Before()
    for row in old:
        if row.layer < layer:
            new = keys.lift(row.pseudonym, row.layer, layer)
            before.rows[new] = replace(row, pseudonym=new, layer=layer)
            before.under[new] = row
            expect(change, row, new)
    put_states(change, before, ())


def expect(change: Change, row: StateRow, new: bytes) -> None:
    """The row is still as it was, and nothing has come to where it goes."""
    keys = change.keys
    change.expect(keys.bucket(row.pseudonym), row.pseudonym[2:], pack_state(row))
    change.expect(keys.bucket(new), new[2:], None)
