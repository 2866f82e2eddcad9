"""Which attributes of which elements make a mail program load something.

what:       tables of elements and attributes, and what goes when one of them tracks
takes→gives: names of element and attribute → whether it loads; whether the whole element goes
knows not:  addresses, trackers
fails by:   nothing
standard:   R-058; HTML 4 and 4.8; SVG 2 chapters 5, 15 and 21; VML; AMP for Email
"""

from __future__ import annotations

import re

PICTURES = frozenset({"img", "image", "input", "amp-img", "amp-anim"})
"""Elements whose size and text say whether there is anything to see."""
SIZED = PICTURES | {"iframe", "frame", "embed", "object", "video", "audio", "amp-video", "amp-iframe", "v:image"}
"""Elements that have a size of their own."""
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "image", "input", "link", "meta", "param", "source"}
) | {"track", "wbr", "bgsound", "frame"}
_ALWAYS = frozenset(
    {"src", "srcset", "imagesrcset", "background", "lowsrc", "dynsrc", "poster", "o:href", "o:src", "manifest"}
)
"""On any element: VML, AMP and old HTML put them in many places."""
_LOADING = {
    "link": {"href"},
    "object": {"data", "codebase", "classid"},
    "applet": {"archive", "code", "codebase", "object"},
    "param": {"value"},
    "use": {"href", "xlink:href"},
    "feimage": {"href", "xlink:href"},
    "image": {"href", "xlink:href"},
    "filter": {"href", "xlink:href"},
    "pattern": {"href", "xlink:href"},
    "lineargradient": {"href", "xlink:href"},
    "radialgradient": {"href", "xlink:href"},
    "mask": {"href", "xlink:href"},
    "tref": {"href", "xlink:href"},
    "script": {"href", "xlink:href"},
    "cursor": {"href", "xlink:href"},
    "color-profile": {"href", "xlink:href"},
    "animate": {"to", "from", "by", "values"},
    "set": {"to"},
    "v:image": {"href"},
    "v:imagedata": {"href"},
    "v:fill": {"href"},
    "v:stroke": {"href"},
    "xml": {"href"},
}
_WHOLE = {
    **{name: {"src"} for name in ("img", "image", "amp-img", "amp-anim", "amp-pixel", "bgsound", "embed", "track")},
    "source": {"src", "srcset"},
    "link": {"href"},
    "v:image": {"src"},
    "v:fill": {"src"},
    "v:imagedata": {"src"},
}
"""Where the element goes with its address; elsewhere only the attribute does."""
_LOADING_RELATIONS = re.compile(
    r"stylesheet|preload|prefetch|prerender|preconnect|icon|import|mask|manifest", re.IGNORECASE
)
OF_INTEREST = _ALWAYS.union(*_LOADING.values()) - {"href"} | {"hidden", "ping", "http-equiv"}
"""Names of attributes for which a tag has to be looked at; `href` and `style` are told apart by their owner."""


def loads(element: str, name: str, relation: str | None) -> bool:
    """Whether attribute `name` makes a mail program fetch its value; `relation` is the value of `rel` beside it."""
    if name not in _ALWAYS and name not in _LOADING.get(element, ()):
        return False
    return element != "link" or (relation is not None and bool(_LOADING_RELATIONS.search(relation)))


def is_only(element: str, name: str) -> bool:
    """Whether the element is there for this address alone, so that it goes with it."""
    return name in _WHOLE.get(element, ())
