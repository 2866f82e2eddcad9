"""Storing an import: batches, counts, dry runs, and only ever adding."""

from __future__ import annotations

import io

from gateway.registry import intake
from gateway.registry.importing import Line, read
from gateway.registry.protocol import EventKind, PeopleRegistry
from tests.registry.conftest import FORM, LIST, MARKETING, event, person
from tests.registry.test_importing import TERMS

FILE = (
    b"address,kind,scope,at,channel,wording,proof\n"
    b"anna@example.nl,consent,list:nieuws,2024-01-01,form,v1,f1\n"
    b"bert@example.nl,consent,list:nieuws,2024-01-01,,,\n"
    b"carla@example.nl,opt-out,marketing,,,,\n"
    b"nobody,opt-out,marketing,,,,\n"
)


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
