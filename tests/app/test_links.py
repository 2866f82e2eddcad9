"""The child's end of the control wire, driven by a parent that is this test."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from gateway.app.control import Wire, texts_out
from gateway.app.links import Link, inherited
from gateway.config.load import Loaded, load
from tests.cli.example import ROOT

GOOD = ROOT / "tests" / "bad_config" / "good" / "gateway.yaml"


@dataclass
class Staff:
    """A child's staff that notes what it was told."""

    did: list[str] = field(default_factory=list)
    fault: Exception | None = None

    def trouble(self) -> str:
        return "registry of alpha is away"

    def prepare(self, loaded: Loaded) -> object:
        if self.fault is not None:
            raise self.fault
        self.did.append("prepare")
        return loaded.version

    def commit(self, prepared: object) -> None:
        self.did.append(f"commit {prepared}")

    async def settled(self) -> str:
        self.did.append("settled")
        return "newer"

    def keys(self) -> str:
        return "some"

    def rekey(self) -> None:
        self.did.append("rekey")


@pytest.fixture
async def ends() -> AsyncIterator[tuple[Wire, Link]]:
    ours, theirs = socket.socketpair()
    parent, link = await Wire.over(ours), await Link.open(theirs.detach())
    yield parent, link
    parent.close()
    link.wire.close()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)


Ends = tuple[Wire, Link]


async def reload(parent: Wire, *orders: str) -> list[dict[str, object]]:
    """Send orders; gives the answers to those that have one."""
    answers = []
    for order in orders:
        texts = texts_out(load(GOOD).texts)
        await parent.send(do=order, **({"texts": texts} if order == "prepare" else {}))
        if order in ("prepare", "settle"):
            answers.append(await parent.receive())
    return answers


async def test_the_first_order_is_the_settings_as_the_parent_read_them(ends: Ends) -> None:
    parent, link = ends
    loaded = load(GOOD)
    await parent.send(do="start", texts=texts_out(loaded.texts))
    assert (await link.settings()).version == loaded.version


async def test_ready_comes_first_then_signs_of_life_with_their_trouble(ends: Ends) -> None:
    parent, link = ends
    task = asyncio.create_task(link.beat(Staff()))
    assert await parent.receive() == {"is": "ready", "keys": "some"}
    assert await parent.receive() == {"is": "beat", "trouble": "registry of alpha is away"}
    task.cancel()


async def obeyed(ends: Ends, staff: Staff, *orders: str) -> list[dict[str, object]]:
    parent, link = ends
    task = asyncio.create_task(link.obey(staff))
    answers = await reload(parent, *orders)
    parent.close()
    await asyncio.wait_for(task, 120)
    assert link.stopping.is_set(), "a parent that is gone means drain and end"
    return answers


async def test_new_rules_count_only_after_both_steps(ends: Ends) -> None:
    staff, version = Staff(), load(GOOD).version
    assert await obeyed(ends, staff, "prepare", "commit") == [{"is": "prepared"}]
    assert staff.did == ["prepare", f"commit {version}"]


async def test_what_was_committed_is_in_use_before_that_is_said(ends: Ends) -> None:
    staff, version = Staff(), load(GOOD).version
    answers = await obeyed(ends, staff, "prepare", "commit", "settle", "rekey")
    assert answers == [{"is": "prepared"}, {"is": "settled", "keys": "newer"}]
    assert staff.did == ["prepare", f"commit {version}", "settled", "rekey"]


@pytest.mark.parametrize("orders", [("prepare", "abort", "commit"), ("commit",), ("prepare", "commit", "commit")])
async def test_nothing_is_committed_that_was_not_prepared_just_before(ends: Ends, orders: tuple[str, ...]) -> None:
    staff = Staff()
    await obeyed(ends, staff, *orders)
    prepared = orders[0] == "prepare" and orders[1] == "commit"
    assert sum(done.startswith("commit") for done in staff.did) == prepared


@pytest.mark.parametrize("fault", [ValueError("no key for\nalpha"), OSError("disk gone")])
async def test_rules_that_cannot_be_prepared_are_refused_in_one_line(ends: Ends, fault: Exception) -> None:
    staff = Staff(fault=fault)
    assert await obeyed(ends, staff, "prepare", "commit") == [{"is": "refused", "why": str(fault).splitlines()[0]}]
    assert staff.did == []


async def test_sigterm_means_stop(ends: Ends) -> None:
    _, link = ends
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(link.stopping.wait(), 120)


def test_inherited_sockets_are_known_by_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        ((name, found),) = inherited(f"relay={os.dup(sock.fileno())},").items()
        with found:
            assert (name, found.getsockname()) == ("relay", sock.getsockname())
    assert inherited("") == {}
