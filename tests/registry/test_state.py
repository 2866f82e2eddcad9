"""The stored form of a state: small, whole, and refused when it is not understood."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import (
    NOBODY,
    Block,
    BlockKind,
    Consent,
    Facts,
    Purchase,
    Retained,
    Scope,
    ScopeKind,
    Subscription,
)
from gateway.registry import state as state_module
from gateway.registry.state import EMPTY, Contact, State, Unreadable, facts, joined, known, pack, unpack

ids = st.integers(0, 2**32 - 1)
times = st.integers(0, 2**37 - 1)
numbers = st.integers(1, 2**40)
texts = st.text(max_size=12)
names = st.frozensets(texts, max_size=3)
scopes = st.builds(Scope, st.sampled_from(ScopeKind), ids)
consents = st.builds(Consent, scopes, times, numbers)
topics = st.builds(Consent, st.builds(Scope, st.just(ScopeKind.TOPIC), ids), times, numbers)
blocks = st.builds(Block, st.sampled_from(BlockKind), scopes, times, numbers)


def several(of: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(of, max_size=3).map(tuple)


states = st.builds(
    State,
    blocks=several(blocks),
    consents=several(consents),
    requests=several(topics),
    enrolments=names,
    contracts=names,
    purchases=several(st.builds(Purchase, ids, st.booleans(), times)),
    subscriptions=several(st.builds(Subscription, ids, st.none() | times, st.booleans())),
    publications=names,
    minor=st.booleans(),
    guardian=st.booleans(),
    language=texts,
    contacts=several(st.builds(Contact, texts, texts, numbers)),
    origins=names,
    announced=names,
    third_parties=st.frozensets(st.tuples(texts, texts), max_size=3),
    retained=several(st.builds(Retained, texts, texts, times)),
    returns=several(consents),
)


@settings(deadline=None, max_examples=200)
@given(states)
def test_a_state_comes_back_as_it_was_packed(state):
    assert unpack(pack(state)) == state


@settings(deadline=None, max_examples=200)
@given(states)
def test_the_short_way_to_facts_tells_the_same_as_the_long_one(state):
    assert known(pack(state)) == facts(state, None)


@settings(deadline=None, max_examples=100)
@given(st.none() | states, st.none() | states, several(blocks))
def test_facts_are_joined_as_states_are(exact, wide, pending):
    own, shared = (None if s is None else facts(s, None) for s in (exact, wide))
    assert joined(own, shared, pending) == facts(exact, wide, pending)


def test_every_field_of_a_state_is_stored():
    assert set(State.__dataclass_fields__) == set(state_module._FIELDS.values())


@pytest.mark.parametrize(
    "stored",
    [
        '{"b":[[2,1,0,5,1]],"z":1}',
        '{"bb":[]}',
        "",
        "[]",
        "null",
        "{}{}",
        '{"b":[[2,1,0,5]]}',
        '{"b":[[99,1,0,5,1]]}',
        '{"b":[[2,77,0,5,1]]}',
        '{"b":5}',
        '{"c":[[3,-1,0,5]]}',
        '{"p":[[1,2]]}',
    ],
)
@pytest.mark.parametrize("read", [unpack, known])
def test_what_is_not_understood_is_an_error_and_never_left_out(stored, read):
    with pytest.raises(Unreadable):
        read(stored)


def test_the_error_does_not_repeat_what_was_stored():
    with pytest.raises(Unreadable) as error:
        unpack('{"secret-contact":1}')
    assert "secret" not in str(error.value)


def test_the_stored_form_is_small():
    consent = Consent(Scope(ScopeKind.LIST, 3), 1_700_000_000, 1_000_000)
    assert len(pack(State(consents=(consent,)))) < 40
    assert pack(EMPTY) == "{}"


def test_nobody_found_is_nobody():
    assert facts(None, None) == NOBODY == joined(None, None, ())
    assert not facts(None, None).known
    assert facts(EMPTY, None) == Facts(known=True)
