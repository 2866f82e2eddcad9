"""A new pseudonym layer: every row is lifted, also when the pass was cut off, and no event is touched."""

from __future__ import annotations

import sqlite3

from gateway.pseudonym import Pseudonyms
from gateway.registry import rotation, schema
from gateway.registry.opening import Owner
from gateway.registry.protocol import EventKind
from tests.registry.conftest import KEYS, LIST, event, person

ROTATED = Pseudonyms((*KEYS.keys, b"n" * 32, b"m" * 32), KEYS.wide_domains)
NUMBERS = range(60)


async def fill(registry) -> None:
    await registry.record([event(EventKind.ENROLMENT, person(f"p{n}"), reference=str(n)) for n in NUMBERS])
    await registry.record([event(EventKind.OPT_OUT, person(f"p{n}"), LIST) for n in NUMBERS])


async def lifted_facts(open_here) -> list:
    registry = open_here(owner=Owner(7, ROTATED))
    assert registry.trouble() == ""
    return await registry.facts([person(f"p{n}", keys=ROTATED) for n in NUMBERS])


async def test_a_pass_that_was_cut_off_goes_on_where_rows_are_still_old(registry, where, open_here, monkeypatch):
    await fill(registry)
    registry.close()
    monkeypatch.setattr(rotation, "BATCH", 7)
    connection = schema.writing(where.registry)
    after = rotation.lift_batch(connection, b"", ROTATED)
    rotation.lift_batch(connection, after, ROTATED)
    layers = connection.execute("SELECT COUNT(*) FROM state WHERE layer = 2").fetchone()[0]
    assert 7 <= layers <= 14
    connection.close()
    found = await lifted_facts(open_here)
    assert [f.enrolments for f in found] == [{str(n)} for n in NUMBERS]
    assert all(f.blocks for f in found)


async def test_events_stay_as_they_were_and_are_still_found(registry, where, open_here):
    await fill(registry)
    connection = sqlite3.connect(where.registry)
    before = connection.execute("SELECT * FROM events").fetchall()
    registry.close()
    await lifted_facts(open_here)
    assert connection.execute("SELECT * FROM events").fetchall() == before
    connection.close()
    history = await open_here(owner=Owner(7, ROTATED)).history(person("p3", keys=ROTATED))
    assert [e.kind for _, e in history] == [EventKind.ENROLMENT, EventKind.OPT_OUT]
