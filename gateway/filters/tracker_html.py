"""One HTML part read for everything that loads or leads elsewhere.

what:       walks the tokens, knows which attribute of which element loads, keeps track of hidden elements
takes→gives: content, facts → `Cut`s in order, none overlapping
knows not:  parts, streams, consent (it is told whether links are cleaned)
fails by:   `Unscannable`
standard:   R-058, R-060; HTML 4.8, VML in conditional comments, AMP for Email
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.config import weburl
from gateway.config.trackers import Trackers
from gateway.filters.tracker_images import SIZELESS, Look, kind, look_of
from gateway.filters.tracker_links import Cut, clean, clean_text
from gateway.filters.tracker_styles import Load, UnreadableStyle, declarations, hides, loads, may_hide
from gateway.message.html import Attribute, Style, Tag, Text, scan

_SIZED = frozenset({"img", "image", "input", "amp-img", "amp-anim"})
_WHOLE = {
    **dict.fromkeys(("img", "image", "amp-img", "amp-anim", "amp-pixel", "bgsound", "embed", "track"), ("src",)),
    "source": ("src", "srcset"),
    "link": ("href",),
}
"""Where the element goes with its address; elsewhere only the attribute does."""
_LOADING = {
    "link": ("href",),
    "object": ("data", "codebase", "classid"),
    "use": ("href", "xlink:href"),
    "feimage": ("href", "xlink:href"),
    "image": ("src", "href", "xlink:href", "srcset"),
    "video": ("src", "poster"),
    "applet": ("archive", "code", "codebase"),
}
_ALWAYS = ("src", "srcset", "imagesrcset", "background", "lowsrc", "dynsrc")
"""On any element: VML, AMP and old HTML put them in many places."""
_LOADING_RELATIONS = re.compile(r"stylesheet|preload|prefetch|prerender|preconnect|icon|import", re.IGNORECASE)
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "image", "input", "link", "meta", "param", "source"}
) | {"track", "wbr", "bgsound", "amp-pixel"}
_SCHEME = re.compile(r"\s*[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_REFRESH = re.compile(r"[^;,]*[;,]\s*(?:url\s*=\s*)?['\"]?([^'\"]*)", re.IGNORECASE)


def html_cuts(content: bytes, facts: Trackers, exempt: frozenset[str], *, links: bool) -> list[Cut]:
    """Everything that goes out of `content`. With `links` False only what loads by itself goes (S-46)."""
    found = sorted(_Reader(content, facts, exempt, links).cuts(), key=lambda cut: (cut.start, -cut.end))
    kept: list[Cut] = []
    for cut in found:
        if not kept or cut.start >= kept[-1].end:
            kept.append(cut)
    return kept


@dataclass(slots=True)
class _Hidden:
    """Whether we are inside an element that shows nothing. Only the outermost one is remembered."""

    name: str = ""
    depth: int = 0

    def enter(self, tag: Tag) -> None:
        if tag.within == "conditional" or tag.name in _VOID or tag.self_closing:
            return
        if self.depth:
            self.depth += tag.name == self.name
        elif _hides(tag):
            self.name, self.depth = tag.name, 1

    def leave(self, tag: Tag) -> None:
        if self.depth and tag.name == self.name and tag.within != "conditional":
            self.depth -= 1


def _hides(tag: Tag) -> bool:
    style = tag.get("style")
    if style is None or not may_hide(style.value):
        return tag.get("hidden") is not None
    try:
        return hides(declarations(style.value))
    except UnreadableStyle:
        return True


class _Reader:
    """One pass over one part."""

    def __init__(self, content: bytes, facts: Trackers, exempt: frozenset[str], links: bool) -> None:
        self._content = content
        self._facts = facts
        self._exempt = exempt
        self._links = links
        self._base = ""
        self._hidden = _Hidden()
        self._judged: dict[tuple[str, Look], str] = {}
        self._cleaned: dict[bytes, list[Cut]] = {}

    def cuts(self) -> Iterator[Cut]:
        find = self._content.find
        for node in scan(self._content):
            if isinstance(node, Tag):
                if node.closing:
                    self._hidden.leave(node)
                elif node.attributes:
                    yield from self._element(node)
                    self._hidden.enter(node)
                elif self._hidden.depth:
                    self._hidden.enter(node)
            elif isinstance(node, Style):
                yield from self._sheet(node)
            elif (
                self._links and isinstance(node, Text) and not node.element and find(b"://", node.start, node.end) >= 0
            ):
                yield from self._text(node)

    def _text(self, node: Text) -> Iterator[Cut]:
        return iter(clean_text(self._content, node.start, node.end, self._facts, self._exempt, markup=True))

    def _element(self, tag: Tag) -> Iterator[Cut]:
        if tag.name == "base" and not self._base and (href := tag.get("href")):
            self._base = href.value
            self._judged.clear()
        if tag.name == "meta":
            yield from self._refresh(tag)
        look: Look | None = None
        for attribute in tag.attributes:
            if self._loads(tag, attribute):
                look = look or self._look(tag)
                if why := self._judge(attribute.name, attribute.value, look):
                    yield self._gone(tag, attribute, why)
            elif attribute.name == "style" and attribute.value:
                yield from self._style(attribute)
            elif self._links and attribute.name in ("href", "xlink:href"):
                yield from self._link(tag, attribute)
            elif self._links and attribute.name == "ping":
                yield Cut(attribute.start, attribute.end, b"", "ping")

    def _loads(self, tag: Tag, attribute: Attribute) -> bool:
        if attribute.name not in _ALWAYS and attribute.name not in _LOADING.get(tag.name, ()):
            return False
        relation = tag.get("rel") if tag.name == "link" else None
        return tag.name != "link" or (relation is not None and bool(_LOADING_RELATIONS.search(relation.value)))

    def _look(self, tag: Tag) -> Look:
        if tag.name == "amp-pixel":
            return Look(tiny=True)
        if tag.name not in _SIZED:
            return SIZELESS
        values: dict[str, str] = {}
        for attribute in tag.attributes:
            values.setdefault(attribute.name, attribute.value)
        return look_of(values, within_hidden=self._hidden.depth > 0)

    def _judge(self, name: str, value: str, look: Look) -> str:
        """Kind of tracker, or ""; of a srcset the first of its addresses that is one."""
        addresses = re.split(r"[\s,]+(?=\S)", value) if name.endswith("srcset") else [value]
        for address in addresses:
            if (address, look) not in self._judged:
                url = self._resolve(address)
                self._judged[address, look] = kind(url, look, self._facts) if url is not None else ""
            if why := self._judged[address, look]:
                return why
        return ""

    def _resolve(self, address: str) -> weburl.Url | None:
        url = weburl.read(address)
        if url is not None or not self._base or _SCHEME.match(address) or address.lstrip().startswith("#"):
            return url
        base = weburl.read(self._base)
        folder = base.path.rpartition("/")[0] if base and not address.lstrip().startswith("/") else ""
        return weburl.read(f"https://{base.host}{folder}/{address.strip().lstrip('/')}") if base else None

    def _gone(self, tag: Tag, attribute: Attribute, why: str) -> Cut:
        whole = attribute.name in _WHOLE.get(tag.name, ())
        return Cut(tag.start, tag.end, b"", why) if whole else Cut(attribute.start, attribute.end, b"", why)

    def _link(self, tag: Tag, attribute: Attribute) -> Iterator[Cut]:
        if tag.name not in ("a", "area") and not tag.name.startswith("v:"):
            return
        value = self._content[attribute.value_start : attribute.value_end]
        if value not in self._cleaned:
            self._cleaned[value] = clean(value, self._facts, self._exempt, markup=True)
        for cut in self._cleaned[value]:
            yield Cut(cut.start + attribute.value_start, cut.end + attribute.value_start, cut.text, cut.kind)

    def _refresh(self, tag: Tag) -> Iterator[Cut]:
        equivalent, content = tag.get("http-equiv"), tag.get("content")
        if equivalent is None or content is None or equivalent.value.strip().lower() != "refresh":
            return
        found = _REFRESH.match(content.value)
        if found and (why := self._judge("content", found[1], SIZELESS)):
            yield Cut(tag.start, tag.end, b"", why)

    def _sheet(self, node: Style) -> Iterator[Cut]:
        try:
            for load, why in self._tracking(self._content[node.start : node.end].decode("latin-1")):
                instead = load.instead.encode("latin-1")
                yield Cut(node.start + load.start, node.start + load.end, instead, why)
        except UnreadableStyle:
            yield Cut(node.start, node.end, b"", "unreadable-style")

    def _style(self, attribute: Attribute) -> Iterator[Cut]:
        raw = self._content[attribute.value_start : attribute.value_end]
        style = attribute.value if b"&" in raw else raw.decode("latin-1")
        try:
            found = self._tracking(style)
        except UnreadableStyle:
            yield Cut(attribute.start, attribute.end, b"", "unreadable-style")
            return
        if found and b"&" in raw:
            yield Cut(attribute.start, attribute.end, _rewritten(style, found), found[0][1])
            return
        for load, why in found:
            at = attribute.value_start
            yield Cut(at + load.start, at + load.end, load.instead.encode("latin-1"), why)

    def _tracking(self, style: str) -> list[tuple[Load, str]]:
        judged = ((load, self._judge("style", load.address, SIZELESS)) for load in loads(style))
        return [(load, why) for load, why in judged if why]


def _rewritten(style: str, found: list[tuple[Load, str]]) -> bytes:
    """A style attribute written anew: its value held character references, so its positions are not those of bytes."""
    kept, at = [], 0
    for load, _ in found:
        kept += [style[at : load.start], load.instead]
        at = load.end
    value = html.escape("".join((*kept, style[at:])))
    return b'style="' + value.encode("latin-1", "xmlcharrefreplace") + b'"'
