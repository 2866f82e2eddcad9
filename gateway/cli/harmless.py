"""The HTML of a mail as a page may show it: nothing loads, nothing runs, no link leads away; edits are outlined.

what:       rewrites tags: scripts, frames and forms go, addresses that load give way, pictures of the mail come in
takes→gives: content, pictures by Content-ID, spans to outline → HTML text for a sandboxed frame
knows not:  which filter did what
fails by:   `Unscannable`
standard:   R-058 (what loads); the frame's sandbox and the page's Content-Security-Policy stand behind it
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from gateway.filters.tracker_styles import UnreadableStyle, loads
from gateway.message.html import Attribute, Style, Tag, Text, scan

Spans = Sequence[tuple[int, int]]
_DROPPED = frozenset(
    {
        "script",
        "iframe",
        "frame",
        "frameset",
        "object",
        "embed",
        "applet",
        "link",
        "base",
        "meta",
        "form",
        "audio",
        "video",
    }
) | {"source", "track", "bgsound", "amp-img", "amp-pixel", "image", "use", "feimage", "portal", "noscript"}
_KEPT = frozenset(
    {
        "align",
        "alt",
        "bgcolor",
        "border",
        "cellpadding",
        "cellspacing",
        "class",
        "color",
        "colspan",
        "dir",
        "face",
        "height",
    }
) | {"id", "lang", "rowspan", "size", "style", "title", "valign", "width"}
_PICTURE = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='100%25' height='100%25'%3E"
    "%3Crect width='100%25' height='100%25' fill='%23d9d9e3'/%3E%3C/svg%3E"
)
_OUTLINE = {
    "gone": "outline:2px dashed #c0392b;outline-offset:1px",
    "new": "outline:2px solid #2e8b57;outline-offset:1px",
}


def harmless(content: bytes, codec: str, pictures: Mapping[str, str], marks: Spans = (), kind: str = "gone") -> str:
    """`pictures`: Content-ID without brackets → data: address. Tags that `marks`, spans of `content`, touch get an
    outline of this `kind`."""
    pieces: list[str] = []
    at = 0
    marks = list(marks)
    for node in scan(content):
        if node.within == "conditional":
            continue  # a comment to this page
        if isinstance(node, Tag):
            instead = _tag(node, codec, pictures, _touched(node, marks), kind)
        elif isinstance(node, Style):
            instead = _style(content[node.start : node.end].decode(codec, "replace"))
        elif isinstance(node, Text) and node.element:
            instead = ""
        else:
            continue
        if node.start >= at:
            pieces += [content[at : node.start].decode(codec, "replace"), instead]
            at = node.end
    return "".join([*pieces, content[at:].decode(codec, "replace")])


def _touched(tag: Tag, marks: list[tuple[int, int]]) -> bool:
    """Whether a mark begins here: the first tag in it, which is the outermost, stands for all."""
    while marks and marks[0][1] <= tag.start:
        marks.pop(0)
    if tag.closing or not marks or marks[0][0] >= tag.end:
        return False
    marks.pop(0)
    return True


def _tag(tag: Tag, codec: str, pictures: Mapping[str, str], touched: bool, kind: str) -> str:
    if tag.name in _DROPPED or not re.fullmatch(r"[a-z][a-z0-9]*", tag.name):
        return ""
    if tag.closing:
        return f"</{tag.name}>"
    outline = _OUTLINE[kind] if touched and tag.name not in ("html", "body", "head", "style") else ""
    given: dict[str, str] = {}
    for attribute in tag.attributes:
        if attribute.name in _KEPT:
            given.setdefault(attribute.name, _value(attribute, codec))
    if "style" in given or outline:
        given["style"] = ";".join(filter(None, [_style(given.get("style", "")), outline]))
    if tag.name == "img" and (source := tag.get("src")) is not None:
        given["src"] = _picture(source.value, pictures)
    if tag.name in ("a", "area") and (link := tag.get("href")) is not None:
        given |= {"href": "#", "title": link.value}
    written = "".join(f' {name}="{escape(value)}"' for name, value in given.items())
    return f"<{tag.name}{written}>"


def _value(attribute: Attribute, codec: str) -> str:
    return attribute.value.encode("latin-1", "xmlcharrefreplace").decode(codec, "replace")


def _picture(address: str, pictures: Mapping[str, str]) -> str:
    if address.lower().startswith("cid:"):
        return pictures.get(address[4:].strip(), _PICTURE)
    return address if address.lower().startswith("data:image/") and "svg" not in address[:20].lower() else _PICTURE


def _style(style: str) -> str:
    try:
        found = loads(style)
    except UnreadableStyle:
        return ""
    pieces, at = [], 0
    for load in found:
        inside = load.address.lower().startswith("data:image/")
        pieces += [style[at : load.start], style[load.start : load.end] if inside else load.instead]
        at = load.end
    return re.sub(r"</", "<\\/", "".join([*pieces, style[at:]]))
