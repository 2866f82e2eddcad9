"""The process that reads attachments: what happens to it happens to one part, and to nothing else."""

from __future__ import annotations

import asyncio
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.app.inspector import FAILED, TOO_LONG, Inspector, Limits
from gateway.app.inspector_child import NO_MEMORY
from gateway.config.inspector import Inspector as Settings
from gateway.content import InspectorUnavailable
from gateway.documents.protocol import Bounds
from gateway.inspection import NOTHING, Item, Kind, Unread
from tests.documents import making

ROOT = Path(__file__).parents[2]
LIST = Item("1.2", "lijst.xlsx", "", making.xlsx({"Leden": [["Naam", "Mail"], ["Jan", "jan@example.org"]]}))
TEXT = Item("1.3", "brief.txt", "text/plain", b"bel piet@example.org\n")


Make = Callable[..., Inspector]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Inspectors, ended after the test."""
    made: list[Inspector] = []

    def build(limits: Limits | None = None, bounds: Bounds | None = None) -> Inspector:
        made.append(Inspector(bounds or Bounds(), limits or Limits()))
        return made[-1]

    yield build
    for one in made:
        await one.close()


def send(inspector: Inspector, number: int) -> int:
    """A signal to the process; gives its id."""
    assert inspector.pid
    os.kill(inspector.pid, number)
    return inspector.pid


def gone(pid: int | None) -> bool:
    """Whether the process has ended, waited for."""
    assert pid
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 120)[0])
    finally:
        os.close(handle)


async def stopped(inspector: Inspector, *items: Item) -> asyncio.Task[object]:
    """A question whose reader stands still."""
    await inspector.inspect([TEXT])
    send(inspector, signal.SIGSTOP)
    asked = asyncio.create_task(inspector.inspect(items))
    await asyncio.sleep(0)
    return asked


async def test_parts_are_read_and_places_named(make: Make) -> None:
    found = await make().inspect([LIST, TEXT])
    first = found.findings[0]
    assert (first.kind, first.where) == (Kind.EMAIL, "part 1.2, sheet 1, row 2, column B")
    assert sorted(a.reveal() for a in found.addresses) == ["jan@example.org", "piet@example.org"]
    assert found.addresses[next(iter(found.addresses))] == ("part 1.2, sheet 1, row 2, column B",)
    assert found.unread == ()


ODD = ("jan..jansen@example.org", "x.@example.org", "a@foo_bar.nl", "a%b@ex--ample.org", "a@\u0661\u0662.example")


async def test_s53_an_address_that_no_server_takes_hides_no_list(make: Make) -> None:
    rows = b"".join(b"Anna de Wit;anna%d@example.org\n" % number for number in range(5))
    inspector = make()
    for odd in ODD:
        found = await inspector.inspect([Item("2", "leden.csv", "text/csv", b"Naam;Mail\n" + rows + odd.encode())])
        assert (found.unread, len(found.addresses)) == ((), 6)
        assert len(found.findings) >= 5


async def test_equal_values_in_two_parts_have_one_mark_and_another_in_the_next_mail(make: Make) -> None:
    inspector = make()
    rows = [["Naam", "Mail"], ["Jan", "piet@example.org"]]
    other = Item("1.4", "b.xlsx", "", making.xlsx({"A": rows}))
    marks = [{f.mark for f in (await inspector.inspect([TEXT, other])).findings} for _ in range(2)]
    assert [len(found) for found in marks] == [1, 1]
    assert marks[0] != marks[1]


def test_the_limits_in_the_code_are_those_of_the_settings() -> None:
    assert (Bounds.of(Settings()), Limits.of(Settings())) == (Bounds(), Limits())
    changed = Inspector.of(Settings(unpacked="2MiB", ratio=11, depth=1, files=3, rows=4, waiting=5, time="7s"))
    assert changed.bounds == Bounds(2 * 2**20, 11, 1, 3, 4)
    assert (changed.limits.waiting, changed.limits.wall) == (5, 7.0)


async def test_new_settings_hold_from_the_next_file_on(make: Make) -> None:
    inspector = make()
    await inspector.inspect([TEXT])
    inspector.reload(Settings(rows=1))
    assert [u.why for u in (await inspector.inspect([LIST])).unread] == ["more than 1 rows or pages"]
    assert inspector.started == 1
    inspector.reload(Settings(memory="512MiB"))
    assert (await inspector.inspect([LIST])).unread == ()
    assert inspector.started == 2, "a process keeps the memory it was given"
    assert inspector.pid is not None
    assert resource.prlimit(inspector.pid, resource.RLIMIT_AS)[0] == 512 * 2**20


async def test_it_starts_when_first_needed_and_stays(make: Make) -> None:
    inspector = make()
    picture = Item("1.2", "foto.png", "image/png", b"\x89PNG\r\n\x1a\n\0")
    assert await inspector.inspect([picture]) is NOTHING
    assert inspector.started == 0
    for _ in range(3):
        await inspector.inspect([TEXT])
    assert inspector.started == 1


async def test_a_process_that_dies_costs_its_part_and_is_replaced(make: Make) -> None:
    inspector = make()
    asked = await stopped(inspector, LIST, TEXT)
    first = send(inspector, signal.SIGKILL)
    found = await asked
    assert found.unread == (Unread("1.2", FAILED),)  # type: ignore[attr-defined]
    assert [a.reveal() for a in found.addresses] == ["piet@example.org"]  # type: ignore[attr-defined]
    assert inspector.pid != first
    assert inspector.started == 2


async def test_a_process_that_died_while_nobody_asked_costs_nothing(make: Make) -> None:
    inspector = make()
    await inspector.inspect([TEXT])
    send(inspector, signal.SIGKILL)
    assert gone(inspector.pid)
    for _ in range(2):
        found = await inspector.inspect([TEXT])
        assert not found.unread
    assert inspector.started == 2


async def test_a_process_that_hangs_is_ended_at_the_limit(make: Make) -> None:
    inspector = make()
    await inspector.inspect([TEXT])
    first = send(inspector, signal.SIGSTOP)
    inspector.limits = Limits(wall=0.5)  # only here: a busy machine may need as long for a part that is read
    found = await inspector.inspect([LIST, TEXT])
    inspector.limits = Limits()
    assert found.unread == (Unread("1.2", TOO_LONG), Unread("1.3", TOO_LONG))
    assert gone(first)
    assert not (await inspector.inspect([TEXT])).unread


async def test_a_part_that_takes_too_much_work_costs_only_itself(make: Make) -> None:
    heavy = Item("1.2", "a.html", "text/html", b"<html><table>" + b"<tr><td>Jan Bakker<td>groep 1234" * 450_000)
    found = await make(Limits(cpu=1)).inspect([heavy, TEXT])
    assert found.unread == (Unread("1.2", TOO_LONG),)
    assert [a.reveal() for a in found.addresses] == ["piet@example.org"]


async def test_a_part_that_takes_too_much_memory_costs_only_itself(make: Make) -> None:
    large = Item("1.2", "groot.txt", "text/plain", b"x y z \xe2\x82\xac\n" * 3_000_000)
    found = await make(Limits(memory=140 * 2**20)).inspect([large, TEXT])
    assert [u.part for u in found.unread] == ["1.2"]
    assert found.unread[0].why in (NO_MEMORY, FAILED, "needs more memory than it may have")
    assert [a.reveal() for a in found.addresses] == ["piet@example.org"]


async def test_the_memory_of_the_worker_is_not_taken_for_that_of_its_process(make: Make) -> None:
    inspector = make()
    mine = b"x" * inspector.limits.worn
    for _ in range(2):
        await inspector.inspect([TEXT])
    assert inspector.started == 1
    assert mine


async def test_a_process_that_grew_is_replaced_by_a_fresh_one(make: Make) -> None:
    inspector = make(Limits(worn=1))
    for _ in range(2):
        assert not (await inspector.inspect([TEXT])).unread
    assert inspector.started == 2


async def test_after_some_deaths_the_rest_of_a_mail_is_not_tried(make: Make) -> None:
    inspector = make(Limits(deaths=1))
    asked = await stopped(inspector, LIST, TEXT)
    send(inspector, signal.SIGKILL)
    found = await asked
    assert found.unread == (Unread("1.2", FAILED), Unread("1.3", "not read after other files failed"))  # type: ignore[attr-defined]
    assert inspector.started == 1


async def test_bounds_hold_for_the_whole_mail_whoever_reads_it(make: Make) -> None:
    inspector = make(bounds=Bounds(octets=100))
    long = [Item(f"1.{n}", "a.txt", "text/plain", b"x y " * 15) for n in range(3)]
    found = await inspector.inspect(long)
    assert [u.part for u in found.unread] == ["1.1", "1.2"]
    assert not (await inspector.inspect(long[:1])).unread


async def test_mails_wait_for_each_other_up_to_a_limit(make: Make) -> None:
    inspector = make(Limits(waiting=2))
    asked = [await stopped(inspector, LIST)]
    asked.append(asyncio.create_task(inspector.inspect([TEXT])))
    await asyncio.sleep(0)
    with pytest.raises(InspectorUnavailable):
        await inspector.inspect([TEXT])
    send(inspector, signal.SIGCONT)
    assert all(not found.unread for found in await asyncio.gather(*asked))  # type: ignore[attr-defined]
    assert not (await inspector.inspect([TEXT])).unread


async def test_who_goes_away_leaves_no_answer_for_the_next(make: Make) -> None:
    inspector = make()
    asked = await stopped(inspector, LIST)
    first = inspector.pid
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert gone(first)
    assert [a.reveal() for a in (await inspector.inspect([TEXT])).addresses] == ["piet@example.org"]


async def test_who_goes_away_while_it_starts_leaves_no_answer_for_the_next(make: Make) -> None:
    inspector = make()
    asked = asyncio.create_task(inspector.inspect([TEXT]))
    while inspector.pid is None:
        await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert inspector.pid is None
    assert (await inspector.inspect([TEXT])).unread == ()


async def test_who_waits_as_long_as_a_mail_may_take_waits_no_longer(make: Make) -> None:
    inspector = make(Limits(wall=0.2))
    async with inspector._turn:
        with pytest.raises(InspectorUnavailable, match="before it"):
            await inspector.inspect([TEXT])
    inspector.limits = Limits()
    assert (await inspector.inspect([TEXT])).unread == ()


async def test_a_large_content_goes_through_whole(make: Make) -> None:
    large = b"niets\n" * 3_500_000 + b"jan@example.org"
    found = await make().inspect([Item("1.2", "log.txt", "text/plain", large)])
    assert next(iter(found.addresses.values())) == ("part 1.2, line 3500001",)


async def test_where_none_can_be_started_the_mail_waits(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InspectorUnavailable):
        await make(Limits(start=0)).inspect([TEXT])
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(InspectorUnavailable):
        await make().inspect([TEXT])


async def test_closing_ends_the_process_and_starts_no_other(make: Make) -> None:
    inspector = make()
    await inspector.inspect([TEXT])
    pid = inspector.pid
    await inspector.close()
    assert gone(pid)
    with pytest.raises(InspectorUnavailable):
        await inspector.inspect([TEXT])


async def test_closing_in_the_middle_leaves_no_process(make: Make) -> None:
    inspector = make()
    asked = await stopped(inspector, LIST, TEXT)
    pid = inspector.pid
    await asyncio.sleep(0)
    await inspector.close()
    with pytest.raises(InspectorUnavailable):
        await asked
    assert gone(pid)
    assert inspector.pid is None


PARENT = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from gateway.app.inspector import Inspector
from gateway.inspection import Item
async def run():
    inspector = Inspector()
    await inspector.inspect([Item("1", "a.txt", "text/plain", b"a")])
    print(inspector.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(run())
"""


@pytest.mark.parametrize("busy", [False, True])
def test_a_worker_that_is_killed_takes_its_process_with_it(busy: bool) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(ROOT)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    if busy:
        os.kill(child, signal.SIGSTOP)  # it cannot notice that its input ends
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(child)


async def test_the_process_is_confined(make: Make) -> None:
    inspector = make()
    await inspector.inspect([LIST])
    process = Path(f"/proc/{inspector.pid}")
    limits = {line[:26].strip(): line[26:].split()[:2] for line in (process / "limits").read_text().splitlines()}
    assert limits["Max address space"] == [str(1024 * 2**20)] * 2
    assert limits["Max core file size"] == limits["Max file size"] == limits["Max processes"] == ["0", "0"]
    assert int(limits["Max open files"][1]) <= 32
    assert int(limits["Max cpu time"][0]) < 30
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
    assert status["NoNewPrivs"] == "1"
    assert (process / "oom_score_adj").read_text().strip() == "1000"
    assert (process / "environ").read_bytes() == b""
    opened = {str(entry.readlink()).partition(":")[0] for entry in (process / "fd").iterdir()}
    assert opened <= {"pipe", "socket", "/dev/null"}  # the two ends of what it is asked with, and nothing else
