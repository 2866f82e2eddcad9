"""Trackers leave the mail: images that record opens always, links that record clicks unless the person agreed.

what:       goes over every part a reader sees and splices out what the tracker_* files find
takes→gives: `Draft` + `Context` → edits, and notes about what could not be read or cleaned
knows not:  how an address is judged, who the person is
fails by:   nothing: what cannot be scanned is left and noted
standard:   S-46, S-47; R-058, R-060, R-061; L-32; EDPB Guidelines 2/2023
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.filters.context import Context, Filter, Outcome
from gateway.filters.tracker_html import html_cuts
from gateway.filters.tracker_links import Cut, clean_text
from gateway.message.draft import Draft
from gateway.message.html import Unscannable
from gateway.message.parse import Message, Part

NAME = "trackers"
_MARKUP = ("text/html", "text/x-amp-html", "text/watch-html")
_ANGLE = re.compile(r"<\s*(https?://[^<>\s]+)\s*>", re.IGNORECASE)
NOT_CLEANED = "tracked-link"


def apply(draft: Draft, context: Context) -> tuple[Outcome, ...]:
    """Plan the removals. With tracking consent links stay as they are; open-tracking images go all the same (S-47)."""
    if not context.rule.edit and not context.private:
        return ()
    links = not (context.rule.tracking == "consent" and context.variant.tracking)
    exempt = _exempt(draft.message, context)
    notes: list[Outcome] = []
    for part in _readable(draft.message):
        if why := draft.why_not(part):
            notes.append(Outcome(NAME, "cannot-inspect", detail=f"part {part.path}: {why}"))
            continue
        notes += _part(draft, part, context, exempt, links=links)
    return tuple(notes)


def _part(draft: Draft, part: Part, context: Context, exempt: frozenset[str], *, links: bool) -> Iterator[Outcome]:
    content = draft.content(part)
    try:
        cuts = _cuts(part, content, context, exempt, links=links)
    except Unscannable:
        yield Outcome(NAME, "cannot-inspect", detail=f"part {part.path}: HTML that two readers would read differently")
        return
    for cut in cuts:
        if cut.kind != NOT_CLEANED:
            draft.splice(part, cut.start, cut.end, (cut.text,) if cut.text else (), by=NAME, kind=cut.kind)
    if kept := sum(cut.kind == NOT_CLEANED for cut in cuts):
        yield Outcome(NAME, NOT_CLEANED, detail=f"part {part.path}: {kept}")


def _cuts(part: Part, content: bytes, context: Context, exempt: frozenset[str], *, links: bool) -> list[Cut]:
    if part.content_type in _MARKUP:
        return html_cuts(content, context.trackers, exempt, links=links)
    if not links or b"://" not in content:
        return []
    return clean_text(content, 0, len(content), context.trackers, exempt, markup=False)


def _readable(message: Message) -> Iterator[Part]:
    """Text a reader sees, and the outermost sealed parts, which can only be noted."""
    waiting = [message.root]
    while waiting:
        part = waiting.pop()
        if part.attachment or part.content_type.startswith("message/"):
            continue
        if part.sealed or (not part.children and part.content_type in ("text/plain", *_MARKUP)):
            yield part
        else:
            waiting.extend(reversed(part.children))


def _exempt(message: Message, context: Context) -> frozenset[str]:
    """Addresses that must keep working as they are: our opt-out page, and the opt-out the message named itself."""
    found = {context.organisation.opt_out_url.rstrip("/") + "/"}
    for field in message.fields("List-Unsubscribe"):
        found.update(_ANGLE.findall(message.text_value(field)))
    return frozenset(found)


FILTER = Filter(
    NAME,
    "Removes images that record opens, and cleans links that record clicks unless the person agreed to tracking.",
    apply,
)
