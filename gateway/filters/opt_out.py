"""The opt-out every automated mail carries: last visible block of each alternative, and header fields by stream.

what:       decides which parts get the visible opt-out, and what becomes of mail that has no place for it
takes→gives: `Draft` + `Context` → edits; a refusal where marketing mail would leave without its link
knows not:  the URL (a slot), who receives it, how scopes are stored
fails by:   nothing; REFUSE is an `Outcome`
standard:   S-21, S-22, S-51, S-54, S-60; R-015, R-041, R-042, R-044, R-077; 1c-2, 1c-3
"""

from __future__ import annotations

from gateway.decision import Action
from gateway.filters import opt_out_headers
from gateway.filters.context import Context, Filter, Outcome
from gateway.filters.opt_out_headers import NAME
from gateway.filters.opt_out_language import language
from gateway.filters.opt_out_part import MARKUP, PLAIN, Reading, disarm, read, write
from gateway.filters.opt_out_text import text_block, wording
from gateway.message.draft import Draft
from gateway.message.parse import Message, Part
from gateway.reply import NO_OPT_OUT


def apply(draft: Draft, context: Context) -> tuple[Outcome, ...]:
    """Plan header and body edits. Mail from the null sender stays as it is (R-015)."""
    if context.null_sender or not context.rule.edit:
        return ()
    notes = opt_out_headers.write(draft, context)
    parts = bodies(draft.message)
    last = {part.path for part in parts}
    for part in draft.message.text_parts():
        if part.path not in last or context.rule.opt_out.text == "none":
            notes += disarm(draft, part, context)
    if context.rule.opt_out.text == "none":
        return notes
    readings = [read(draft, part, context) for part in parts]
    tongue = language(draft, parts)
    failure = _failure(draft, context, readings, tongue)
    if failure is None or failure.action is Action.DELIVER:
        for reading in readings:
            notes += () if reading.closed else write(draft, reading, context, tongue)
    return notes if failure is None else (*notes, failure)


def bodies(message: Message) -> tuple[Part, ...]:
    """The parts that need the text: each alternative of what is shown last."""
    return tuple(_bodies(message.root))


def _bodies(part: Part) -> list[Part]:
    if part.sealed or part.attachment or part.content_type.startswith("message/"):
        return []
    if not part.children:
        return [part] if part.content_type in (*PLAIN, *MARKUP) else []
    found = [inner for inner in map(_bodies, part.children) if inner]
    if part.content_type == "multipart/alternative":
        return [leaf for inner in found for leaf in inner]
    if part.content_type == "multipart/related":
        return found[0] if found else []
    found = [inner for inner in found if any(map(_something, inner))]
    named = [inner for inner in found if not any(leaf.filename for leaf in inner)]
    return (named or found)[-1] if found else []


def _something(part: Part) -> bool:
    """Whether it has a single octet: between two boundary lines there may be nothing at all, which nobody sees."""
    return part.body[1] > part.header[0]


def _failure(draft: Draft, context: Context, readings: list[Reading], tongue: str) -> Outcome | None:
    """None when every body can be edited; else what becomes of the mail (R-042)."""
    closed = [reading for reading in readings if reading.closed]
    if readings and not closed:
        return None
    sealed = [part for part in draft.message.walk() if part.sealed]
    why = "; ".join(f"part {reading.part.path}: {reading.closed}" for reading in closed)
    why = why or next((f"part {part.path}: {part.sealed}" for part in sealed), "no text part")
    rule = context.rule.opt_out
    way = rule.when_sealed if sealed and not closed else rule.when_no_text
    if way == "wrap" and not draft.message.root.broken:
        said = wording(context, tongue)
        block = text_block(context, said, charset="utf-8", line_end=b"\r\n")
        draft.wrap(block.replacement, by=NAME, kind="opt-out-wrapped")
        return Outcome(NAME, "wrapped", detail=why)
    if rule.text != "link" or rule.scope is None:
        return Outcome(NAME, "no-place", detail=why)
    if way == "header" and opt_out_headers.wanted(context) != "none":
        return Outcome(NAME, "header-only", detail=why)
    return Outcome(NAME, "no-place", Action.REFUSE, why, NO_OPT_OUT.because(why))


FILTER = Filter(
    NAME,
    "Puts the opt-out, or how to stop, at the end of every alternative, and the List-Unsubscribe fields by stream.",
    apply,
)
