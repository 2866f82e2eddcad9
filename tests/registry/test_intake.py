"""Storing an import: batches, counts, dry runs, and only ever adding."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.registry import intake, opening
from gateway.registry.applying import apply
from gateway.registry.importing import Line, read
from gateway.registry.places import places
from gateway.registry.protocol import Event, EventKind, PeopleRegistry
from gateway.registry.state import EMPTY, State
from gateway.registry.trial import Trial
from tests.registry.conftest import FORM, LIST, MARKETING, OPERATOR, event, person
from tests.registry.test_importing import TERMS

FILE = (
    b"address,kind,scope,at,channel,wording,proof\n"
    b"anna@example.nl,consent,list:nieuws,2024-01-01,form,v1,f1\n"
    b"bert@example.nl,consent,list:nieuws,2024-01-01,,,\n"
    b"carla@example.nl,opt-out,marketing,,,,\n"
    b"nobody,opt-out,marketing,,,,\n"
)


def told(*events: Event) -> State:
    """The state these events make, the first of them number 1."""
    exact, wide = EMPTY, EMPTY
    for number, one in enumerate(events, 1):
        exact, wide = apply(exact, wide, one, number)
    return exact


def rows(content: bytes) -> list[Line]:
    return list(read(io.BytesIO(content), TERMS))


async def carry_in(registry: PeopleRegistry, content: bytes, told: list[Line] | None = None) -> intake.Summary:
    return await intake.store(rows(content), registry, [].append if told is None else told.append)


async def test_good_lines_are_stored_and_wrong_ones_told(registry):
    told = []
    summary = await carry_in(registry, FILE, told)
    assert summary.to_json() == {
        "stored": 3,
        "known": 0,
        "wrong": 1,
        "unproven": 1,
        "returns": 0,
        "refused": 0,
        "erased": 0,
        "kinds": {"consent": 2, "opt-out": 1},
    }
    assert [(line.number, line.column) for line in told] == [(5, "address")]
    anna, bert, carla = await registry.facts([person("anna"), person("bert"), person("carla")])
    assert anna.consents_to(LIST)
    assert (bert.known, bert.consents) == (True, ())
    assert [b.scope for b in carla.blocks] == [MARKETING]


async def test_importing_consent_for_people_who_stopped_changes_nothing_for_them(registry):
    await registry.record([event(EventKind.CONSENT, scope=LIST, evidence=FORM)])
    await registry.record([event(EventKind.OPT_OUT, scope=LIST)])
    before = await registry.facts([person()])
    await intake.store(read(io.BytesIO(FILE), TERMS), registry, lambda line: None)
    assert await registry.facts([person()]) == before
    kinds = [e.kind for _, e in await registry.history(person())]
    assert kinds == [EventKind.CONSENT, EventKind.OPT_OUT, EventKind.CONSENT]
    assert len(await registry.returns(10)) == 1


async def test_more_rows_than_a_batch_are_all_stored(registry, monkeypatch):
    monkeypatch.setattr(intake, "BATCH", 10)
    people = b"".join(b"p%d@example.nl,opt-out,marketing\n" % n for n in range(25))
    summary = await carry_in(registry, b"address,kind,scope\n" + people)
    assert summary.stored == 25
    assert all(f.blocks for f in await registry.facts([person(f"p{n}") for n in range(25)]))


ALL_KINDS = b"""\
address,kind,scope,topic,at,channel,wording,proof,reference,category,declined,end,id,reason,until,minor,guardian,language,origin,active
anna@example.nl,consent,list:nieuws,,2024-01-01,form,v1,f1,,,,,,,,,,,,
anna@example.nl,consent,purpose:tracking,,2024-01-01,,,,,,,,,,,,,,,
bert@example.nl,request,,yoga,2024-01-01,form,v1,f1,,,,,,,,,,,,
bert@example.nl,opt-out,source:crm,,2024-02-01,,,,,,,,,,,,,,,
bert@example.nl,consent,list:nieuws,,2024-03-01,form,v1,f2,,,,,,,,,,,,
bert@example.nl,consent,list:nieuws,,2023-03-01,form,v1,f0,,,,,,,,,,,,
carla@example.nl,complaint,marketing,,,,,,,,,,,,,,,,,
carla@example.nl,bounce,everything,,,,,,,,,,,,,,,,,
carla@example.nl,restriction,,,,,,,,,,,,,,,,,,
dirk@example.nl,enrolment,,,,,,,C1,,,,,,,,,,,
dirk@example.nl,contract,,,,,,,O1,,,,,,,,,,,no
dirk@example.nl,purchase,,,2024-01-01,,,,,boeken,ja,,,,,,,,,
dirk@example.nl,purchase,,,2023-01-01,,,,,boeken,ja,,,,,,,,,
dirk@example.nl,subscription,,,,,,,,boeken,,2027-01-01,,,,,,,,
dirk@example.nl,publication,,,2024-01-01,form,v1,f3,,,,,photo,,,,,,,
dirk@example.nl,minor,,,,form,v1,f4,,,,,,,,yes,yes,,,
dirk@example.nl,language,,,,,,,,,,,,,,,,nl,,
dirk@example.nl,origin,,,,,,,,,,,,,,,,,fair,
dirk@example.nl,announced,,,,,,,2026,,,,,,,,,,,
dirk@example.nl,retained,,,,,,,,,,,invoices,tax,2030-01-01,,,,,
eva@wide.example,opt-out,marketing,,2024-02-01,,,,,,,,,,,,,,,
e.va+x@wide.example,consent,list:nieuws,,2024-03-01,form,v1,f1,,,,,,,,,,,,
fay@example.nl,erasure,,,,,,,,,,,,,,,,,,
fay@example.nl,consent,list:nieuws,,2024-03-01,form,v1,f1,,,,,,,,,,,,
"""


async def everything(registry: PeopleRegistry) -> object:
    return await registry.event_rows(0, 10_000), await registry.state_rows(b"", 10_000)


@pytest.mark.parametrize("size", [1, 3, 5000])
async def test_importing_again_stores_nothing_whatever_the_kind_and_the_commit_size(registry, monkeypatch, size):
    monkeypatch.setattr(intake, "BATCH", size)
    first = await carry_in(registry, ALL_KINDS)
    assert (first.stored, first.unproven, first.returns, first.refused, first.erased) == (23, 1, 2, 1, 1)
    before = await everything(registry)
    again = await carry_in(registry, ALL_KINDS)
    assert (again.stored, again.known, again.erased) == (0, 23, 1)
    assert await everything(registry) == before


@pytest.mark.parametrize("size", [1, 7, 5000])
async def test_a_dry_run_says_exactly_what_the_import_then_does(registry, monkeypatch, size):
    monkeypatch.setattr(intake, "BATCH", size)
    await registry.record([event(EventKind.OPT_OUT, person("anna"), LIST, at=5)])
    before, complaints = await everything(registry), []
    trial = Trial(registry)
    tried = await intake.store(rows(ALL_KINDS + FILE.split(b"\n", 1)[1]), trial, complaints.append)
    trial.close()
    assert await everything(registry) == before
    done = await carry_in(registry, ALL_KINDS + FILE.split(b"\n", 1)[1])
    assert done.to_json() == tried.to_json()
    assert done.returns == 3


async def test_an_erased_person_who_comes_back_is_told_of_by_line(registry):
    await registry.record([event(EventKind.ERASURE, person("anna"), evidence=OPERATOR)])
    complaints = []
    summary = await carry_in(registry, FILE, complaints)
    assert [(line.number, line.column) for line in complaints if "erased" in line.what] == [(2, "address")]
    assert (summary.erased, summary.wrong) == (1, 1)
    assert not (await registry.facts([person("anna")]))[0].consents


async def test_an_opt_out_without_a_date_ends_a_return_that_came_after_the_same_opt_out(registry):
    head = b"address,kind,scope,at,channel,wording,proof\n"
    stop = head + b"anna@example.nl,opt-out,list:nieuws,,,,\n"
    await registry.record([event(EventKind.OPT_OUT, person("anna"), LIST, at=5)])
    await carry_in(registry, head + b"anna@example.nl,consent,list:nieuws,2024-01-01,form,v1,f1\n")
    assert len(await registry.returns(10)) == 1
    assert (await carry_in(registry, stop)).stored == 1
    assert await registry.returns(10) == []
    assert (await carry_in(registry, stop)).known == 1


async def test_what_was_withdrawn_does_not_come_back_by_the_same_old_row(registry):
    await carry_in(registry, FILE)
    await registry.record([event(EventKind.OPT_OUT, person("anna"), LIST, at=1_750_000_000)])
    await registry.record([event(EventKind.LIFTED, person("anna"), LIST, OPERATOR, at=1_760_000_000)])
    await carry_in(registry, FILE)
    assert not (await registry.facts([person("anna")]))[0].consents_to(LIST)


# A program of its own: imports so many rows into the registry below a folder, and says what memory it took.
_PROGRAM = """
import asyncio, io, json, resource, sys, time
from pathlib import Path
from gateway.facts import Facts
from gateway.registry import intake
from gateway.registry.importing import read
from gateway.registry.opening import Owner
from gateway.registry.places import places
from gateway.registry.sqlite import SQLiteRegistry
from gateway.registry.trial import Trial
from tests.registry.conftest import KEYS
from tests.registry.test_importing import TERMS

