"""What was erased is in no file any more: table, index, log, free page, gap inside a page. And what a crash leaves."""

from __future__ import annotations

import random
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from gateway.facts import BlockKind
from gateway.pseudonym import Person
from gateway.registry import opening, scrubbing
from gateway.registry.events import quarter
from gateway.registry.protocol import Act, Event, EventKind, Evidence, RegistryUnavailable, StateRow
from gateway.registry.scrubbing import Trace
from tests.registry.conftest import LIST, MARKETING, OPERATOR, event, person

NOW = 1_800_000_000
ANNA = person("anna")


def told(who: Person, number: int, words: tuple[int, int, int] = (1, 1, 1)) -> list[Event]:
    """Events of which every word can be found again in a file; `words`: how long some of them are."""
    mark = f"<m{number:06}>"
    proven = Evidence("person", "form", mark * words[0], mark * words[1])
    return [
        event(EventKind.CONTACT, who, client="crm", contact=mark),
        event(EventKind.ENROLMENT, who, evidence=proven, reference=mark * words[2], third_party=mark),
        event(EventKind.PUBLICATION, who, id=mark),
        event(EventKind.OPT_OUT, who, LIST),
        event(EventKind.SHARED, who, third_party=mark, message=9, purpose=mark),
    ]


def left(folder: Path) -> set[int]:
    """The numbers of all marks in any file below."""
    files = (p for p in folder.rglob("*") if p.is_file())
    return {int(m) for path in files for m in re.findall(rb"<m(\d{6})>", path.read_bytes())}


async def test_an_erased_person_is_in_no_file(registry, tmp_path):
    await registry.record([*told(ANNA, 1), *told(person("bert"), 2)])
    await registry.act(Act(5, "jan", "asked", "show"), ANNA)
    assert left(tmp_path) == {1, 2}
    await registry.erase(ANNA, NOW, OPERATOR)
    assert left(tmp_path) == {2}
    assert (await registry.status())["unscrubbed"] == 0


async def test_no_time_of_the_erasure_is_in_the_journal_but_its_quarter(registry, where):
    await registry.erase(ANNA, NOW, OPERATOR)
    (record,) = registry._writer.journal.since(registry._writer.journal.head.start)
    assert (record.kind, record.at, record.message) == (BlockKind.ERASURE, quarter(NOW), 0)


async def test_nobody_of_many_is_left_however_rows_were_moved_between_pages(registry, tmp_path):
    # Rows of all sizes come, grow and go, so that pages are split and joined; that leaves copies in gaps now and then.
    rng = random.Random(3)
    living: dict[int, Person] = {}
    for first in range(0, 450, 15):
        living |= {number: person(f"p{number}") for number in range(first, first + 15)}
        chosen = [*range(first, first + 15), *rng.choices(sorted(living), k=6)]
        sizes = [(rng.randrange(50), rng.randrange(50), rng.randrange(1, 50)) for _ in chosen]
        await registry.record([e for n, size in zip(chosen, sizes, strict=True) for e in told(living[n], n, size)])
        for number in rng.sample(sorted(living), 2):
            await registry.erase(living.pop(number), NOW, OPERATOR)
        assert left(tmp_path) == set(living)


def fill(path: Path, content: Iterable[bytes]) -> Path:
    path.write_bytes(b"\0".join(content))
    return path


STONE = StateRow(ANNA.exact, 300, 0, '{"b":[[5,0,0,1,9]]}')
ROW = ANNA.exact + (300).to_bytes(2, "big")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ([ROW + b'{"b":[[5,0,0,1,9]]}'], False),
        ([ROW + b'{"b":[[5,0,0,1,9]]}', ROW + b'{"c":[[3,3,1000,4]]}'], True),
        ([ROW + b'{"c":[[3,'], True),
        ([ANNA.exact + b"index of somebody"], False),
        ([(300).to_bytes(2, "big") + (1_000).to_bytes(2, "big") + b"fact-contact" + b"operator"], True),
        ([(300).to_bytes(2, "big") + (1_000).to_bytes(2, "big") + b"erasure" + b"operator"], False),
        ([(301).to_bytes(2, "big") + (1_000).to_bytes(2, "big") + b"consent"], False),
        ([], False),
    ],
)
def test_a_deleted_row_is_recognised_by_how_it_begins(tmp_path, content, expected):
    path = fill(tmp_path / "file", content)
    assert scrubbing.found(path, [Trace([STONE], [])]) is expected


def test_the_log_is_searched_too(tmp_path):
    path = fill(tmp_path / "file", [b"nothing"])
    fill(tmp_path / "file-wal", [ROW + b'{"c":[]}'])
    assert scrubbing.found(path, [Trace([STONE], [])])


async def test_a_copy_left_in_the_file_is_rewritten_away(registry, where, tmp_path, monkeypatch):
    seen: list[bool] = []
    monkeypatch.setattr(scrubbing, "found", lambda *_: seen.append(True) or True)
    before = where.registry.stat().st_ino
    await registry.record(told(ANNA, 1))
    await registry.erase(ANNA, NOW, OPERATOR)
    assert seen == [True]
    assert left(tmp_path) == set()
    assert where.registry.stat().st_ino == before
    assert (await registry.facts([ANNA]))[0].blocks


