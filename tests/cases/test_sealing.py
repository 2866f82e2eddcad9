"""Seals fit what they were made for, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cases.sealing import CaseKeys, SealBroken

KEYS = CaseKeys("school", {1: b"a" * 32, 3: b"b" * 32})


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=2000))
def test_what_was_closed_opens_under_its_kind_and_owner_only(plain: bytes) -> None:
    wrapped, seal = KEYS.new("case 1")
    sealed = seal.close("content", plain)
    assert KEYS.seal("case 1", wrapped).open("content", sealed) == plain
    with pytest.raises(SealBroken):
        seal.open("paper", sealed)
    with pytest.raises(SealBroken):
        KEYS.seal("case 2", wrapped)


def test_the_newest_key_wraps_and_again_brings_an_older_one_under_it() -> None:
    old = CaseKeys("school", {1: b"a" * 32})
    wrapped, seal = old.new("case 1")
    again = KEYS.again("case 1", wrapped)
    assert (wrapped.key_id, again.key_id) == (1, 3)
    assert KEYS.seal("case 1", again).open("content", seal.close("content", b"x")) == b"x"


def test_another_organisation_cannot_unwrap_with_the_same_key() -> None:
    wrapped, _ = KEYS.new("case 1")
    with pytest.raises(SealBroken, match="does not fit"):
        CaseKeys("shop", {3: b"b" * 32}).seal("case 1", wrapped)


def test_a_missing_key_is_named_by_its_id() -> None:
    wrapped, _ = KEYS.new("case 1")
    with pytest.raises(SealBroken, match="key 3"):
        CaseKeys("school", {1: b"a" * 32}).seal("case 1", wrapped)


@pytest.mark.parametrize("sealed", [b"", b"x", b"y" * 40])
def test_octets_that_are_no_seal_are_refused_without_being_shown(sealed: bytes) -> None:
    _, seal = KEYS.new("case 1")
    with pytest.raises(SealBroken, match="content of case 1"):
        seal.open("content", sealed)


@pytest.mark.parametrize("keys", [{}, {0: b"a" * 32}, {1: b"short"}])
def test_keys_that_are_none_are_refused(keys: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="case keys"):
        CaseKeys("school", keys)
