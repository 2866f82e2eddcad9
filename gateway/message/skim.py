"""HTML at a glance: only the nodes that somebody asked for, so that what nobody asks for costs next to nothing.

what:       tags by name and place, text and comments on demand, style sheets
takes→gives: content in an ASCII-compatible charset + `Glance` → marks and nodes in order of offset
knows not:  mail, edits, which tags matter
fails by:   `Unscannable` where `html.scan` does
standard:   WHATWG HTML 13.2.5 (tokenization)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from turbohtml import Token, TokenType, tokenize

from gateway.message import html
from gateway.message.html import Comment, Sighting, Style, Tag, Text, Unscannable, Watch, sift

_new = tuple.__new__  # a third of the time that calling the class takes; its fields in order
_END, _REFERENCE, _TEXT = TokenType.END_TAG, TokenType.CHARACTER_REFERENCE, TokenType.TEXT
_SPECIAL = html.SPECIAL
_NOTHING: tuple[frozenset[str], list[str], list[int], dict[str, int]] = (frozenset(), [], [], {})


class Nesting:
    """Which elements are open, but for those in `alone`, which end by themselves; outside raw text and comments.

    `top` is the number of the innermost one, 0 for none: whoever keeps that number keeps all that is open at a place.
    `skim` itself opens them, in its loop: that is done for every start tag.
    """

    __slots__ = ("alone", "around", "count", "names", "top")

    def __init__(self, alone: frozenset[str]) -> None:
        self.alone, self.top = alone, 0
        self.names, self.around = [""], [0]  # by number; what an element stands in
        self.count: defaultdict[str, int] = defaultdict(int)

    @property
    def parts(self) -> tuple[frozenset[str], list[str], list[int], dict[str, int]]:
        """For the loop of `skim`."""
        return self.alone, self.names, self.around, self.count

    def close(self, name: str) -> None:
        """An end tag: it ends what is open inside of its element too, and nothing where there is no such element."""
        if self.count.get(name):
            closed = ""
            while closed != name:
                closed = self.names[self.top]
                self.count[closed] -= 1
                self.top = self.around[self.top]

    def innermost(self, top: int, most: int) -> list[str]:
        """At most so many names, from the innermost outwards, of what was open when `top` was this."""
        found: list[str] = []
        while top and len(found) < most:
            found.append(self.names[top])
            top = self.around[top]
        return found


@dataclass(slots=True)
class Glance:
    """What `skim` gives beside style sheets. `closely` and `texts` may be changed on the way.

    Tags of the elements in `names`; `closely`: of all; `texts`: all texts; `comments`: all comments, not just one that
    ends the content; `inside`: what stands in conditional comments and in raw text. `nesting` is kept on the way.
    """

    names: frozenset[str]
    closely: bool = False
    texts: bool = False
    comments: bool = True
    inside: bool = True
    nesting: Nesting | None = None


class Mark(NamedTuple):
    """A tag by name and place. Its attributes are read only when `tag()` is asked for."""

    name: str
    start: int
    closing: bool
    within: str
    token: Token
    flat: str

    @property
    def self_closing(self) -> bool:
        """Whether it ends in "/>"."""
        return bool(self.token.self_closing)

    def tag(self) -> Tag:
        """The tag with its spans. Raises `Unscannable` where they are not what the source says."""
        html.verified(self.flat, self.token)
        return html.read_tag(self.token, self.token.source or "", self.start, self.within, self.closing)


Glimpse = Mark | Text | Style | Comment


def skim(content: bytes, glance: Glance) -> Iterator[Glimpse]:
    """What `scan` gives, in the same order, but only what `glance` asks for."""
    if b"\0" in content:
        _prove(content)
    return _skim(html.flattened(content), 0, "", 0, glance)


def _prove(content: bytes) -> None:
    """The tokenizer replaces this octet: in the name of an attribute it is not to be found in the source any more."""
    for node in sift(content, lambda _, values: any("\ufffd" in name for name, _ in values), Watch()):
        if isinstance(node, Sighting):
            raise Unscannable("an attribute was read in two ways")


def _skim(flat: str, base: int, within: str, depth: int, glance: Glance) -> Iterator[Glimpse]:
    raw, foreign, before = "", 0, None
    nesting = None if within else glance.nesting
    alone, names, around, count = nesting.parts if nesting is not None else _NOTHING
    noted = _SPECIAL | glance.names
    closely, texts = glance.closely, glance.texts
    for token in tokenize(flat, resolve_references=False, capture_source=True):
        kind = token.type
        if kind is _TEXT or kind is _REFERENCE:
            continue
        if texts or raw:
            end = html.verified(flat, before) if before is not None else 0
            start = token.col
            if start > end:
                if raw:
                    yield from _between(flat, (end, start), base, (raw, within), (depth, foreign > 0), glance)
                else:  # what `_between` gives for it
                    yield _new(Text, (base + end, base + start, "", within))
                closely, texts = glance.closely, glance.texts
            raw = ""
        before, name = token, token.tag
        if name is None:
            if glance.comments:
                yield from _comment(flat, token, base, within, depth, glance)
                closely, texts = glance.closely, glance.texts
            continue
        closing = kind is _END
        if closely or name in noted:
            if closely or name in glance.names:
                yield _new(Mark, (name, base + token.col, closing, within, token, flat))
                closely, texts = glance.closely, glance.texts
            if name in _SPECIAL:
                raw = name if name in html.RAW and not closing else ""
                if name in html.FOREIGN and not token.self_closing:
                    foreign = max(0, foreign + (-1 if closing else 1))
        if nesting is None:
            continue
        if closing:
            nesting.close(name)
        elif name not in alone and not token.self_closing:
            around.append(nesting.top)
            nesting.top = len(names)
            names.append(name)
            count[name] += 1
    yield from _last(flat, before, base, (raw, within), (depth, foreign > 0), glance)


def _last(
    flat: str, before: Token | None, base: int, where: tuple[str, str], nesting: tuple[int, bool], glance: Glance
) -> Iterator[Glimpse]:
    """What stands behind all tags, and before it the comment that may have no end."""
    end = html.verified(flat, before) if before is not None else 0
    if before is not None and before.tag is None and end == len(flat) and not glance.comments:
        yield Comment(base + before.col, base + end, False, where[1])
    if end < len(flat):
        yield from _between(flat, (end, len(flat)), base, where, nesting, glance)


def _between(
    flat: str, span: tuple[int, int], base: int, where: tuple[str, str], nesting: tuple[int, bool], glance: Glance
) -> Iterator[Glimpse]:
    """What stands between two tokens: text, or the content of a raw text element."""
    start, end = span
    raw, within = where
    depth, foreign = nesting
    deeper = depth < html.DEEPEST
    if raw == "style":
        yield Style(base + start, base + end, within)
    elif raw not in html.SHOWN or not deeper:
        yield _new(Text, (base + start, base + end, raw, within))
    if glance.inside and (raw in html.SHOWN or (raw and foreign)) and deeper:
        yield from _skim(flat[start:end], base + start, raw, depth + 1, glance)


def _comment(flat: str, token: Token, base: int, within: str, depth: int, glance: Glance) -> Iterator[Glimpse]:
    """A comment, and what stands in it where it is a conditional one."""
    start, end = token.col, html.verified(flat, token)
    inside = html.conditional(flat[start:end]) if glance.inside and depth < html.DEEPEST else None
    yield _new(Comment, (base + start, base + end, inside is not None, within))
    if inside is not None:
        first, last = inside
        yield from _skim(flat[start + first : start + last], base + start + first, "conditional", depth + 1, glance)
