"""How workers share the connections that come in on one socket."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from gateway.ingress import door as module
from gateway.ingress.door import Door


class Guest(asyncio.Protocol):
    """A session that only stays."""

    def __init__(self, house: list[Guest]) -> None:
        self.house = house

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.house.append(self)


@pytest.fixture
async def listening() -> AsyncIterator[socket.socket]:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0), backlog=128)) as sock:
        yield sock


def open_door(sock: socket.socket, house: list[Guest], held: Callable[[], int] | None = None) -> Door:
    door = Door(sock, lambda: Guest(house), held or (lambda: len(house)), None)
    door.open(128)
    return door


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not true():
            await asyncio.sleep(0.001)


def leave(*houses: list[Guest]) -> None:
    for house in houses:
        for guest in house:
            guest.transport.close()


async def test_every_connection_that_waits_is_taken_but_not_all_in_one_turn(listening: socket.socket) -> None:
    clients = [socket.create_connection(listening.getsockname()) for _ in range(40)]
    house: list[Guest] = []
    at_once = []
    door = open_door(listening, house)
    while len(house) < 40:
        before = len(house)
        await asyncio.sleep(0)
        at_once.append(len(house) - before)
    assert max(at_once) <= 4
    door.close()
    leave(house)
    for client in clients:
        client.close()
    await asyncio.sleep(0)


async def test_a_worker_that_holds_many_leaves_a_newcomer_to_one_that_holds_none(listening: socket.socket) -> None:
    busy: list[Guest] = []
    idle: list[Guest] = []
    doors = [open_door(listening.dup(), busy, lambda: 100), open_door(listening.dup(), idle, lambda: 0)]
    clients = []
    for number in range(20):
        clients.append(socket.create_connection(listening.getsockname()))
        await until(lambda: len(busy) + len(idle) > number)  # noqa: B023 awaited in this very turn
    assert len(idle) > len(busy)
    for door in doors:
        door.close()
    leave(busy, idle)
    for client in clients:
        client.close()
    await asyncio.sleep(0)


async def test_a_worker_alone_takes_newcomers_however_many_it_holds(listening: socket.socket) -> None:
    house: list[Guest] = []
    door = open_door(listening, house, lambda: 10_000)
    with socket.create_connection(listening.getsockname()):
        await until(lambda: len(house) == 1)
    door.close()
    leave(house)
    await asyncio.sleep(0)


async def test_a_closed_door_lets_go_of_its_socket_and_keeps_who_is_inside(listening: socket.socket) -> None:
    house: list[Guest] = []
    door = open_door(listening, house)
    address = listening.getsockname()
    with socket.create_connection(address) as client:
        await until(lambda: len(house) == 1)
        door.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, 1)
        assert not house[0].transport.is_closing()
        client.close()
    leave(house)
    await asyncio.sleep(0)


async def test_closing_while_it_waits_for_others_takes_nobody_any_more(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TURN", 60.0)
    house: list[Guest] = []
    door = open_door(listening.dup(), house, lambda: 100)
    with socket.create_connection(listening.getsockname()):
        await until(lambda: door._later is not None)
        waiting = door._later
        door.close()
        assert waiting is not None
        assert waiting.cancelled()
        assert house == []


class Poor(socket.socket):
    """A listening socket in a process that has no descriptor left at first."""

    poor = True

    def accept(self) -> tuple[socket.socket, object]:
        if self.poor:
            self.poor = False
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


async def test_without_descriptors_it_waits_and_tries_again(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_NO_DESCRIPTORS", 0.01)
    house: list[Guest] = []
    door = open_door(Poor(fileno=listening.detach()), house)
    with socket.create_connection(door._socket.getsockname()):
        await until(lambda: len(house) == 1)
    door.close()
    leave(house)
    await asyncio.sleep(0)
