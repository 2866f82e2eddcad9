"""Checks of stream rules: legal basis, opt-out, what stops what, and the texts for it.

takes→gives: `Organisation` → findings (place, "what is wrong, what is expected")
knows not:  messages, people
standard:   S-21, S-41, S-46, S-51, S-54, S-61; L-08, L-28, L-29; REQUIREMENTS 1c
"""

from __future__ import annotations

import string
from collections.abc import Iterator

from gateway.config.opt_out import ScopeName
from gateway.config.organisation import Organisation, StreamRule
from gateway.config.source import Loc
from gateway.decision import Basis, Stream

Finding = tuple[Loc, str]

_B = Basis

# S-41: the fixed table of stream and basis. A newsletter is consent alone (S-45); soft opt-in is for offers of a kind
# somebody bought, which travel as notifications (L-28, S-49).
BASES: dict[Stream, frozenset[Basis]] = {
    Stream.NEWSLETTER: frozenset({_B.CONSENT}),
    Stream.NOTIFICATION: frozenset({_B.CONSENT, _B.SOFT_OPT_IN}),
    Stream.PARTICIPATION: frozenset({_B.CONTRACT, _B.LEGITIMATE_INTEREST}),
    Stream.INFORMATIONAL: frozenset({_B.CONTRACT, _B.LEGITIMATE_INTEREST, _B.LEGAL}),
    Stream.WEBSHOP: frozenset({_B.CONTRACT, _B.LEGAL}),
    Stream.RESEARCH: frozenset({_B.CONSENT}),
    Stream.POLICY_CHANGE: frozenset({_B.LEGAL, _B.LEGITIMATE_INTEREST, _B.CONTRACT}),
    Stream.RIGHTS: frozenset({_B.LEGAL}),
    Stream.CONFIRMATION: frozenset({_B.LEGAL, _B.LEGITIMATE_INTEREST, _B.CONSENT}),
    Stream.PERSONAL: frozenset({_B.CONSENT, _B.CONTRACT, _B.LEGITIMATE_INTEREST, _B.LEGAL}),
}

MARKETING = frozenset({Stream.NEWSLETTER, Stream.NOTIFICATION})
PERSONAL_CASES = frozenset({Stream.RIGHTS, Stream.CONFIRMATION})

# What a block of one scope also reaches: stopping all marketing stops each list of it.
REACHES: dict[ScopeName, frozenset[ScopeName]] = {
    "everything": frozenset({"everything", "marketing", "source", "list", "topic", "category"}),
    "marketing": frozenset({"marketing", "list", "topic", "category"}),
    "source": frozenset({"source"}),
    "list": frozenset({"list"}),
    "topic": frozenset({"topic"}),
    "category": frozenset({"category"}),
}

PLACEHOLDERS = frozenset({"name", "address", "policy", "link"})


def check_streams(settings: Organisation) -> Iterator[Finding]:
    """Every rule against the law's table, itself, and what the organisation defines."""
    for stream, rule in settings.streams.items():
        loc: Loc = ("streams", stream.value)
        if stream is Stream.UNCLASSIFIED:
            yield loc, "is no stream to give rules for, expected it to be left out: such mail is always refused"
            continue
        yield from _basis(stream, rule, loc)
        yield from _opt_out(settings, stream, rule, loc)
        yield from _unstoppable(stream, rule, loc)
        if rule.mode == "bcc" and stream in PERSONAL_CASES:
            yield (*loc, "mode"), "is 'bcc', expected copies: such mail is about one person's own case (S-06, L-37)"
        if "once" in rule.needs and stream is not Stream.POLICY_CHANGE:
            yield (*loc, "needs"), f"has once, expected it for {Stream.POLICY_CHANGE.value} alone (S-37)"
        if rule.tracking == "consent" and stream is not Stream.NEWSLETTER:
            yield (*loc, "tracking"), "is 'consent', expected never: only newsletters may carry individual links (S-46)"


