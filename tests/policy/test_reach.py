"""The early refusal at RCPT."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.config.organisation import Organisation
from gateway.decision import Action, Decision
from gateway.facts import NOBODY, BlockKind, Facts, ScopeKind
from gateway.policy.reach import blocked_everywhere
from gateway.reply import RESTRICTED
from tests.policy.example import AGREED, NEWS, ORGANISATION, SETTINGS, SOURCE, blocked, organisation


def reach(facts: Facts, client: str = "crm", where: Organisation = ORGANISATION) -> Decision | None:
    return blocked_everywhere(where, where.by_client[client], facts)


def entries(*more: dict[str, Any]) -> Organisation:
    return organisation(classify=[*SETTINGS["classify"], *more])


@pytest.mark.parametrize("facts", [NOBODY, AGREED])
def test_nobody_is_refused_without_a_block(facts: Facts) -> None:
    assert reach(facts) is None


@pytest.mark.parametrize("client", ["crm", "winkel", "kantoor"])
@pytest.mark.parametrize("kind", [BlockKind.ERASURE, BlockKind.RESTRICTION, BlockKind.BOUNCE])
def test_who_can_get_nothing_is_refused_for_every_client(client: str, kind: BlockKind) -> None:
    made = reach(blocked(kind, ScopeKind.EVERYTHING), client)
    assert made is not None
    assert (made.action, made.rule) == (Action.REFUSE, kind.value)


def test_restriction_has_its_own_text() -> None:
    made = reach(blocked(BlockKind.RESTRICTION, ScopeKind.EVERYTHING))
    assert made is not None
    assert made.reply == RESTRICTED


def test_one_open_stream_is_enough_to_accept() -> None:
    facts = blocked(BlockKind.OPT_OUT, ScopeKind.SOURCE, SOURCE)
    assert reach(facts) is None  # research does not listen to this scope
    without_research = organisation(classify=[e for e in SETTINGS["classify"] if e["name"] != "survey"])
    assert reach(facts, where=without_research) is not None
    assert reach(facts, "winkel", without_research) is None


def test_a_list_opt_out_refuses_only_a_client_that_sends_nothing_else() -> None:
    facts = blocked(BlockKind.OPT_OUT, ScopeKind.LIST, NEWS)
    one_list = {"name": "n", "when": {"client": "crm"}, "stream": "newsletter", "list": "nieuws"}
    any_list = {"name": "n", "when": {"client": "crm"}, "stream": "newsletter"}
    assert reach(facts, where=organisation(classify=[one_list])) is not None
    assert reach(facts, where=organisation(classify=[any_list])) is None


def test_an_entry_for_every_client_counts() -> None:
    facts = blocked(BlockKind.OBJECTION, ScopeKind.MARKETING)
    only_news = {"name": "n", "when": {"client": "crm"}, "stream": "newsletter"}
    anyone = {"name": "p", "when": {}, "stream": "personal"}
    assert reach(facts, where=organisation(classify=[only_news])) is not None
    assert reach(facts, where=organisation(classify=[only_news, anyone])) is None


def test_every_permitted_basis_is_looked_at() -> None:
    # a webshop mail on contract is no marketing, so the objection does not close the stream
    facts = blocked(BlockKind.OBJECTION, ScopeKind.MARKETING)
    assert reach(facts, "winkel") is None
    narrowed = {"name": "o", "when": {"client": "winkel"}, "stream": "notification", "basis": "soft_opt_in"}
    assert reach(facts, "winkel", organisation(classify=[narrowed])) is not None


def test_a_client_that_may_answer_requests_is_never_refused_early() -> None:
    facts = blocked(BlockKind.ERASURE, ScopeKind.EVERYTHING)
    answers = {"name": "r", "when": {"client": "crm"}, "stream": "rights"}
    assert reach(facts, where=entries(answers)) is None


def test_a_client_without_streams_is_left_to_classification() -> None:
    facts = blocked(BlockKind.ERASURE, ScopeKind.EVERYTHING)
    assert reach(facts, where=organisation(classify=[])) is None


def test_the_persons_language_is_kept() -> None:
    facts = replace(blocked(BlockKind.ERASURE, ScopeKind.EVERYTHING), language="en")
    made = reach(facts)
    assert made is not None
    assert made.variant.language == "en"
