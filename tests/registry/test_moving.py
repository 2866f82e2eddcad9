"""Joining two addresses of one person: no block is lost, and no consent survives that a refusal may reach."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import Block, BlockKind, Consent, Scope, ScopeKind, Subscription
from gateway.registry.events import REFUSALS, InvalidEvent, may_reach
from gateway.registry.folding import event_row, stored_event
from gateway.registry.moving import merged, move
from gateway.registry.protocol import EventKind, StateRow
from gateway.registry.state import EMPTY, State, pack, unpack
from tests.registry.conftest import LIST, MARKETING, OPERATOR, OTHER_LIST, SOURCE, person

TOPIC = Scope(ScopeKind.TOPIC, 5)
EVERYTHING = Scope(ScopeKind.EVERYTHING)
scopes = st.sampled_from([LIST, OTHER_LIST, MARKETING, SOURCE, TOPIC, EVERYTHING])
living = st.sampled_from([k for k in BlockKind if k is not BlockKind.ERASURE])
numbers = st.integers(1, 50)
blocks = st.lists(st.builds(Block, living, scopes, numbers, numbers), max_size=4).map(tuple)
consents = st.lists(st.builds(Consent, scopes, numbers, numbers), max_size=3, unique_by=lambda c: c.scope).map(tuple)
sides = st.builds(State, blocks=blocks, consents=consents, minor=st.booleans(), guardian=st.booleans())


def reach(state: State) -> set[tuple[BlockKind, Scope]]:
    return {(b.kind, b.scope) for b in state.blocks}


@settings(deadline=None, max_examples=300)
@given(sides, sides, blocks, blocks)
def test_joining_keeps_every_block_and_no_refused_consent(old, new, old_wide, new_wide):
    found = merged(old, new, (*old.blocks, *old_wide), (*new.blocks, *new_wide))
    assert reach(found) == reach(old) | reach(new)
    for side, others in ((old, (*new.blocks, *new_wide)), (new, (*old.blocks, *old_wide))):
        refused = [b for b in others if b.kind in REFUSALS]
        for consent in side.consents:
            if any(may_reach(b.scope, consent.scope) for b in refused):
                assert consent not in found.consents or consent in (new if side is old else old).consents
    assert {c.scope for c in found.consents} <= {c.scope for c in (*old.consents, *new.consents)}
    assert len({c.scope for c in found.consents}) == len(found.consents)
    assert found.minor == (old.minor or new.minor)


def test_a_guardian_of_one_minor_speaks_for_no_other():
    alone, minded = State(minor=True), State(minor=True, guardian=True)
    assert not merged(alone, minded, (), ()).guardian
    assert merged(minded, minded, (), ()).guardian
    assert merged(EMPTY, minded, (), ()).guardian


def test_the_subscription_that_runs_longest_counts():
    ended, running = State(subscriptions=(Subscription(1, 50),)), State(subscriptions=(Subscription(1, None),))
    later = State(subscriptions=(Subscription(1, 60, free=True),))
    assert merged(ended, running, (), ()).subscriptions == running.subscriptions
    assert merged(running, ended, (), ()).subscriptions == running.subscriptions
    assert merged(ended, later, (), ()).subscriptions == later.subscriptions


def test_both_keep_their_numbers_and_what_is_new_is_numbered_behind_all():
    anna, bert = person("anna"), person("bert")
    rows = {
        anna.exact: StateRow(anna.exact, 4, 0, pack(State(blocks=(Block(BlockKind.OPT_OUT, LIST, 10, 6),)))),
        bert.exact: StateRow(bert.exact, 5, 0, pack(State(enrolments=frozenset({"t"})))),
    }
    done = move(rows, anna, bert, 900, OPERATOR, 20, 0)
    assert done.refiled == (4, 5)
    assert [(r.number, r.kind, r.person) for r in done.folded.events] == [
        (21, "opt-out", 5),
        (22, "rectified", 5),
        (23, "manual", 23),
    ]
    assert (done.number, done.folded.last) == (22, 23)
    by_person = {r.person: unpack(r.data) for r in done.folded.states}
    assert by_person[5].enrolments == {"t"}
    assert reach(by_person[23]) == {(BlockKind.OPT_OUT, LIST), (BlockKind.MANUAL, EVERYTHING)}
    assert {(e.kind, e.person.exact, e.scope) for e in done.blocks} == {
        (EventKind.OPT_OUT, bert.exact, LIST),
        (EventKind.MANUAL, anna.exact, EVERYTHING),
    }
    moved = stored_event(bert, done.folded.events[0])
    assert (moved.at, moved.evidence.actor, event_row(21, 5, moved)) == (10, "system", done.folded.events[0])


def test_an_address_is_not_moved_to_itself():
    with pytest.raises(InvalidEvent, match="same"):
        move({}, person(), person(), 1, OPERATOR, 0, 0)
