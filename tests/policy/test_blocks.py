"""How far each scope reaches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.decision import Action, Stream
from gateway.facts import NOBODY, BlockKind, Purpose, Scope, ScopeKind
from gateway.policy.blocks import any_block, covers, reached_scopes
from gateway.policy.case import Case
from gateway.policy.circumstances import ORDINARY
from tests.policy.example import CATEGORY, MAIL, NEWS, NOW, ORGANISATION, SOURCE, TOPIC, blocked

ALL_KINDS = frozenset(ScopeKind)
FULL = replace(MAIL[Stream.NEWSLETTER], topic=TOPIC, category=CATEGORY)
CASE = Case(ORGANISATION, ORGANISATION.streams[Stream.NEWSLETTER], FULL, NOBODY, NOW, ORDINARY)

OWN = [
    Scope(ScopeKind.SOURCE, SOURCE),
    Scope(ScopeKind.LIST, NEWS),
    Scope(ScopeKind.TOPIC, TOPIC),
    Scope(ScopeKind.CATEGORY, CATEGORY),
]


@pytest.mark.parametrize("scope", [*OWN, Scope(ScopeKind.EVERYTHING), Scope(ScopeKind.MARKETING)])
def test_a_scope_covers_mail_that_carries_its_number(scope: Scope) -> None:
    assert covers(scope, CASE, ALL_KINDS)


@pytest.mark.parametrize("scope", OWN)
def test_another_number_of_the_same_kind_does_not(scope: Scope) -> None:
    assert not covers(Scope(scope.kind, scope.id + 1), CASE, ALL_KINDS)


@pytest.mark.parametrize("scope", OWN)
def test_a_kind_the_stream_does_not_listen_to_does_not(scope: Scope) -> None:
    assert not covers(scope, CASE, ALL_KINDS - {scope.kind})


def test_a_number_never_matches_mail_that_carries_none() -> None:
    bare = replace(CASE, classification=MAIL[Stream.PERSONAL])
    assert not any(covers(scope, bare, ALL_KINDS) for scope in OWN)


def test_marketing_and_everything_always_reach_marketing() -> None:
    deaf = replace(CASE, rule=CASE.rule.model_copy(update={"blocked_by": ()}))
    assert reached_scopes(deaf) == {ScopeKind.MARKETING, ScopeKind.EVERYTHING}


def test_an_offer_makes_any_mail_marketing() -> None:
    case = Case(ORGANISATION, ORGANISATION.streams[Stream.WEBSHOP], MAIL[Stream.WEBSHOP], NOBODY, NOW, ORDINARY)
    offer = replace(case, classification=replace(case.classification, offer="similar"))
    assert ScopeKind.MARKETING not in reached_scopes(case)
    assert ScopeKind.MARKETING in reached_scopes(offer)


def test_an_objection_to_profiling_stops_segmented_mail_only() -> None:
    facts = blocked(BlockKind.OBJECTION, ScopeKind.PURPOSE, Purpose.PROFILING)
    plain, tuned = replace(CASE, facts=facts), replace(CASE, facts=facts, classification=replace(FULL, segment="s"))
    assert any_block(plain) is None
    found = any_block(tuned)
    assert found is not None
    assert found.rule == "opt-out"


def test_missing_consent_is_no_block() -> None:
    assert any_block(CASE) is None


@pytest.mark.parametrize("kind", [kind for kind in BlockKind if kind is not BlockKind.RESTRICTION])
def test_i10_no_block_is_too_old(kind: BlockKind) -> None:
    case = replace(CASE, facts=blocked(kind, ScopeKind.LIST, NEWS), now=NOW + 100 * 365 * 86400)
    found = any_block(case)
    assert found is not None
    assert found.action is Action.REFUSE
