"""The visible opt-out in one part: its own place if the template has one, else a block behind the last visible content.

what:       reads one body, then fills placeholders, renews or adds our block, and disarms what it quotes of ours
takes→gives: `Draft`, part, `Context` → `Reading`; with the language of the mail → edits and notes
knows not:  the other parts, what becomes of a mail without a place
fails by:   nothing: what may not be edited says why in `Reading.closed`
standard:   S-21, S-38, S-54, S-69; R-041, R-077
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from gateway.filters import opt_out_foreign
from gateway.filters.context import Context, Outcome
from gateway.filters.opt_out_colour import Page
from gateway.filters.opt_out_foreign import Foreign
from gateway.filters.opt_out_headers import NAME
from gateway.filters.opt_out_own import Taken, neutralise, own_html, own_text
from gateway.filters.opt_out_place import Place, after_text, html_place
from gateway.filters.opt_out_slots import Found, Kind, in_html, in_text, shows_who, visible_text
from gateway.filters.opt_out_text import Wording, anchor, fits, html_block, label, text_block, wording
from gateway.message.draft import Draft, Replacement, Slot
from gateway.message.html import Unscannable
from gateway.message.parse import Part

MARKUP = ("text/html", "text/x-amp-html", "text/watch-html")
PLAIN = ("text/plain", "text/enriched")
_AMBIGUOUS = "HTML that two readers would read differently"


_NOWHERE = Place(0, b"")


@dataclass(frozen=True, slots=True)
class Reading:
    """What one body holds. `closed` says why it cannot be edited; then the rest is empty."""

    part: Part
    closed: str = ""
    slots: tuple[Found, ...] = ()
    foreign: int = 0
    place: Place = _NOWHERE
    colour: str = ""


def read(draft: Draft, part: Part, context: Context) -> Reading:
    """Look at one body; nothing is edited."""
    if why := draft.why_not(part):
        return Reading(part, why)
    content = draft.content(part)
    names, own = context.organisation.footer.placeholders, context.organisation.opt_out_url
    if part.content_type not in MARKUP:
        found = tuple(in_text(content, names))
        return Reading(part, "", found, opt_out_foreign.in_text(content, own), after_text(content))
    seen = _seen(content, names, own)
    return Reading(part, _AMBIGUOUS) if seen is None else Reading(part, "", *seen)


@lru_cache(maxsize=2)  # of one mail: each of its variants asks the same
def _seen(content: bytes, names: tuple[str, ...], own: str) -> tuple[tuple[Found, ...], int, Place, str] | None:
    """What the reading of an HTML part holds; None where the HTML cannot be read."""
    page, foreign = Page(content), Foreign(content, own)
    try:
        place = html_place(content, *(watcher for watcher in (page, foreign) if watcher.worth_it))
        return tuple(in_html(content, names)), foreign.count, place, page.colour
    except Unscannable:
        return None


def write(draft: Draft, reading: Reading, context: Context, language: str) -> tuple[Outcome, ...]:
    """Plan the edits of one body; notes say what stands there beside our opt-out."""
    part = reading.part
    said = wording(context, language)
    if not _holds(draft, part, context, said):
        reading = read(draft, part, context)  # offsets are others now
    filled = _fill(draft, reading, said, context) and said.linked
    own = _own(draft, reading, context)
    if filled:
        said = wording(context, language, identity=True)
    block = () if filled and _names_sender(draft, part, context) else _block(draft, reading, context, said)
    if own is not None:
        draft.splice(part, *own, block, by=NAME, kind="opt-out-renewed")
    elif block:
        lead = reading.place.lead.replace(b"\n", _line_end(draft.content(part)))
        at = reading.place.position
        draft.splice(part, at, at, (lead, *block), by=NAME, kind="opt-out-text")
    foreign = (Outcome(NAME, "foreign-opt-out", detail=f"part {part.path}: {reading.foreign}"),)
    return (*disarm(draft, part, context, own), *(foreign if reading.foreign else ()))


def disarm(draft: Draft, part: Part, context: Context, own: tuple[int, int] | None = None) -> tuple[Outcome, ...]:
    """Cut the tokens out of what a part quotes of ours; `own` is the span of a block that is written anew."""
    count = 0 if draft.why_not(part) else neutralise(draft, part, context, own)
    return (Outcome(NAME, "quoted-opt-out", detail=f"part {part.path}: {count}"),) if count else ()


def _holds(draft: Draft, part: Part, context: Context, said: Wording) -> bool:
    """False when the part had to become UTF-8 for a plain text whose characters its charset lacks. HTML writes such
    characters as references."""
    if part.content_type in MARKUP or fits(context, said, draft.scan_charset(part)):
        return True
    return not draft.widen(part)


def _line_end(content: bytes) -> bytes:
    return b"\r\n" if b"\r\n" in content or b"\n" not in content else b"\n"


def _block(draft: Draft, reading: Reading, context: Context, said: Wording) -> Replacement:
    part = reading.part
    charset, line_end = draft.scan_charset(part), _line_end(draft.content(part))
    if part.content_type in MARKUP:
        return html_block(context, said, charset=charset, line_end=line_end, colour=reading.colour).replacement
    if part.content_type == "text/enriched":
        line_end += line_end  # one line end alone is a blank there (RFC 1896)
    return text_block(context, said, charset=charset, line_end=line_end).replacement


def _own(draft: Draft, reading: Reading, context: Context) -> tuple[int, int] | None:
    """The span of our block from an earlier pass, if nothing else is edited in it."""
    content = draft.content(reading.part)
    if reading.part.content_type in MARKUP:
        # Where something must be closed first, the block is not this mail's: it stands inside a quotation.
        own = None if reading.place.lead.strip() else own_html(content, reading.place.position)
    else:
        own = own_text(content, context, spaced=reading.part.content_type == "text/enriched")
    return own if own is not None and Taken(draft, reading.part).free(*own) else None


def _fill(draft: Draft, reading: Reading, said: Wording, context: Context) -> bool:
    """Fill the template's places. True when a reader sees a link by that."""
    part, seen, taken = reading.part, False, Taken(draft, reading.part)
    for found in reading.slots:
        if taken.free(found.start, found.end):
            written = _written(draft, part, found, said, context)
            draft.splice(part, found.start, found.end, written, by=NAME, kind="opt-out-filled")
            seen |= found.seen
    return seen


def _written(draft: Draft, part: Part, found: Found, said: Wording, context: Context) -> Replacement:
    """What stands in one place: the address, the words of a link, or both; without a link whom to tell."""
    charset, contact = draft.scan_charset(part), context.organisation.controller.contact.encode("ascii", "replace")
    if not said.linked:
        return (b"mailto:" + contact,) if found.kind is Kind.ADDRESS else (contact,)
    if found.kind is Kind.ADDRESS or part.content_type not in MARKUP:
        return (Slot.OPT_OUT,)
    if found.kind is Kind.LABEL:
        return (label(said, charset),)
    before, after = anchor(said, charset)
    return (before, Slot.OPT_OUT, after)


def _names_sender(draft: Draft, part: Part, context: Context) -> bool:
    content, codec = draft.content(part), draft.scan_charset(part)
    source = content.decode(codec, "replace")
    text = visible_text(content, codec) if part.content_type in MARKUP else source
    return shows_who(text, source, context.organisation.controller)
