"""What every store of campaigns keeps to. A test file adds `open_store`: (organisation, read_only) → a store."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.campaigns.protocol import MOST_ENTRIES, SECRET, CampaignStore, CampaignsUnavailable, Entry

OpenStore = Callable[..., CampaignStore]
NEWS, SHOP = b"n" * 16, b"s" * 16


async def test_a_secret_is_made_once_and_is_the_same_for_all(open_store: OpenStore) -> None:
    one, other = open_store(), open_store()
    assert await one.secret(4, make=False) == b""
    secret = await one.secret(4, make=True)
    assert len(secret) == SECRET
    assert await other.secret(4, make=True) == secret == await other.secret(4, make=False)
    assert await other.secret(5, make=True) != secret


async def test_what_one_writes_the_other_reads_in_order_and_only_once(open_store: OpenStore) -> None:
    one, other = open_store(), open_store()
    await one.secret(4, make=True)
    await one.add([Entry(4, NEWS, b"first"), Entry(4, SHOP, b"elsewhere"), Entry(4, NEWS, b"second")])
    found, position = await other.read(4, NEWS, "")
    assert found == [b"first", b"second"]
    assert await other.read(4, NEWS, position) == ([], position)
    await one.add([Entry(4, NEWS, b"third \0\xff")])
    found, later = await other.read(4, NEWS, position)
    assert found == [b"third \0\xff"]
    assert later != position


async def test_families_and_epochs_do_not_mix(open_store: OpenStore) -> None:
    store = open_store()
    await store.secret(4, make=True)
    await store.add([Entry(4, NEWS, b"a"), Entry(5, NEWS, b"b"), Entry(4, SHOP, b"c")])
    assert (await store.read(5, NEWS, ""))[0] == [b"b"]
    assert (await store.read(4, SHOP, ""))[0] == [b"c"]
    assert await store.read(6, NEWS, "") == ([], "")


async def test_i12_organisations_never_meet(open_store: OpenStore) -> None:
    ours, theirs = open_store("school"), open_store("shop")
    assert await ours.secret(4, make=True) != await theirs.secret(4, make=True)
    await ours.add([Entry(4, NEWS, b"ours")])
    assert (await theirs.read(4, NEWS, ""))[0] == []


async def test_a_family_keeps_its_newest_entries_only(open_store: OpenStore) -> None:
    store = open_store()
    await store.secret(4, make=True)
    most = MOST_ENTRIES + 300
    for start in range(0, most, 100):
        await store.add([Entry(4, NEWS, b"%d" % n) for n in range(start, start + 100)])
    found, _ = await store.read(4, NEWS, "")
    assert MOST_ENTRIES <= len(found) <= MOST_ENTRIES + 150
    assert found[-1] == b"%d" % (most - 1)
    assert b"0" not in found


async def test_who_may_only_read_makes_nothing(open_store: OpenStore) -> None:
    reader = open_store(read_only=True)
    assert await reader.secret(4, make=False) == b""
    with pytest.raises(CampaignsUnavailable):
        await reader.secret(4, make=True)
    with pytest.raises(CampaignsUnavailable):
        await reader.add([Entry(4, NEWS, b"x")])
    writer = open_store()
    secret = await writer.secret(4, make=True)
    await writer.add([Entry(4, NEWS, b"x")])
    assert await reader.secret(4, make=False) == secret
    assert (await reader.read(4, NEWS, ""))[0] == [b"x"]