async def test_while_somebody_reads_the_log_an_erasure_says_so_and_can_be_repeated(registry, where, tmp_path):
    await registry.record(told(ANNA, 1))
    registry._writer.connection.execute("PRAGMA busy_timeout = 20")
    reader = sqlite3.connect(where.registry, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM state").fetchall()
    with pytest.raises(RegistryUnavailable, match="erase again"):
        await registry.erase(ANNA, NOW, OPERATOR)
    assert (await registry.facts([ANNA]))[0].blocks
    assert (await registry.status())["unscrubbed"] == 1
    reader.execute("COMMIT")
    reader.close()
    await registry.erase(ANNA, NOW, OPERATOR)
    assert left(tmp_path) == set()
    assert (await registry.status())["unscrubbed"] == 0


async def test_what_another_process_left_is_cleared_by_the_next_start(registry, where, open_here, tmp_path):
    await registry.record(told(ANNA, 1))
    registry._writer.connection.execute("PRAGMA busy_timeout = 20")
    reader = sqlite3.connect(where.registry, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM state").fetchall()
    with pytest.raises(RegistryUnavailable):
        await registry.erase(ANNA, NOW, OPERATOR)
    reader.close()
    assert (await open_here().status())["unscrubbed"] == 0
    assert left(tmp_path) == set()


async def test_events_and_acts_stay_but_for_an_erasure_a_purge_or_a_rectification(registry, where):
    await registry.record(told(ANNA, 1))
    await registry.act(Act(5, "jan", "asked", "show"), ANNA)
    connection = sqlite3.connect(where.registry)
    for table in ("events", "acts"):
        for statement in (f"UPDATE {table} SET at = 1", f"DELETE FROM {table}", f"UPDATE {table} SET person = 9"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
    connection.close()


ERASER = """
import asyncio, sys
from pathlib import Path
from tests.registry.conftest import KEYS, OPERATOR, person
from gateway.registry.opening import Owner
from gateway.registry.places import places
from gateway.registry.sqlite import SQLiteRegistry

async def main():
    registry = SQLiteRegistry(places(Path(sys.argv[1]), "school"), Owner(7, KEYS))
    for number in range(int(sys.argv[2]), int(sys.argv[3])):
        print(number, flush=True)
        await registry.erase(person(f"p{number}"), 1_800_000_000, OPERATOR)
    registry.close()

asyncio.run(main())
"""


async def test_kill_9_during_an_erasure_leaves_it_done_or_to_be_repeated(where, owner, open_here, tmp_path):
    opening.init(where, owner)
    everybody = range(40)
    first = open_here()
    await first.record([e for n in everybody for e in told(person(f"p{n}"), n)])
    first.close()
    rng, begun = random.Random(5), 0
    while begun < 40:
        process = subprocess.Popen(
            [sys.executable, "-c", ERASER, str(tmp_path), str(begun), "40"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert process.stdout is not None
        for _ in range(rng.randrange(1, 20)):
            line = process.stdout.readline()
            begun = int(line) + 1 if line else 40
        process.send_signal(signal.SIGKILL)
        begun = max([begun, *(int(line) + 1 for line in process.stdout.read().split())])
        process.wait()
        process.stdout.close()
        registry = open_here()
        assert registry.trouble() == ""
        # The last may have been cut off before its tombstone: then nothing happened, and it is done again.
        found = await registry.facts([person(f"p{n}") for n in range(begun)])
        cut = [n for n, f in enumerate(found) if not any(b.kind is BlockKind.ERASURE for b in f.blocks)]
        assert cut in ([], [begun - 1])
        for number in cut:
            await registry.erase(person(f"p{number}"), NOW, OPERATOR)
        assert left(tmp_path) == set(everybody) - set(range(begun))
        registry.close()


async def test_a_rectification_cut_off_after_its_journal_blocks_both_and_can_be_repeated(registry, monkeypatch):
    bert = person("bert")
    await registry.record([event(EventKind.OPT_OUT, ANNA, LIST), event(EventKind.ENROLMENT, ANNA, reference="t")])

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr("gateway.registry.store.keep", fail)
        with pytest.raises(RegistryUnavailable):
            await registry.move(ANNA, bert, NOW, OPERATOR)
    anna, there = await registry.facts([ANNA, bert])
    assert {(b.kind, b.scope) for b in there.blocks} == {(BlockKind.OPT_OUT, LIST)}
    assert BlockKind.MANUAL in {b.kind for b in anna.blocks}
    assert anna.enrolments == {"t"}
    await registry.move(ANNA, bert, NOW, OPERATOR)
    anna, there = await registry.facts([ANNA, bert])
    assert there.enrolments == {"t"}
    assert {(b.kind, b.scope) for b in there.blocks if b.scope == LIST} == {(BlockKind.OPT_OUT, LIST)}
    assert not anna.enrolments


async def test_an_erasure_that_comes_back_from_the_journal_deletes_what_a_backup_brought(registry, where, tmp_path):
    await registry.record(told(ANNA, 1))
    copy, source = sqlite3.connect(tmp_path / "copy"), sqlite3.connect(where.registry)
    source.backup(copy)
    source.close()
    copy.close()
    await registry.erase(ANNA, NOW, OPERATOR)
    await registry.record([event(EventKind.OPT_OUT, ANNA, MARKETING)])
    for suffix in ("-wal", "-shm"):
        where.registry.with_name(where.registry.name + suffix).unlink(missing_ok=True)
    (tmp_path / "copy").rename(where.registry)
    found = (await registry.facts([ANNA]))[0]
    assert {b.kind for b in found.blocks} == {BlockKind.ERASURE, BlockKind.OPT_OUT}
    assert [e.kind for _, e in await registry.history(ANNA)] == [EventKind.ERASURE, EventKind.OPT_OUT]
    await registry.record([event(EventKind.LANGUAGE, person("bert"), language="nl")])
    assert left(tmp_path) == set()
