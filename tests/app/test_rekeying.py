"""Which keys a reload may bring, and passes that wait until every process has them."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from gateway.app import rekeying
from gateway.app.rekeying import Rekeying, fingerprint, refusals
from gateway.pseudonym import Pseudonyms
from gateway.registry.protocol import RegistryUnavailable
from gateway.tenant import Tenant
from gateway.token import TokenKeys

ONE, TWO = b"1" * 32, b"2" * 32


def tenant(keys: tuple[bytes, ...], tokens: dict[int, bytes]) -> Tenant:
    return cast(Tenant, _Keys(Pseudonyms(keys), TokenKeys(tokens)))


class _Keys:
    def __init__(self, pseudonyms: Pseudonyms, tokens: TokenKeys) -> None:
        self.pseudonyms, self.tokens = pseudonyms, tokens


BEFORE = ((ONE,), {1: ONE, 2: TWO})


@pytest.mark.parametrize(
    ("keys", "tokens", "why"),
    [
        ((ONE, TWO), {1: ONE, 2: TWO, 3: ONE}, ""),
        ((ONE,), {2: TWO}, ""),
        ((TWO,), {1: ONE, 2: TWO}, "school.pseudonym: a line changed"),
        ((TWO, ONE), {1: ONE, 2: TWO}, "school.pseudonym: a line changed"),
        ((ONE,), {1: TWO, 2: TWO}, "school.token: a key changed under its number"),
    ],
)
def test_keys_may_be_added_and_never_changed(keys: tuple[bytes, ...], tokens: dict[int, bytes], why: str) -> None:
    found = list(refusals({"school": tenant(*BEFORE)}, {"school": tenant(keys, tokens)}))
    assert bool(found) == bool(why)
    assert all(line.startswith(why) for line in found)


def test_a_fingerprint_tells_other_keys_apart_and_not_their_order_of_organisations() -> None:
    one, two = Pseudonyms((ONE,)), Pseudonyms((ONE, TWO))
    links = {"a": TokenKeys({1: ONE}), "b": TokenKeys({1: ONE})}
    assert fingerprint({"a": one, "b": two}, links, {1: ONE}) == fingerprint({"b": two, "a": one}, links, {1: ONE})
    found = {fingerprint({"a": x, "b": y}, links, {1: ONE}) for x in (one, two) for y in (one, two)}
    found.add(fingerprint({"a": one, "b": one}, {**links, "b": TokenKeys({1: ONE, 2: TWO})}, {1: ONE}))
    found.add(fingerprint({"a": one, "b": one}, links, {1: ONE, 2: TWO}))
    found.add(fingerprint({"a": one, "b": one}, links, {2: ONE}))
    assert len(found) == 7


class Registry:
    """Notes how it was asked; in trouble as often as told."""

    def __init__(self, troubles: int = 0) -> None:
        self.asked: list[bool] = []
        self.troubles = troubles
        self.done = asyncio.Event()

    async def lift(self, *, begin: bool) -> int:
        self.asked.append(begin)
        if len(self.asked) <= self.troubles:
            raise RegistryUnavailable("away")
        self.done.set()
        return 0


async def test_a_pass_begins_only_when_every_process_has_the_keys() -> None:
    registry = Registry()
    staff = Rekeying(cast(Any, {"school": registry}), [])
    task = asyncio.create_task(staff.run())
    await registry.done.wait()
    assert registry.asked == [False], "at the start only what an earlier process was cut off in"
    registry.done.clear()
    staff.order()
    await registry.done.wait()
    assert registry.asked == [False, True]
    task.cancel()


async def test_after_trouble_it_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rekeying, "_AGAIN", 0.0)
    registry = Registry(troubles=3)
    staff = Rekeying(cast(Any, {"school": registry}), [])
    staff.order()
    task = asyncio.create_task(staff.run())
    await registry.done.wait()
    assert registry.asked == [True] * 4
    task.cancel()
