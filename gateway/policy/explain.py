"""Decisions and classifications in words for people.

what:       one line per rule, the deciding one marked
takes→gives: `Decision`, `Classification` → lines of text
knows not:  how a decision is made, who it is about
fails by:   nothing; a rule without words shows its name
standard:   I-11
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.decision import Action, Classification, Decision, RuleTried

RULES: Mapping[str, str] = {
    "unclassified": "mail says what it is",
    "postmaster": "postmaster is always reached",
    "pair": "legal basis fits the stream",
    "erasure": "person was not erased",
    "restriction": "processing is not restricted",
    "complaint": "person did not complain about this mail",
    "bounce": "address exists",
    "manual": "no operator blocked the person",
    "opt-out": "person did not opt out of this mail",
    "marks": "mail carries the marks its stream asks for",
    "offer": "no offer where none belongs",
    "minor": "no marketing to a minor, and no consent of a minor, without the guardian",
    "sensitive": "sensitive mail has its own consent",
    "list-consent": "person agreed to this list",
    "topic-request": "person asked about this topic",
    "enrolment": "person takes part in what this is about",
    "reference": "mail belongs to an order, subscription or training",
    "research-consent": "person agreed to research",
    "ready": "information is current and concrete",
    "soft-opt-in": "person bought or subscribed to something similar, and the term is not over",
    "once": "person was not told of this before",
    "segment": "person agreed to profiling",
    "share": "data goes to the third party of the person's own order",
    "publication": "everybody shown agreed to that",
    "probe": "the opt-out works",
    "observed": "what is missing is only reported, for now",
    "basis": "nothing more is asked for this stream",
    "tracking": "individual links",
}

_HEADS: Mapping[Action, str] = {
    Action.DELIVER: "deliver",
    Action.REFUSE: "refuse",
    Action.HOLD: "hold",
}


def explain(decision: Decision) -> list[str]:
    """The outcome, then each rule tried in order; `→` marks the one that decided."""
    head = f"{_HEADS[decision.action]} ({decision.variant}), decided by {decision.rule}: {decision.fact}"
    lines = [head, *(_line(tried) for tried in decision.tried)]
    if decision.reply:
        lines.append(f"  reply: {decision.reply}")
    return lines


def explain_classification(classification: Classification) -> list[str]:
    """What the mail said it is: stream, entry and every mark that was given."""
    marks = {k: v for k, v in classification.to_json().items() if k not in ("stream", "entry", "why")}
    entry = f" by classify entry {classification.entry}" if classification.entry else ""
    lines = [f"stream {classification.stream}{entry}"]
    lines += [f"  {name.replace('_', '-')}: {_plain(value)}" for name, value in marks.items()]
    if classification.why:
        lines.append(f"  why: {classification.why}")
    return lines


def _line(tried: RuleTried) -> str:
    words = RULES.get(tried.rule, tried.rule)
    return f"  {'→' if tried.decided else ' '} {tried.rule} ({words}): {tried.fact}"


def _plain(value: object) -> str:
    return "yes" if value is True else str(value)
