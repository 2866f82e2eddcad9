"""Lines for people."""

from __future__ import annotations

from dataclasses import replace

from gateway.decision import Classification, Stream
from gateway.facts import NOBODY, BlockKind, Facts, ScopeKind
from gateway.policy.circumstances import ORDINARY, Observed
from gateway.policy.decide import decide
from gateway.policy.explain import RULES, explain, explain_classification
from tests.policy.example import AGREED, MAIL, NOW, ORGANISATION, blocked


def test_every_rule_tried_has_a_line_and_one_is_marked() -> None:
    made = decide(ORGANISATION, MAIL[Stream.NEWSLETTER], AGREED, now=NOW, around=ORDINARY)
    lines = explain(made)
    assert lines[0] == "deliver (nl/untracked), decided by list-consent: consent list:11"
    assert len(lines) == 1 + len(made.tried)
    assert [line.split()[1] for line in lines if "→" in line] == ["list-consent"]


def test_a_refusal_ends_with_the_reply() -> None:
    made = decide(ORGANISATION, MAIL[Stream.NEWSLETTER], NOBODY, now=NOW, around=ORDINARY)
    assert explain(made)[-1] == "  reply: 550 5.7.1 Refused by policy: consent list:11 missing"


def test_every_rule_has_words() -> None:
    seen = set()
    for mail in (*MAIL.values(), Classification(Stream.UNCLASSIFIED, why="x")):
        soft = replace(mail, offer="related", segment="s", sensitive=True, reference="K-1")
        for asked in (mail, soft):
            for postmaster in (False, True):
                for facts in (AGREED, NOBODY, Facts(minor=True), blocked(BlockKind.ERASURE, ScopeKind.EVERYTHING)):
                    for around in (ORDINARY, replace(ORDINARY, observed=Observed.NOW)):
                        made = decide(ORGANISATION, asked, facts, now=NOW, around=around, postmaster=postmaster)
                        seen |= {t.rule for t in made.tried}
    assert seen == set(RULES)


def test_a_classification_shows_its_marks_and_what_was_wrong() -> None:
    assert explain_classification(MAIL[Stream.NOTIFICATION]) == [
        "stream notification",
        "  source: 5",
        "  topic: 21",
        "  ready: yes",
    ]
    lines = explain_classification(Classification(Stream.UNCLASSIFIED, entry="news", why="stream twice"))
    assert lines == ["stream unclassified by classify entry news", "  why: stream twice"]
