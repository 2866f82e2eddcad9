"""The opt-out every automated mail carries: last visible block of each alternative, and header fields by stream.

what:       decides where the visible opt-out goes and what happens when there is no place for it
takes→gives: `Draft` + `Context` → edits; a refusal where marketing mail would leave without its link
knows not:  the URL (a slot), who receives it, how scopes are stored
fails by:   nothing; REFUSE is an `Outcome`
standard:   S-21, S-22, S-51, S-54, S-60; R-015, R-041, R-042, R-077; 1c-2, 1c-3
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gateway.decision import Action
from gateway.filters import opt_out_headers
from gateway.filters.context import Context, Filter, Outcome
from gateway.filters.opt_out_headers import NAME
from gateway.filters.opt_out_place import Place, after_text, html_place
from gateway.filters.opt_out_text import Block, html_block, text_block
from gateway.message.draft import Draft
from gateway.message.html import Unscannable
from gateway.message.parse import Message, Part
from gateway.reply import NO_OPT_OUT

_MARKUP = ("text/html", "text/x-amp-html")
_ADDRESS = re.compile(rb"[^\s<>\"']+")


def apply(draft: Draft, context: Context) -> tuple[Outcome, ...]:
    """Plan header and body edits. Mail from the null sender stays as it is (R-015)."""
    if context.null_sender or not context.rule.edit:
        return ()
    notes = opt_out_headers.write(draft, context)
    if context.rule.opt_out.text == "none":
        return notes
    places = {part.path: _place(draft, part) for part in bodies(draft.message)}
    failure = _failure(draft, context, places)
    if failure is not None and failure.action is not Action.DELIVER:
        return (*notes, failure)
    for part in bodies(draft.message):
        place = places[part.path]
        if isinstance(place, Place):
            _add(draft, part, place, context)
    return notes if failure is None else (*notes, failure)


def bodies(message: Message) -> tuple[Part, ...]:
    """The parts that need the text: each alternative of what is shown last."""
    return tuple(_bodies(message.root))


def _bodies(part: Part) -> list[Part]:
    if part.sealed or part.attachment or part.content_type.startswith("message/"):
        return []
    if not part.children:
        return [part] if part.content_type in ("text/plain", *_MARKUP) else []
    found = [inner for inner in map(_bodies, part.children) if inner]
    if part.content_type == "multipart/alternative":
        return [leaf for inner in found for leaf in inner]
    if part.content_type == "multipart/related":
        return found[0] if found else []
    named = [inner for inner in found if not any(leaf.filename for leaf in inner)]
    return (named or found)[-1] if found else []


def _place(draft: Draft, part: Part) -> Place | str:
    """Where the text goes in this part, or why it cannot."""
    if why := draft.why_not(part):
        return why
    content = draft.content(part)
    if part.content_type not in _MARKUP:
        return after_text(content, _line_end(content))
    try:
        return html_place(content)
    except Unscannable:
        return "HTML that two readers would read differently"


def _failure(draft: Draft, context: Context, places: Mapping[str, Place | str]) -> Outcome | None:
    """None when every body can be edited; else what becomes of the mail (R-042)."""
    closed = {path: why for path, why in places.items() if isinstance(why, str)}
    if places and not closed:
        return None
    sealed = [part for part in draft.message.walk() if part.sealed]
    why = "; ".join(f"part {path}: {why}" for path, why in closed.items())
    why = why or next((f"part {part.path}: {part.sealed}" for part in sealed), "no text part")
    rule = context.rule.opt_out
    if rule.text != "link" or rule.scope is None:
        return Outcome(NAME, "no-place", detail=why)
    if sealed and not closed.keys() - {part.path for part in sealed} and opt_out_headers.wanted(context) != "none":
        return Outcome(NAME, "header-only", detail=why)
    return Outcome(NAME, "no-place", Action.REFUSE, why, NO_OPT_OUT.because(why))


def _line_end(content: bytes) -> bytes:
    return b"\r\n" if b"\r\n" in content or b"\n" not in content else b"\n"


def _add(draft: Draft, part: Part, place: Place, context: Context) -> None:
    content, charset = draft.content(part), draft.scan_charset(part)
    line_end = _line_end(content)
    written = html_block if part.content_type in _MARKUP else text_block
    block = written(context, charset=charset, line_end=line_end)
    for start, end in _ours(content, block, context):
        if start < place.position and not content[end : place.position].strip():
            draft.splice(part, start, end, block.replacement, by=NAME, kind="opt-out-renewed")
            return
    lead = place.lead.replace(b"\n", line_end)
    draft.splice(part, place.position, place.position, (lead, *block.replacement), by=NAME, kind="opt-out-text")


def _ours(content: bytes, block: Block, context: Context) -> Iterator[tuple[int, int]]:
    """The last block of exactly our making, from an earlier pass; its address may be another person's by now."""
    start = content.rfind(block.before)
    if start < 0:
        return
    end = start + len(block.before)
    if block.linked:
        address = _ADDRESS.match(content, end)
        if address is None or not address[0].startswith(context.organisation.opt_out_url.encode()):
            return
        end = address.end()
    if content.startswith(block.after, end):
        yield start, end + len(block.after)


FILTER = Filter(
    NAME,
    "Puts the opt-out, or how to stop, at the end of every alternative, and the List-Unsubscribe fields by stream.",
    apply,
)
