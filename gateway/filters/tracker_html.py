"""One HTML part read for everything that loads or leads elsewhere.

what:       walks the tags that matter, keeps track of hidden elements and of the base address
takes→gives: content, what is known → `Cut`s in order, none overlapping
knows not:  parts, streams, consent (it is told whether links are cleaned); which attributes load (`tracker_surfaces`)
fails by:   `Unscannable`; `TooMany`
standard:   R-058, R-060; HTML 4.8, VML in conditional comments, AMP for Email
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from gateway.compared import NEVER, Compared
from gateway.config import weburl
from gateway.config.trackers import Trackers
from gateway.filters import tracker_surfaces as surfaces
from gateway.filters.tracker_images import LOOKED_AT, SIZELESS, STAYS, Judgement, Look, judge, look_of, ordinary
from gateway.filters.tracker_links import NOT_CLEANED, Cut, Rules, clean, plain, write
from gateway.filters.tracker_sheets import sheet
from gateway.filters.tracker_styles import NOTHING, UnreadableStyle, declarations, hides, loads, may_hide, may_load
from gateway.filters.tracker_text import shown_cuts
from gateway.message.html import Attribute, Sighting, Style, Text, Unscannable, Watch, sift

_SCHEME = re.compile(r"\s*[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_REMOTE = re.compile(r"\s*(?:https?:|ftp:|[/\\]\s*[/\\])", re.IGNORECASE)
_REFRESH = re.compile(r"[^;,]*[;,]\s*(?:url\s*=\s*)?['\"]?([^'\"]*)", re.IGNORECASE)
_BEFORE, _BEHIND = ({bytes((octet,)) for octet in b"\"' \t\r\n" + mark} for mark in (b"=", b">"))
"""What stands around the value of an attribute."""
_CANDIDATE = re.compile(r"[^\s,]\S*")


MOST = 2500
"""Different addresses of one part that load and are looked at closely; newsletters have some ten."""

SPACERS = 40
"""Different plain files of no size of which a part is searched for whether it loads them again."""


class TooMany(ValueError):
    """More remote loads than any real mail has: judging them all would be work that a sender could ask for freely."""


@dataclass(frozen=True, slots=True)
class Loads:
    """What loads are judged by. `reader` is the only recipient's address in lower case, "" where there are several."""

    facts: Trackers
    compared: Compared = NEVER
    reader: str = ""


def html_cuts(content: bytes, known: Loads, links: Rules | None) -> list[Cut]:
    """Everything that goes out of `content`. Without `links` only what loads by itself goes (S-46)."""
    # By start, the longest first: two sorts whose keys are read in C.
    found = sorted(_Reader(content, known, links).cuts(), key=attrgetter("end"), reverse=True)
    found.sort(key=attrgetter("start"))
    kept: list[Cut] = []
    for cut in found:
        if not kept or cut.start >= kept[-1].end:
            kept.append(cut)
    return kept


