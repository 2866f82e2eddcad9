"""Children are forked, told apart, and collected; the process that forks them may die without harm."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gateway.app.nursery import LOST, Born, Nursery
from gateway.config.environment import child_environment

ROOT = Path(__file__).parents[2]
KINDS = '''
import os, socket

async def serve(number: int, wire: int, sockets: dict[str, socket.socket]) -> int:
    """Says what it got, one line; ends with the number that it is told."""
    own = socket.socket(fileno=wire)
    own.sendall(repr((number, os.getpid(), os.getppid(), sorted(sockets))).encode() + b"\\n")
    return int(own.recv(10) or b"9")
'''


@pytest.fixture
async def nursery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Nursery]:
    """One that knows the kind `echo`, and has two listening sockets to give."""
    place = tmp_path / "more" / "gateway" / "app"
    place.mkdir(parents=True)
    (place / "echo.py").write_text(KINDS)
    (place.parent.parent / "sitecustomize.py").write_text(
        f"import gateway.app\ngateway.app.__path__.append({str(place)!r})\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{place.parent.parent}:{ROOT}")
    with socket.create_server(("127.0.0.1", 0)) as mail, socket.create_server(("127.0.0.1", 0)) as page:
        made = Nursery(["gateway.app.echo"], {"mail": mail, "web": page}, child_environment(tmp_path))
        yield made
        await made.close()


async def born(nursery: Nursery, number: int = 0) -> tuple[Born, socket.socket, tuple[int, int, int, list[str]]]:
    """A child, our end of its wire, and what it said of itself."""
    child, ours = await nursery.bear("echo", number, {"mail"})
    said = await asyncio.to_thread(ours.makefile().readline)
    return child, ours, eval(said)


async def test_a_child_has_its_number_its_wire_and_only_its_own_sockets(nursery: Nursery) -> None:
    child, wire, (number, pid, parent, sockets) = await born(nursery, 3)
    with wire:
        assert (number, pid, parent, sockets) == (3, child.pid, nursery.pid, ["mail"])
        opened = {link.readlink() for link in Path(f"/proc/{pid}/fd").iterdir()}
        mail, page = (Path(f"/proc/self/fd/{nursery.sockets[name].fileno()}").readlink() for name in ("mail", "web"))
        assert mail in opened
        assert page not in opened
        assert Path(f"/proc/{pid}/comm").read_text() == "echo-3\n"
        wire.sendall(b"7")
        assert await child.ended == 7


async def test_all_children_come_from_one_process_and_each_end_is_told_with_its_code(nursery: Nursery) -> None:
    children = [await born(nursery, number) for number in range(4)]
    assert nursery.started == 1
    children[2][0].signal(signal.SIGKILL)
    assert await children[2][0].ended == -signal.SIGKILL
    for code in (3, 0, 1):
        children[code][1].sendall(b"%d" % code)
    assert [await children[code][0].ended for code in (0, 1, 3)] == [0, 1, 3]
    for _, wire, _ in children:
        wire.close()


async def test_children_asked_for_at_once_are_not_mistaken_for_one_another(nursery: Nursery) -> None:
    children = await asyncio.gather(*(born(nursery, number) for number in range(4)))
    assert nursery.started == 1
    for number, (child, wire, (own, pid, _, _)) in enumerate(children):
        assert (own, pid) == (number, child.pid)
        with wire:
            wire.sendall(b"%d" % number)
            assert await child.ended == number


async def test_a_child_ends_when_the_parent_is_gone(nursery: Nursery) -> None:
    child, wire, _ = await born(nursery)
    wire.close()
    assert await child.ended == 9


async def test_children_outlive_the_process_that_forked_them_and_the_next_comes_from_another(nursery: Nursery) -> None:
    child, wire, _ = await born(nursery)
    assert nursery.pid is not None
    os.kill(nursery.pid, signal.SIGKILL)
    second, other, (_, _, parent, _) = await born(nursery, 1)
    assert nursery.started == 2
    assert parent == nursery.pid
    assert not child.ended.done()
    wire.sendall(b"0")
    assert await child.ended == LOST, "nobody was there to collect its code"
    other.sendall(b"5")
    assert await second.ended == 5
    wire.close()
    other.close()


async def test_a_signal_to_a_child_that_ended_reaches_nobody(nursery: Nursery) -> None:
    child, wire, _ = await born(nursery)
    wire.sendall(b"0")
    await child.ended
    child.signal(signal.SIGKILL)
    wire.close()


async def test_a_process_that_cannot_start_is_an_error_and_not_a_wait(nursery: Nursery) -> None:
    nursery.modules = ["gateway.app.absent"]
    with pytest.raises(OSError):
        await nursery.bear("absent", 0, set())


def taught(nursery: Nursery, lines: str) -> None:
    """The next process does this too when it imports the kind `echo`."""
    place = Path(nursery.environment["PYTHONPATH"].partition(":")[0]) / "gateway" / "app" / "echo.py"
    place.write_text(KINDS + lines)


async def test_a_child_whose_birth_nobody_told_of_does_not_share_the_wire_of_the_next(
    nursery: Nursery, tmp_path: Path
) -> None:
    once = tmp_path / "once"
    once.touch()
    taught(
        nursery,
        f"if os.path.exists({str(once)!r}):\n"
        f"    os.unlink({str(once)!r})\n"
        "    os.register_at_fork(after_in_parent=lambda: os._exit(1))\n",
    )
    child, wire, (_, pid, _, _) = await born(nursery)
    assert nursery.started == 2
    assert pid == child.pid
    with wire:
        wire.sendall(b"5")
        assert await child.ended == 5


async def test_a_fork_that_fails_is_told_and_leaves_nothing_open(nursery: Nursery) -> None:
    taught(nursery, "def fork():\n    raise OSError(11, 'no more')\nos.fork = fork\n")
    counts = []
    for _ in range(3):
        with pytest.raises(BlockingIOError):
            await nursery.bear("echo", 0, {"mail"})
        counts.append(len(list(Path(f"/proc/{nursery.pid}/fd").iterdir())))
    assert nursery.started == 1
    assert len(set(counts)) == 1


async def test_without_a_descriptor_for_its_handle_there_is_no_child_and_no_wait(nursery: Nursery) -> None:
    first, wire, _ = await born(nursery)
    with wire, full() as kept:
        for _ in range(2):  # for the wire
            os.close(kept.pop())
        with pytest.raises(OSError) as caught:
            await asyncio.wait_for(nursery.bear("echo", 1, {"mail"}), 20)
        assert caught.value.errno == errno.EMFILE
        assert not first.ended.done()


@contextmanager
def full() -> Iterator[list[int]]:
    """No descriptor is left; gives those that can be closed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    kept: list[int] = []
    try:
        with suppress(OSError):
            while True:
                kept.append(os.dup(0))
        yield kept
    finally:
        for number in kept:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
