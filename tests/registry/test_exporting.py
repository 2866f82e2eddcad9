"""Everything out, by pseudonym, and nothing left out."""

from __future__ import annotations

import json

from gateway.registry import exporting
from gateway.registry.exporting import EVENT_COLUMNS, STATE_COLUMNS
from gateway.registry.state import State
from tests.registry.conftest import person
from tests.registry.test_importing import organisation
from tests.registry.test_intake import ALL_KINDS, carry_in


async def test_states_and_events_come_whole_in_small_pieces(registry, monkeypatch):
    monkeypatch.setattr(exporting, "_BATCH", 2)
    await carry_in(registry, ALL_KINDS)
    states = [record async for record in exporting.states(registry, organisation())]
    events = [record async for record in exporting.events(registry, organisation())]
    assert [bytes.fromhex(s["pseudonym"]) for s in states] == [r.pseudonym for r in await registry.state_rows(b"", 100)]
    assert [e["number"] for e in events] == [r.number for r in await registry.event_rows(0, 100)]
    assert {tuple(s) for s in states} == {STATE_COLUMNS}
    assert {tuple(e) for e in events} == {EVENT_COLUMNS}
    json.dumps([states, events])
    assert b"example" not in json.dumps([states, events]).encode()


async def test_a_state_is_shown_with_names_and_the_numbers_of_its_events(registry):
    await carry_in(registry, ALL_KINDS)
    states = {s["pseudonym"]: s async for s in exporting.states(registry, organisation())}
    bert = states[person("bert").exact.hex()]
    assert [(b["kind"], b["scope"]) for b in bert["blocks"]] == [("opt-out", "source:crm")]
    assert [r["scope"] for r in bert["returns"]] == ["list:nieuws"]
    dirk = states[person("dirk").exact.hex()]
    assert (dirk["enrolments"], dirk["publications"], dirk["minor"], dirk["origins"]) == (
        ["C1"],
        ["photo"],
        True,
        ["fair"],
    )
    events = {e["number"]: e async for e in exporting.events(registry, organisation())}
    assert events[bert["blocks"][0]["event"]]["kind"] == "opt-out"
    assert all(s["person"] in events for s in states.values())


def test_no_part_of_a_state_is_forgotten():
    fields = set(State.__dataclass_fields__)
    assert fields == set(STATE_COLUMNS) - {"pseudonym", "person"}