class Rows(io.RawIOBase):
    def __init__(self, number):
        self.number, self.at = number, 0
    def read(self, size=-1):
        head = b"" if self.at else b"address,kind,scope,at,channel,wording,proof\\n"
        block = range(self.at, min(self.at + 2000, self.number))
        self.at = block.stop if block else self.at
        return head + b"".join(
            b"p%d@example.nl,%s,list:nieuws,2024-01-01T10:%02d:%02d,form,v1,form %d\\n"
            % (n, b"consent" if n % 5 else b"opt-out", n // 60 % 60, n % 60, n) for n in block)

class Nowhere:
    async def facts(self, people):
        return [Facts() for _ in people]
    async def record(self, events):
        return []

async def main(number, state, how):
    registry = SQLiteRegistry(places(Path(state), "school"), Owner(7, KEYS))
    store = {"import": lambda: registry, "dry-run": lambda: Trial(registry), "read": Nowhere}[how]()
    def told(summary):
        print(json.dumps(summary.to_json()), flush=True)
    await intake.store(read(Rows(number), TERMS), store, lambda line: None, told)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
    registry.close()

asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
"""


def program(*words: str) -> list[str]:
    return [sys.executable, "-c", _PROGRAM, *words]


ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("how", "rows"), [("read", 20_000), ("import", 4_000), ("dry-run", 4_000)])
def test_ten_times_the_rows_take_hardly_more_memory(owner, tmp_path, how, rows):
    peaks = []
    for number in (rows, 10 * rows):
        state = tmp_path / str(number)
        opening.init(places(state, "school"), owner)
        done = subprocess.run(program(str(number), str(state), how), cwd=ROOT, capture_output=True, check=True)
        *counts, peak = done.stdout.splitlines()
        assert json.loads(counts[-1])["stored"] == number
        peaks.append(int(peak))
    assert peaks[1] < 1.35 * peaks[0]


async def test_an_import_killed_at_any_point_goes_on_by_starting_it_again(where, owner, tmp_path, open_here):
    opening.init(where, owner)
    for commits in (1, 3):
        process = subprocess.Popen(program("20000", str(tmp_path), "import"), cwd=ROOT, stdout=subprocess.PIPE)
        for _ in range(commits):
            assert process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    done = subprocess.run(program("20000", str(tmp_path), "import"), cwd=ROOT, capture_output=True, check=True)
    summary = json.loads(done.stdout.splitlines()[-2])
    assert summary["stored"] + summary["known"] == 20_000
    assert summary["known"] >= 15_000
    registry = open_here()
    assert (await registry.status())["events"] == 20_000
    facts = await registry.facts([person(f"p{n}") for n in range(20_000)])
    assert all(bool(f.blocks) is (n % 5 == 0) and bool(f.consents) is (n % 5 > 0) for n, f in enumerate(facts))
