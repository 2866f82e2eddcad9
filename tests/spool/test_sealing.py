"""Message keys and what they are bound to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.spool.sealing import MessageSeal, SealBroken, ServiceKeys, new_key

_JSON = st.dictionaries(st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=2000), _JSON, st.integers(0, 10**6))
def test_what_was_sealed_opens_again(body: bytes, values: dict[str, object], number: int) -> None:
    seal = MessageSeal("m1", new_key())
    assert seal.open_body(seal.body(body)) == body
    assert seal.open_values(seal.values(values)) == values
    assert seal.open_row(number, seal.row(number, values)) == values


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_one_changed_octet_is_noticed(data: st.DataObject) -> None:
    seal = MessageSeal("m1", new_key())
    sealed = bytearray(seal.row(0, {"a": "b"}))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBroken):
        seal.open_row(0, bytes(sealed))


def test_a_seal_is_bound_to_message_kind_and_row() -> None:
    key = new_key()
    seal, other = MessageSeal("m1", key), MessageSeal("m2", key)
    with pytest.raises(SealBroken):
        other.open_body(seal.body(b"text"))
    with pytest.raises(SealBroken):
        seal.open_row(1, seal.row(0, {}))
    with pytest.raises(SealBroken):
        seal.open_values(seal.body(b"{}"))
    with pytest.raises(SealBroken):
        seal.open_row(0, b"short")


def test_row_values_sealed_twice_never_share_a_nonce() -> None:
    seal = MessageSeal("m1", new_key())
    nonces = {seal.row(0, {"a": 1})[:12] for _ in range(100)}
    assert len(nonces) == 100
    assert {nonce[:1] for nonce in nonces} == {b"\x02"}, "the kinds body (0) and message (1) keep nonces of their own"


def test_the_highest_service_key_wraps_and_all_unwrap() -> None:
    key = new_key()
    old, both = ServiceKeys({1: b"a" * 32}), ServiceKeys({1: b"a" * 32, 2: b"b" * 32})
    assert both.newest == 2
    assert both.unwrap("m1", 1, old.wrap("m1", key)) == key
    assert both.unwrap("m1", 2, both.wrap("m1", key)) == key
    with pytest.raises(SealBroken):
        old.unwrap("m1", 2, both.wrap("m1", key))
    with pytest.raises(SealBroken):
        both.unwrap("m2", 2, both.wrap("m1", key))


@pytest.mark.parametrize("keys", [{}, {0: b"a" * 32}, {1: b"short"}])
def test_service_keys_that_cannot_be_right_are_refused(keys: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="spool keys"):
        ServiceKeys(keys)


def test_key_checks_tell_keys_apart_without_telling_them() -> None:
    checks = ServiceKeys({1: b"a" * 32, 2: b"b" * 32}).checks
    assert checks[1] != checks[2]
    assert b"aaaa" not in checks[1]