def _basis(stream: Stream, rule: StreamRule, loc: Loc) -> Iterator[Finding]:
    if not rule.basis:
        yield (*loc, "basis"), "empty, expected at least one legal basis (S-41)"
    for index, basis in enumerate(rule.basis):
        if basis not in BASES[stream]:
            allowed = " or ".join(sorted(b.value for b in BASES[stream]))
            yield (*loc, "basis", index), f"{stream.value} cannot rest on {basis.value}, expected {allowed} (S-41)"
    if Basis.SOFT_OPT_IN in rule.basis and "soft-opt-in" not in rule.needs:
        yield (*loc, "needs"), "lacks soft-opt-in, expected it because basis has soft_opt_in (S-49)"
    if stream in (Stream.NEWSLETTER, Stream.RESEARCH):
        wanted = "list-consent" if stream is Stream.NEWSLETTER else "research-consent"
        if wanted not in rule.needs:
            yield (*loc, "needs"), f"lacks {wanted}, expected it for {stream.value} (S-18, S-48, L-27)"


def _opt_out(settings: Organisation, stream: Stream, rule: StreamRule, loc: Loc) -> Iterator[Finding]:
    rule_loc, scope = (*loc, "opt_out"), rule.opt_out.scope
    if scope is None:
        yield from _without_scope(stream, rule, rule_loc)
        return
    if scope == "everything":
        yield (*rule_loc, "scope"), "is 'everything', expected less: only erasure and restriction stop everything"
    elif not REACHES[scope] & set(rule.blocked_by):
        yield (
            (*rule_loc, "scope"),
            f"the link stops {scope!r}, which does not stop this stream, expected {scope!r} in blocked_by",
        )
    groups = {"list": settings.lists, "topic": settings.topics, "category": settings.categories}
    if scope in groups and not groups[scope]:
        yield (*rule_loc, "scope"), f"is {scope!r}, but the organisation has none, expected one to be defined"
    if scope == "source" and not settings.sources:
        yield (*rule_loc, "scope"), "is 'source', but the organisation has none, expected one to be defined"


def _without_scope(stream: Stream, rule: StreamRule, loc: Loc) -> Iterator[Finding]:
    if rule.opt_out.header != "none":
        yield (*loc, "header"), f"is {rule.opt_out.header!r} without scope, expected what the link stops"
    if rule.opt_out.text == "link":
        yield (*loc, "text"), "is 'link' without scope, expected what the link stops"
    if stream in MARKETING:
        yield loc, f"{stream.value} without scope, expected an opt-out in each marketing message (L-28)"


def _unstoppable(stream: Stream, rule: StreamRule, loc: Loc) -> Iterator[Finding]:
    if not rule.unstoppable:
        return
    if stream in MARKETING or stream is Stream.RESEARCH:
        yield (*loc, "unstoppable"), f"is yes, expected no: {stream.value} can always be stopped (L-20)"
    if rule.opt_out.header != "none" or rule.opt_out.text == "link":
        yield (*loc, "opt_out"), "a link on an unstoppable stream, expected text how-to and no header (S-51, S-61)"
    if extra := sorted(set(rule.blocked_by) - {"everything"}):
        yield (*loc, "blocked_by"), f"has {', '.join(extra)} on an unstoppable stream, expected everything alone (S-61)"
    if stream is Stream.INFORMATIONAL and not rule.refuses_offers:
        yield (*loc, "refuses_offers"), "is no, expected yes: unstoppable mail carries no offers (S-61)"


def check_footer(settings: Organisation) -> Iterator[Finding]:
    """Every text a stream needs exists in the organisation's language and names who sends (S-54, L-29)."""
    used = {rule.opt_out.text for rule in settings.streams.values()}
    for key, kind in (("link", "link"), ("how_to", "how-to")):
        texts: dict[str, str] = getattr(settings.footer, key)
        if kind in used and settings.language not in texts:
            yield ("footer", key), f"no text in {settings.language!r}, expected one because streams use {kind!r}"
        for language, text in texts.items():
            yield from _text(text, kind, ("footer", key, language))


def _text(text: str, kind: str, loc: Loc) -> Iterator[Finding]:
    try:
        fields = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:
        yield loc, "a brace that does not close, expected {name}, {address}, {policy} or {link}"
        return
    if unknown := sorted(fields - PLACEHOLDERS):
        yield loc, f"unknown {{{unknown[0]}}}, expected {{name}}, {{address}}, {{policy}} or {{link}}"
    needed = {"name", "address"} | ({"link"} if kind == "link" else set())
    if missing := sorted(needed - fields):
        yield loc, f"lacks {{{missing[0]}}}, expected it in every {kind} text (S-54)"
    if kind == "how-to" and "link" in fields:
        yield loc, "has {link}, expected words that say how to stop, without a link (1c-3)"