class _Reader:
    """One pass over one part."""

    def __init__(self, content: bytes, known: Loads, links: Rules | None) -> None:
        self._content = content
        self._known = known
        self._links = links
        self._sheet = sheet(content)
        self._base = ""
        self._watch = Watch()
        self._depth = 0
        self._judged: dict[tuple[str, Look], Judgement] = {}
        self._closely = 0
        self._searches = 0
        self._styles: dict[str, bool] = {}
        self._hiding: dict[str, bool] = {}
        self._clean_links: set[str] = set()
        self._links_seen: set[str] = set()
        self._loading: dict[str, bool] = {}
        self._looks: dict[tuple[tuple[tuple[str, str], ...], bool], Look] = {}

    def cuts(self) -> Iterator[Cut]:
        mark = "://" if self._links is not None else ""
        for node in sift(self._content, self._wanted, self._watch, mark=mark):
            if isinstance(node, Sighting):
                if node.closing:
                    self._leave(node)
                    continue
                if node.values:
                    yield from self._element(node)
                self._enter(node)
            elif isinstance(node, Style):
                yield from self._style_sheet(node)
            elif isinstance(node, Text) and self._links is not None and not node.element:
                yield from shown_cuts(self._content, node.start, node.end, self._links)

    def _wanted(self, name: str, values: Sequence[tuple[str, str | None]]) -> bool:
        """Cheap test whether a tag has to be looked at. Everything named here is handled in `_element` or `_enter`."""
        for key, value in values:
            if key == "href":
                if name not in ("a", "area") or self._links is not None:
                    return True
            elif key == "style":
                if value and self._style_matters(value):
                    return True
            elif key in surfaces.OF_INTEREST or (value and self._value_matters(name, key, value)):
                return True
        return name in self._sheet.hiding

    def _value_matters(self, name: str, key: str, value: str) -> bool:
        if key in ("class", "id"):
            return self._sheet.may_hide(name, value, value)
        return "(" in value and may_load(value)

    def _style_matters(self, style: str) -> bool:
        known = self._styles.get(style)
        if known is None:
            known = self._styles[style] = may_load(style) or may_hide(style)
        return known

    def _enter(self, tag: Sighting) -> None:
        if tag.within == "conditional" or tag.name in surfaces.VOID or tag.self_closing:
            return
        if self._depth:
            self._depth += tag.name == self._watch.name
        elif self._hides(tag):
            self._watch.name, self._depth = tag.name, 1

    def _leave(self, tag: Sighting) -> None:
        if self._depth and tag.within != "conditional":
            self._depth -= 1
            if not self._depth:
                self._watch.name = ""

    def _hides(self, tag: Sighting) -> bool:
        style = ""
        for name, value in tag.values:
            if name == "hidden":
                return True
            if name == "style" and value and may_hide(value):
                style = value
        said = self._said(tag)
        if said:
            return _hides(said, style)
        if style and style not in self._hiding:
            self._hiding[style] = _hides(said, style)
        return bool(style) and self._hiding[style]

    def _said(self, tag: Sighting) -> dict[str, str]:
        """What style sheets say about the element."""
        if not self._sheet.rules:
            return {}
        return self._sheet.of(tag.name, tag.get("class") or "", tag.get("id") or "")

    def _element(self, tag: Sighting) -> Iterator[Cut]:
        element = tag.name
        if element == "base" and not self._base and (base := tag.get("href")):
            self._base = base
            self._judged.clear()
        if element == "meta":
            yield from self._refresh(tag)
        relation = tag.get("rel") if element == "link" else None
        look: Look | None = None
        for name, value in tag.values:
            if not value:
                continue
            if surfaces.loads(element, name, relation):
                look = look or self._look(tag)
                yield from self._load(tag, name, value, look)
            elif name == "style":
                if self._style_loads(value):
                    yield from self._style(tag, name)
            elif self._links is not None and name in ("href", "xlink:href"):
                if element in ("a", "area") or element.startswith("v:"):
                    yield from self._link(tag, name, value, self._links)
            elif self._links is not None and name == "ping":
                attribute = _attribute(tag, name)
                yield Cut(attribute.start, attribute.end, b"", "ping")
            elif "(" in value and self._style_loads(value):
                yield from self._style(tag, name)

    def _style_loads(self, style: str) -> bool:
        """Whether something in it may track: cheap, and remembered, before the spans are asked for."""
        known = self._loading.get(style)
        if known is None:
            try:
                known = may_load(style) and bool(self._tracking(style))
            except UnreadableStyle:
                known = True
            self._loading[style] = known
        return known

    def _look(self, tag: Sighting) -> Look:
        if tag.name == "amp-pixel":
            return Look(tiny=True)
        if tag.name not in surfaces.SIZED:
            return SIZELESS if not self._depth else Look(hidden=True, bare=True)
        values = {name: value or "" for name, value in tag.values if name in LOOKED_AT}
        key = tuple(values.items())
        if self._sheet.rules:
            found = look_of(values, within_hidden=self._depth > 0, sheet=self._said(tag))
        else:
            known = self._looks.get((key, self._depth > 0))
            found = known or look_of(values, within_hidden=self._depth > 0)
            self._looks[key, self._depth > 0] = found
        return found if tag.name in surfaces.PICTURES else Look(found.tiny, found.hidden, True, found.line)

    def _load(self, tag: Sighting, name: str, value: str, look: Look) -> Iterator[Cut]:
        if name.endswith("srcset"):
            yield from self._candidates(tag, name, value, look)
            return
        found = self._judge(value, look)
        if found.instead:
            attribute = _attribute(tag, name)
            yield Cut(attribute.value_start, attribute.value_end, write(found.instead, markup=True), found.kind)
        elif found.kind:
            yield self._gone(tag, name, found.kind)

    def _candidates(self, tag: Sighting, name: str, value: str, look: Look) -> Iterator[Cut]:
        """Of a srcset: it goes when one of its addresses does; one that is made common is replaced."""
        pieces, at, kind = list[str](), 0, ""
        for match in _CANDIDATE.finditer(value):
            address = match[0].rstrip(",")
            found = self._judge(address, look) if self._base or _REMOTE.match(address) else STAYS
            if found.kind and not found.instead:
                yield self._gone(tag, name, found.kind)
                return
            if found.instead:
                kind = found.kind
                pieces += [value[at : match.start()], write(found.instead, markup=False).decode("ascii")]
                at = match.start() + len(address)
        if kind:
            attribute = _attribute(tag, name)
            new = html.escape("".join((*pieces, value[at:]))).encode("latin-1", "xmlcharrefreplace")
            yield Cut(attribute.value_start, attribute.value_end, new, kind)

    def _judge(self, address: str, look: Look) -> Judgement:
        key = address, look
        found = self._judged.get(key)
        if found is None:
            url = self._resolve(address)
            found = self._judged[key] = STAYS if url is None else self._judge_url(address, url, look)
        return found

    def _judge_url(self, address: str, url: weburl.Url, look: Look) -> Judgement:
        known = self._known
        if not known.compared.verdicts and ordinary(url, look, known.facts):
            return STAYS
        self._closely += 1
        if self._closely > MOST:
            raise TooMany(f"more than {MOST} addresses that are no ordinary pictures")
        often = look.unseen and weburl.static_file(url) and self._often(address)
        return judge(address, url, look, known.facts, known.compared.of(address), reader=known.reader, often=often)

    def _often(self, address: str) -> bool:
        """Whether the address stands in the part more than once; of more than `SPACERS` nobody asks."""
        self._searches += 1
        if self._searches > SPACERS:
            return False
        written, at, found = address.strip().encode("latin-1", "replace"), -1, 0
        for _ in range(SPACERS):
            at = self._content.find(written, at + 1)
            if at < 0 or found > 1:
                break
            after = at + len(written)
            found += self._content[at - 1 : at] in _BEFORE and self._content[after : after + 1] in _BEHIND
        return found > 1

    def _resolve(self, address: str) -> weburl.Url | None:
        url = weburl.read(address)
        if url is not None or not self._base or _SCHEME.match(address) or address.lstrip().startswith("#"):
            return url
        base = weburl.read(self._base)
        folder = base.path.rpartition("/")[0] if base and not address.lstrip().startswith("/") else ""
        return weburl.read(f"https://{base.host}{folder}/{address.strip().lstrip('/')}") if base else None

    def _gone(self, tag: Sighting, name: str, kind: str) -> Cut:
        if surfaces.is_only(tag.name, name):
            return Cut(*tag.span(), b"", kind)
        attribute = _attribute(tag, name)
        return Cut(attribute.start, attribute.end, b"", kind)

    def _link(self, tag: Sighting, name: str, value: str, rules: Rules) -> Iterator[Cut]:
        if value in self._clean_links or plain(value, rules):
            return
        if rules.full and value not in self._links_seen:
            yield Cut(tag.start, tag.start, b"", NOT_CLEANED)
            return
        self._links_seen.add(value)
        attribute = _attribute(tag, name)
        at = attribute.value_start
        cuts = clean(self._content[at : attribute.value_end], rules, markup=True)
        if not cuts:
            self._clean_links.add(value)
        for cut in cuts:
            yield Cut(cut.start + at, cut.end + at, cut.text, cut.kind)

    def _refresh(self, tag: Sighting) -> Iterator[Cut]:
        equivalent, content = tag.get("http-equiv"), tag.get("content")
        if equivalent is None or content is None or equivalent.strip().lower() != "refresh":
            return
        found = _REFRESH.match(content)
        if found and (kind := self._judge(found[1], SIZELESS).kind):
            yield Cut(*tag.span(), b"", kind)

    def _style_sheet(self, node: Style) -> Iterator[Cut]:
        try:
            found = self._tracking(self._content[node.start : node.end].decode("latin-1"))
        except UnreadableStyle:
            yield Cut(node.start, node.end, b"", "unreadable-style")
            return
        for start, end, instead, kind in found:
            yield Cut(node.start + start, node.start + end, instead.encode("latin-1", "replace"), kind)

    def _style(self, tag: Sighting, name: str) -> Iterator[Cut]:
        attribute = _attribute(tag, name)
        raw = self._content[attribute.value_start : attribute.value_end]
        style = attribute.value if b"&" in raw else raw.decode("latin-1")
        try:
            found = self._tracking(style)
        except UnreadableStyle:
            yield Cut(attribute.start, attribute.end, b"", "unreadable-style")
            return
        if found and b"&" in raw:
            yield Cut(attribute.start, attribute.end, _rewritten(attribute.name, style, found), found[0][3])
            return
        at = attribute.value_start
        for start, end, instead, kind in found:
            yield Cut(at + start, at + end, instead.encode("latin-1", "replace"), kind)

    def _tracking(self, style: str) -> list[tuple[int, int, str, str]]:
        """Of a style: start and end of each address that tracks, what is written there, and its kind."""
        found = []
        for load in loads(style):
            judged = self._judge(load.address, SIZELESS)
            if judged.kind:
                address = write(judged.instead, markup=False).decode("ascii") if judged.instead else NOTHING
                address = address.replace("(", "%28").replace(")", "%29").replace("'", "%27")
                found.append((load.start, load.end, load.with_address(address), judged.kind))
        return found


def _hides(said: Mapping[str, str], style: str) -> bool:
    try:
        return hides({**said, **declarations(style)})
    except UnreadableStyle:
        return True


def _attribute(tag: Sighting, name: str) -> Attribute:
    found = tag.tag().get(name)
    if found is None:
        raise Unscannable("an attribute was read in two ways")
    return found


def _rewritten(name: str, style: str, found: list[tuple[int, int, str, str]]) -> bytes:
    """A style attribute written anew: its value held character references, so its positions are not those of octets."""
    kept, at = [], 0
    for start, end, instead, _ in found:
        kept += [style[at:start], instead]
        at = end
    value = html.escape("".join((*kept, style[at:])))
    return f'{name}="{value}"'.encode("latin-1", "xmlcharrefreplace")
