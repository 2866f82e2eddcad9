"""Photos of people who did not agree, and mail whose opt-out does not work: held, not lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.decision import Action, Decision, Stream
from gateway.facts import NOBODY, BlockKind, Facts, ScopeKind
from gateway.policy.circumstances import ORDINARY
from gateway.policy.decide import decide
from tests.policy.example import AGREED, MAIL, NOW, ORGANISATION, blocked

PHOTOS = replace(MAIL[Stream.NEWSLETTER], publication="P-1,P-2")


def shown(published: set[str], facts: Facts = AGREED, **around: Any) -> Decision:
    beside = replace(ORDINARY, published=frozenset(published), **around)
    return decide(ORGANISATION, PHOTOS, facts, now=NOW, around=beside)


def test_s09_everybody_shown_must_have_agreed() -> None:
    assert shown({"P-1", "P-2"}).action is Action.DELIVER
    made = shown({"P-1"})
    assert (made.action, made.rule, made.fact) == (
        Action.HOLD, "publication", "publication consent P-2 is not in force",
    )  # fmt: skip


def test_s09_a_photo_without_an_id_is_held() -> None:
    mail = replace(PHOTOS, publication="yes")
    made = decide(ORGANISATION, mail, AGREED, now=NOW, around=replace(ORDINARY, published=frozenset({"yes"})))
    assert (made.action, made.fact) == (Action.HOLD, "id of the publication consent missing")


def test_s09_an_operators_release_sends_it_and_no_further_than_that() -> None:
    assert shown(set(), released=True).action is Action.DELIVER
    assert shown(set(), NOBODY, released=True).rule == "list-consent"
    assert shown(set(), blocked(BlockKind.OPT_OUT, ScopeKind.MARKETING), released=True).rule == "opt-out"


def test_only_what_would_go_out_otherwise_is_held() -> None:
    assert shown(set(), NOBODY).action is Action.REFUSE


@pytest.mark.parametrize("stream", sorted(MAIL))
def test_l31_mail_with_a_link_waits_while_the_opt_out_does_not_work(stream: Stream) -> None:
    broken = replace(ORDINARY, opt_out_works=False)
    made = decide(ORGANISATION, MAIL[stream], AGREED, now=NOW, around=broken)
    if ORGANISATION.streams[stream].opt_out.scope is None:
        assert made.action is Action.DELIVER
    else:
        assert (made.action, made.rule, made.fact) == (Action.HOLD, "probe", "the opt-out does not work")
        released = replace(broken, released=True)
        assert decide(ORGANISATION, MAIL[stream], AGREED, now=NOW, around=released).rule == "probe"
