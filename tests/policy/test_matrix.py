"""Every reason, scope, stream and basis: what the program decides is what the policies promise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.config.load import load
from gateway.decision import Basis, Decision, Stream
from gateway.facts import BlockKind, Purpose, Scope, ScopeKind
from gateway.policy.matrix import ask, main, page, streams
from gateway.policy.scenes import KNOWN, SAID, Scene, agreed, blocked, given, scene, scopes
from tests.policy import promises
from tests.policy.promises import PAREL, PROMISES, REASONS, REZULTO

ROOT = Path(__file__).parents[2]
BOTH = {o.name: o for o in load(ROOT / "config" / "gateway.yaml").organisations}
PLACES = [(name, stream) for name, rules in BOTH.items() for stream in streams(rules)]


def outcome(made: Decision) -> tuple[str, str]:
    return str(made.action), made.rule


def scenes(name: str, stream: Stream) -> Iterator[tuple[str, Scene]]:
    for basis in Basis:
        yield str(basis), scene(BOTH[name], stream, basis)


def test_both_organisations_have_exactly_the_streams_that_are_promised() -> None:
    for name, rules in PROMISES.items():
        assert {str(s) for s in streams(BOTH[name])} == {stream for stream, _ in rules}
    assert Stream.POLICY_CHANGE not in BOTH[REZULTO].streams, "S-68: no such mail unless switched on"


@pytest.mark.parametrize(("name", "stream"), PLACES)
def test_s41_l08_a_stream_rests_on_its_own_bases_and_on_no_other(name: str, stream: Stream) -> None:
    rest = {basis for basis, asked in scenes(name, stream) if outcome(ask(agreed(asked)))[1] != "pair"}
    assert rest == {basis for kind, basis in PROMISES[name] if kind == stream}


@pytest.mark.parametrize(("name", "stream"), PLACES)
def test_each_reason_stops_as_far_as_its_scope_whatever_else_is_known(name: str, stream: Stream) -> None:
    """Reason × scope × basis × what is known: S-07, S-18..S-23, S-44, S-45, S-49, S-50, S-58, S-60, S-61, S-63."""
    wrong = []
    for basis, asked in scenes(name, stream):
        for state, known in KNOWN.items():
            person = known(asked)
            for reason in REASONS:
                for words, scope in scopes(asked).items():
                    made = outcome(ask(blocked(person, BlockKind(reason), scope)))
                    promised = promises.expected(name, stream, basis, state, reason, words)
                    if made != promised:
                        wrong.append((basis, state, reason, words, made, promised))
    assert wrong == []


@pytest.mark.parametrize(("name", "stream"), PLACES)
def test_queued_mail_is_stopped_by_the_same_reasons_and_held_by_a_restriction(name: str, stream: Stream) -> None:
    wrong = []
    for basis, asked in scenes(name, stream):
        for reason in REASONS:
            for words, scope in scopes(asked).items():
                made = outcome(ask(blocked(agreed(asked), BlockKind(reason), scope), queued=True))
                promised = promises.expected(name, stream, basis, "all of it", reason, words, queued=True)
                if made != promised:
                    wrong.append((basis, reason, words, made, promised))
    assert wrong == []


@pytest.mark.parametrize(("name", "stream"), PLACES)
@pytest.mark.parametrize("queued", [False, True])
def test_without_a_block_only_what_the_stream_asks_for_lets_mail_out(name: str, stream: Stream, queued: bool) -> None:
    for basis, asked in scenes(name, stream):
        for state, known in KNOWN.items():
            made = outcome(ask(known(asked), queued=queued))
            assert made == promises.expected(name, stream, basis, state, queued=queued), (basis, state)


@pytest.mark.parametrize(("name", "stream"), PLACES)
@pytest.mark.parametrize("words", SAID)
def test_what_a_mail_says_and_what_counts_beside(name: str, stream: Stream, words: str) -> None:
    """S-06..S-09, S-13, S-15, S-19, S-20, S-42, S-48, S-61; L-31; observe mode."""
    for basis, asked in scenes(name, stream):
        assert outcome(ask(SAID[words](asked))) == promises.said(name, stream, basis, words), basis


@pytest.mark.parametrize(("name", "stream"), PLACES)
def test_of_two_reasons_the_stronger_one_is_named(name: str, stream: Stream) -> None:
    everything = Scope(ScopeKind.EVERYTHING)
    asked = agreed(scene(BOTH[name], stream))
    for at, strong in enumerate(REASONS):
        for weak in REASONS[at:]:
            both = blocked(blocked(asked, BlockKind(weak), everything), BlockKind(strong), everything)
            rule = PROMISES[name][stream, str(asked.mail.basis)]
            go = ("deliver", rule.ground)
            assert outcome(ask(both)) == (
                go if stream in promises.ASKED_FOR else promises.blocked(strong, queued=False)
            )


TRACKING, LIST = Scope(ScopeKind.PURPOSE, Purpose.TRACKING), ScopeKind.LIST


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(("name", "stream"), PLACES)
def test_l33_s46_consent_to_the_newsletter_alone_never_lets_a_pixel_or_link_through(
    name: str, stream: Stream, strict: bool
) -> None:
    rules = BOTH[name].model_copy(update={"strict_tracking": strict})
    for basis in Basis:
        asked = agreed(scene(rules, stream, basis))
        listed = asked.person.consents
        tracked = (*listed, *given([TRACKING]))
        for consents, taken_back in ((listed, False), (tracked, False), (tracked, True), (listed, True)):
            person = replace(asked, person=replace(asked.person, consents=consents))
            person = blocked(person, BlockKind.WITHDRAWAL, TRACKING) if taken_back else person
            own = consents is tracked
            promised = (name, stream, basis) == (REZULTO, "newsletter", "consent") and not taken_back
            assert ask(person).variant.tracking is (promised and (own or not strict)), (basis, consents, taken_back)


def test_s44_how_an_address_came_here_never_changes_anything() -> None:
    for name, stream in PLACES:
        for basis, asked in scenes(name, stream):
            for state, known in KNOWN.items():
                person = known(asked)
                there = person.knowing(origins=frozenset({"contest", "account", "service"}))
                assert ask(there) == ask(person.knowing()), (name, stream, basis, state)


def test_l30_a_free_account_is_a_sale_only_where_the_organisation_says_so() -> None:
    narrow = BOTH[REZULTO]
    wide = narrow.model_copy(update={"free_account_is_sale": True})
    outcomes = [
        outcome(ask(KNOWN["free subscription runs"](scene(rules, Stream.NOTIFICATION, Basis.SOFT_OPT_IN))))
        for rules in (narrow, wide)
    ]
    assert outcomes == [("refuse", "soft-opt-in"), ("deliver", "soft-opt-in")]


def test_d07_one_organisation_ends_offers_after_two_years_and_the_other_never() -> None:
    years = [(BOTH[name].soft_opt_in_years, BOTH[name].free_account_is_sale) for name in (PAREL, REZULTO)]
    assert years == [("none", False), (2, False)]


def test_the_complete_page_is_current() -> None:
    """Renew with `scripts/generate-docs`."""
    assert (ROOT / "docs" / "decisions-full.md").read_text("utf-8") == page(BOTH.values())


def test_the_command_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(ROOT / "config") == 0
    assert capsys.readouterr().out == (ROOT / "docs" / "decisions-full.md").read_text("utf-8")


def test_every_stream_and_permitted_basis_has_its_three_tables() -> None:
    text = page(BOTH.values())
    bases = sum(len(rules) for rules in PROMISES.values())
    heads = ("| reason |", "| known |", "| the mail, or beside |")
    assert [text.count(head) for head in heads] == [bases] * 3
