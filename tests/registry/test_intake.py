"""Storing an import: batches, counts, dry runs, and only ever adding."""

from __future__ import annotations

import io

from gateway.registry import intake
from gateway.registry.importing import read
from gateway.registry.protocol import EventKind
from tests.registry.conftest import FORM, LIST, MARKETING, event, person
from tests.registry.test_importing import TERMS

FILE = (
    b"address,kind,scope,at,channel,wording,proof\n"
    b"anna@example.nl,consent,list:nieuws,2024-01-01,form,v1,f1\n"
    b"bert@example.nl,consent,list:nieuws,2024-01-01,,,\n"
    b"carla@example.nl,opt-out,marketing,,,,\n"
    b"nobody,opt-out,marketing,,,,\n"
)


async def test_good_lines_are_stored_and_wrong_ones_told(registry):
    told = []
    summary = await intake.store(read(io.BytesIO(FILE), TERMS), registry, told.append)
    assert summary.to_json() == {"stored": 3, "wrong": 1, "unproven": 1, "kinds": {"consent": 2, "opt-out": 1}}
    assert [line.number for line in told] == [5]
    anna, bert, carla = await registry.facts([person("anna"), person("bert"), person("carla")])
    assert anna.consents_to(LIST)
    assert (bert.known, bert.consents) == (True, ())
    assert [b.scope for b in carla.blocks] == [MARKETING]


async def test_a_dry_run_counts_the_same_and_stores_nothing(registry):
    summary = await intake.store(read(io.BytesIO(FILE), TERMS), None, lambda line: None)
    assert (summary.stored, summary.wrong) == (3, 1)
    assert (await registry.status())["events"] == 0


async def test_importing_consent_for_people_who_stopped_changes_nothing_for_them(registry):
    await registry.record([event(EventKind.CONSENT, scope=LIST, evidence=FORM)])
    await registry.record([event(EventKind.OPT_OUT, scope=LIST)])
    before = await registry.facts([person()])
    await intake.store(read(io.BytesIO(FILE), TERMS), registry, lambda line: None)
    assert await registry.facts([person()]) == before
    kinds = [e.kind for _, e in await registry.history(person())]
    assert kinds == [EventKind.CONSENT, EventKind.OPT_OUT, EventKind.CONSENT]


async def test_more_rows_than_a_batch_are_all_stored(registry, monkeypatch):
    monkeypatch.setattr(intake, "BATCH", 10)
    rows = b"".join(b"p%d@example.nl,opt-out,marketing\n" % n for n in range(25))
    summary = await intake.store(read(io.BytesIO(b"address,kind,scope\n" + rows), TERMS), registry, lambda line: None)
    assert summary.stored == 25
    assert all(f.blocks for f in await registry.facts([person(f"p{n}") for n in range(25)]))
