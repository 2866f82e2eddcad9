"""One person's status, from facts alone."""

from __future__ import annotations

from gateway.admin.status import status
from gateway.facts import NOBODY, Block, BlockKind, Consent, Facts, Scope, ScopeKind
from tests.house import organisation

HERE = organisation()
CRM = HERE.by_client["crm"]
ALL, NEWS, OLD = Scope(ScopeKind.EVERYTHING), Scope(ScopeKind.LIST, 7), Scope(ScopeKind.LIST, 8)


def blocked(kind: BlockKind, scope: Scope = ALL) -> Facts:
    return Facts(blocks=(Block(kind, scope, 1_800_000_000, 1),), known=True)


def test_nobody_is_unknown_and_nothing_is_blocked() -> None:
    found = status(4, HERE, CRM, NOBODY)
    assert (found.index, found.known, found.streams["newsletter"].blocked) == (4, False, False)


def test_only_streams_of_this_client_are_answered() -> None:
    assert set(status(0, HERE, HERE.by_client["office"], NOBODY).streams) == {"personal"}


def test_a_block_of_another_list_stops_no_stream_but_is_shown() -> None:
    found = status(0, HERE, CRM, blocked(BlockKind.OPT_OUT, OLD))
    assert (found.streams["newsletter"].blocked, found.blocks[0].scope) == (False, "list:old")


def test_an_objection_stops_the_stream_and_names_its_rule() -> None:
    found = status(0, HERE, CRM, blocked(BlockKind.OBJECTION, Scope(ScopeKind.MARKETING))).streams["newsletter"]
    assert (found.blocked, found.rule) == (True, "opt-out")


def test_restriction_and_erasure_have_words_of_their_own() -> None:
    assert status(0, HERE, CRM, blocked(BlockKind.RESTRICTION)).restricted
    assert status(0, HERE, CRM, blocked(BlockKind.ERASURE)).delete


def test_consents_and_requests_are_named() -> None:
    found = status(0, HERE, CRM, Facts(consents=(Consent(NEWS, 0, 1),), requests=frozenset({9}), known=True))
    assert (found.consents[0].scope, found.consents[0].since, found.requests) == ("list:news", "1970-01-01", ["9"])
