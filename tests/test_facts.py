"""Scopes and facts as values."""

from __future__ import annotations

import pytest

from gateway.facts import NOBODY, BlockKind, Consent, Facts, Purpose, Scope, ScopeKind


def test_numbers_in_tokens_and_journals_never_change() -> None:
    assert {k.name: k.value for k in ScopeKind} == {
        "EVERYTHING": 0,
        "MARKETING": 1,
        "SOURCE": 2,
        "LIST": 3,
        "TOPIC": 4,
        "CATEGORY": 5,
        "PURPOSE": 6,
    }
    assert {p.name: p.value for p in Purpose} == {
        "TRACKING": 1,
        "RESEARCH": 2,
        "PROFILING": 3,
        "IDENTIFIED": 4,
        "OFFERS": 5,
    }


def test_names_of_blocks_never_change() -> None:
    assert {k.value for k in BlockKind} == {
        "opt-out",
        "withdrawal",
        "objection",
        "restriction",
        "erasure",
        "complaint",
        "bounce",
        "manual",
    }


@pytest.mark.parametrize("number", [-1, 2**32])
def test_a_scope_number_fits_the_token(number: int) -> None:
    with pytest.raises(ValueError, match="scope id"):
        Scope(ScopeKind.LIST, number)


def test_a_scope_is_written_with_its_number() -> None:
    assert str(Scope(ScopeKind.LIST, 11)) == "list:11"
    assert str(Scope(ScopeKind.MARKETING)) == "marketing"


def test_consent_is_to_exactly_one_scope() -> None:
    given = Consent(Scope(ScopeKind.LIST, 11), at=1, event=1)
    facts = Facts(consents=(given,))
    assert facts.consents_to(Scope(ScopeKind.LIST, 11)) is given
    assert facts.consents_to(Scope(ScopeKind.LIST, 12)) is None
    assert facts.consents_to(Scope(ScopeKind.TOPIC, 11)) is None


def test_nobody_agreed_to_nothing_and_is_blocked_by_nothing() -> None:
    assert Facts() == NOBODY
    assert not NOBODY.known
    assert not NOBODY.blocks
    assert not NOBODY.consents
