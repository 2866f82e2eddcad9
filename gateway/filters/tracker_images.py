"""Which remote loads record that a mail was opened: by known address, by size, by hiding, by individual look.

what:       attributes and style of one element, its address → kind of tracker, or "" to keep it
takes→gives: `Look` + `Url` + facts → kind
knows not:  spans, edits, consent
fails by:   nothing
standard:   R-058; EDPB Guidelines 2/2023; S-47

A load goes when (1) a fact says its address records opens (known-host, known-path), (2) its address holds a mail
address (individual), (3) it is tiny or hidden and its address is not plainly one file for everybody (pixel, hidden),
(4) it shows no size and no text and its address is individual and names no file (individual). So a spacer stays, and
so does a picture of visible size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from gateway.config import weburl
from gateway.config.trackers import Trackers
from gateway.filters.tracker_styles import UnreadableStyle, declarations, hides, pixels

TINY = 2.0
"""Pixels; up to this width or height an image shows nothing."""
_NUMBER = 8
"""Digits that make a number individual where size and hiding say nothing: fewer are colours, sizes, article numbers."""
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Look:
    """How an element shows. `bare`: neither a size nor a text is given."""

    tiny: bool = False
    hidden: bool = False
    bare: bool = False


SIZELESS = Look(bare=True)
"""Style sheets, frames, backgrounds, sound: loads without a size of their own."""


def kind(url: weburl.Url, look: Look, facts: Trackers) -> str:
    """pixel | hidden | known-host | known-path | individual, or "" when the load may stay."""
    if facts.static_host(url):
        return ""
    known = facts.open_kind(url)
    if known:
        return known
    if weburl.holds_address(f"{url.path}?{url.query}#{url.fragment}"):
        return "individual"
    if (look.tiny or look.hidden) and (not _plain(url, look) or hinted(url, facts)):
        return "pixel" if look.tiny else "hidden"
    return "individual" if look.bare and not weburl.names_file(url) and _individual(url) else ""


def hinted(url: weburl.Url, facts: Trackers) -> bool:
    """Whether a segment of the path contains a word such as open, track, beacon."""
    return any(word in facts.hint_words for word in _WORD.findall(url.path[:1000].lower()))


def _plain(url: weburl.Url, look: Look) -> bool:
    """Whether the address is one file for everybody. A hidden picture that has a size may be shown by a style sheet
    (on telephones), so its file name counts even where the folder looks individual."""
    swapped = look.hidden and not look.tiny and not look.bare
    return weburl.static_file(url) or (swapped and weburl.names_file(url) and not url.query)


def _individual(url: weburl.Url) -> bool:
    values = (*url.segments, *(value for _, value in url.parameters))
    return any(weburl.individual(unquote(value), digits=_NUMBER) for value in values)


def look_of(attributes: Mapping[str, str], *, within_hidden: bool) -> Look:
    """Read size and hiding from an element's attributes (decoded, names in lower case; the first of a name counts)."""
    style = _style(attributes.get("style", ""))
    values = [style.get(n) or attributes.get(n, "") for n in ("width", "height")]
    values += [style.get(n, "") for n in ("max-width", "max-height")]
    sizes = [size for size in map(pixels, values) if size is not None]
    hidden = within_hidden or (bool(style) and hides(style)) or "hidden" in attributes
    bare = not any(map(str.strip, values)) and not attributes.get("alt", "").strip()
    return Look(any(size <= TINY for size in sizes), hidden, bare)


def _style(style: str) -> Mapping[str, str]:
    try:
        return declarations(style) if style else {}
    except UnreadableStyle:
        return {"display": "none"}  # what cannot be read is taken for hiding
