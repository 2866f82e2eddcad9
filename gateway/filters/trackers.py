"""Trackers leave the mail: images that record opens always, links that record clicks unless the person agreed.

what:       goes over every part a reader sees and splices out what the tracker_* files find
takes→gives: `Draft` + `Context` → edits, and notes about what could not be read or cleaned
knows not:  how an address is judged, who the person is
fails by:   nothing: what cannot be scanned is left and noted; more remote loads than any real mail has refuse it
standard:   S-46, S-47; R-058, R-060, R-061; L-32; EDPB Guidelines 2/2023
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.decision import Action
from gateway.filters.context import Context, Filter, Outcome
from gateway.filters.tracker_html import Loads, TooMany, html_cuts
from gateway.filters.tracker_links import NOT_CLEANED, Cut, Rules
from gateway.filters.tracker_text import text_cuts
from gateway.message.draft import Draft
from gateway.message.html import Unscannable
from gateway.message.parse import Message, Part
from gateway.reply import REFUSED

NAME = "trackers"
_MARKUP = ("text/html", "text/x-amp-html", "text/watch-html")
_ANGLE = re.compile(r"<\s*(https?://[^<>\s]+)\s*>", re.IGNORECASE)


def apply(draft: Draft, context: Context) -> tuple[Outcome, ...]:
    """Plan the removals. With tracking consent links stay as they are; open-tracking images go all the same (S-47)."""
    if not context.rule.edit and not context.private:
        return ()
    agreed = context.rule.tracking == "consent" and context.variant.tracking
    loads = Loads(context.trackers, context.compared, _reader(context))
    links = None if agreed else _rules(draft.message, context)
    notes: list[Outcome] = []
    for part in _readable(draft.message):
        if why := draft.why_not(part):
            notes.append(Outcome(NAME, "cannot-inspect", detail=f"part {part.path}: {why}"))
            continue
        notes += _part(draft, part, loads, links)
    return tuple(notes)


def _rules(message: Message, context: Context) -> Rules:
    return Rules(context.trackers, _exempt(message, context), context.compared, several=not context.recipient)


def _reader(context: Context) -> str:
    return context.recipient.decode("utf-8", "replace").lower()


def _part(draft: Draft, part: Part, loads: Loads, links: Rules | None) -> Iterator[Outcome]:
    try:
        cuts = _cuts(part, draft.content(part), loads, links)
    except Unscannable:
        yield Outcome(NAME, "cannot-inspect", detail=f"part {part.path}: HTML that two readers would read differently")
        return
    except TooMany as error:
        yield Outcome(
            NAME, "too-many-addresses", Action.REFUSE, f"part {part.path}: {error}", REFUSED.because(str(error))
        )
        return
    for cut in cuts:
        if cut.kind != NOT_CLEANED:
            draft.splice(part, cut.start, cut.end, (cut.text,) if cut.text else (), by=NAME, kind=cut.kind)
    if kept := sum(cut.kind == NOT_CLEANED for cut in cuts):
        yield Outcome(NAME, NOT_CLEANED, detail=f"part {part.path}: {kept}", times=kept)


def _cuts(part: Part, content: bytes, loads: Loads, links: Rules | None) -> list[Cut]:
    if part.content_type in _MARKUP:
        return html_cuts(content, loads, links)
    return list(text_cuts(content, links, joins_lines=_joins_lines(part))) if links is not None else []


def _joins_lines(part: Part) -> bool:
    """format=flowed with DelSp=yes (RFC 3676 4): a line may end within a word."""
    flowed = part.parameters.get("format", "").lower() == "flowed"
    return flowed and part.parameters.get("delsp", "").lower() == "yes"


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
