"""Names of keys and forms of values in Redis."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.crc import key_slot

from gateway.config.store import Store
from gateway.registry.protocol import Act, EventRow, StateRow
from gateway.registry.redis_keys import (
    BUCKETS,
    Keys,
    bucket_of,
    data_of,
    field_of,
    pack_act,
    pack_event,
    pack_state,
    pseudonym_of,
    split_names,
    unpack_act,
    unpack_event,
    unpack_numbers,
    unpack_state,
)
from gateway.registry.redis_primary import Reach
from gateway.registry.state import Unreadable

KEYS = Keys(Reach(Store(prefix="bg"), "school").tag)
pseudonyms = st.binary(min_size=32, max_size=32)
texts = st.text(max_size=20)


@settings(max_examples=200, deadline=None)
@given(pseudonyms)
def test_a_bucket_and_a_field_name_one_pseudonym(pseudonym):
    bucket = bucket_of(pseudonym)
    assert 0 <= bucket < BUCKETS
    assert pseudonym_of(bucket, field_of(pseudonym)) == pseudonym
    assert KEYS.bucket(pseudonym) == KEYS.bucket_number(bucket) == KEYS.buckets([pseudonym])[0]


@settings(max_examples=100, deadline=None)
@given(pseudonyms, pseudonyms)
def test_buckets_are_in_the_order_of_pseudonyms(one, other):
    assert (bucket_of(one) <= bucket_of(other)) or one > other


def test_i12_all_keys_of_an_organisation_are_in_one_slot_and_begin_with_its_name():
    names = [KEYS.identity, KEYS.nodes, KEYS.map, KEYS.turn, KEYS.acts, KEYS.returns, KEYS.bucket(b"x" * 32)]
    names += [KEYS.events(7), KEYS.names(7), KEYS.numbers(7), KEYS.contacts("crm\x1f7"), KEYS.kinds("consent")]
    assert len({key_slot(name.encode()) for name in names}) == 1
    assert all(name.startswith("{bg:school}:") for name in names)
    assert len(set(names)) == len(names)


@settings(max_examples=200, deadline=None)
@given(pseudonyms, st.integers(1, 2**40), st.integers(0, 5))
def test_a_state_row_comes_back(pseudonym, person, layer):
    row = StateRow(pseudonym, person, layer, '{"l":"nl"}')
    packed = pack_state(row).encode()
    assert unpack_state(pseudonym, packed) == row
    assert data_of(packed) == row.data


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 2**40), st.none() | st.integers(0, 6), texts, texts, texts, texts, st.none() | texts.filter(bool))
def test_an_event_row_comes_back(number, scope, actor, channel, wording, proof, detail):
    row = EventRow(number, 3, 1_000, "consent", scope, scope, actor, channel, wording, proof, detail)
    assert unpack_event(number, pack_event(row).encode()) == row


def test_an_act_comes_back_without_its_person():
    act = Act(5, "jan", "by phone", "show")
    assert unpack_act(pack_act(act).encode()) == act


@pytest.mark.parametrize("value", [b"", b"x:0:{}", b"1:x:{}", b"[]"])
def test_what_is_no_row_is_not_read_as_one(value):
    with pytest.raises(Unreadable):
        unpack_state(b"x" * 32, value)
    with pytest.raises(Unreadable):
        unpack_event(1, value)


def test_lists_in_values():
    assert unpack_numbers(b"3,17") == [3, 17]
    assert unpack_numbers(None) == []
    assert split_names(b"a" * 32 + b"b" * 32) == [b"a" * 32, b"b" * 32]
    assert split_names(None) == []
