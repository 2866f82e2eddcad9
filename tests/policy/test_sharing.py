"""S-13: data of a person goes to the third party of that person's order, and to nobody else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.address import Address
from gateway.decision import Action, Decision, Stream
from gateway.facts import NOBODY, Block, BlockKind, Facts, Scope, ScopeKind
from gateway.policy.circumstances import ORDINARY
from gateway.policy.decide import decide
from gateway.policy.sharing import belongs, ledger_entry, strangers
from tests.policy.example import MAIL, NOW, ORGANISATION

NAME = "aanbieder-3"
ORDER = replace(MAIL[Stream.WEBSHOP], shared_with=NAME, about="C-1", reference="B-1")
BUYER = Facts(third_parties=frozenset({("B-1", NAME)}), known=True)


def shared(about: Facts | None = BUYER, **around: Any) -> Decision:
    marks = {k: around.pop(k) for k in ("shared_with", "about_mark", "reference") if k in around}
    mail = replace(ORDER, **{"about" if k == "about_mark" else k: v for k, v in marks.items()})
    beside = replace(ORDINARY, about=about, **around)
    return decide(ORGANISATION, mail, NOBODY, now=NOW, around=beside)


def held_for(made: Decision) -> str:
    assert (made.action, made.rule) == (Action.HOLD, "share")
    return made.fact


def test_s13_the_third_party_of_the_order_gets_it() -> None:
    made = shared()
    assert made.action is Action.DELIVER
    assert ("share", f"data goes to {NAME} for the order") in {(t.rule, t.fact) for t in made.tried}


def test_s13_another_third_party_does_not() -> None:
    assert held_for(shared(replace(BUYER, third_parties=frozenset({("B-1", "other")})))).startswith(
        "the mail's reference"
    )
    assert held_for(shared(reference="B-2")).startswith("the mail's reference")


def test_s13_without_an_order_a_known_person_and_the_right_recipients_will_do() -> None:
    assert shared(reference="").action is Action.DELIVER


def test_s13_nobody_else_may_be_among_the_recipients() -> None:
    assert held_for(shared(strangers=2)) == f"2 of the recipients are not of third party {NAME}"


def test_s13_whom_it_is_about_must_be_said_and_known() -> None:
    assert held_for(shared(about_mark="")) == "mark Briefgeheim-About missing"
    assert held_for(shared(about=None)) == "nobody is known by the contact in Briefgeheim-About"


def test_s27_a_third_party_that_left_the_settings_gets_nothing_that_waits() -> None:
    assert held_for(shared(shared_with="former")) == "third party is not in the settings"


@pytest.mark.parametrize("kind", [BlockKind.RESTRICTION, BlockKind.ERASURE])
def test_s63_nothing_of_a_restricted_or_erased_person_is_shared(kind: BlockKind) -> None:
    frozen = replace(BUYER, blocks=(Block(kind, Scope(ScopeKind.EVERYTHING), NOW, 1),))
    assert held_for(shared(frozen)) == "processing of that person's data is restricted"


def test_an_opt_out_of_mail_does_not_stop_the_order() -> None:
    opted_out = replace(BUYER, blocks=(Block(BlockKind.OPT_OUT, Scope(ScopeKind.MARKETING), NOW, 1),))
    assert shared(opted_out).action is Action.DELIVER


def test_an_operator_may_let_it_go() -> None:
    assert shared(about=None, released=True).action is Action.DELIVER


def test_who_belongs_to_a_third_party() -> None:
    party = ORGANISATION.by_third_party[NAME]
    inside = ["cursus@aanbieder.example", "Cursus@Aanbieder.Example", "anybody@aanbieder3.example"]
    outside = ["other@aanbieder.example", "x@sub.aanbieder3.example", "x@other.example"]
    assert [belongs(party, Address.parse(a)) for a in inside + outside] == [True] * 3 + [False] * 3
    assert strangers(ORGANISATION, ORDER, [Address.parse(a) for a in inside + outside]) == 3
    assert strangers(ORGANISATION, replace(ORDER, shared_with="former"), [Address.parse(inside[0])]) == 1
    assert strangers(ORGANISATION, MAIL[Stream.WEBSHOP], [Address.parse(outside[0])]) == 0


def test_the_ledger_keeps_who_got_it_by_which_mail_and_why() -> None:
    assert ledger_entry(ORDER, "m1") == {"third_party": NAME, "message": "m1", "purpose": "order"}
