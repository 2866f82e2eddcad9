"""HTML as spans: what stands where, so that edits can be spliced into the bytes that came in.

what:       tags with the spans of their attributes, text runs, comments, style sheets; nothing is ever serialised
takes→gives: content in an ASCII-compatible charset → tokens in order of offset
knows not:  mail, edits, which tags matter
fails by:   `Unscannable` when a span cannot be proven to be the source (then the part is not edited)
standard:   WHATWG HTML 13.2.5 (tokenization)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from turbohtml import Token, TokenType, tokenize
from turbohtml import unescape as unescape  # html.unescape, many times faster

# Offsets of the tokenizer count CRLF as one character; a tab is white space of the same length to HTML and to URLs.
_FLAT = bytes.maketrans(b"\r\n", b"\t\t")
_ATTRIBUTE = re.compile(
    r"[\t\f /]*+([^\t\f />][^\t\f />=]*+)(?:[\t\f ]*=[\t\f ]*(?:\"([^\"]*+)\"|'([^']*+)'|([^\t\f >]*+)))?"
)
_NAME = re.compile(r"</?[^\t\f />]*+")
_CONDITIONAL = re.compile(r"<!--\[if\b[^\]]*+\]>")
_ENDIF = "<![endif]"
# Raw text to a browser with scripting or frames; a mail program has neither and shows what is inside.
SHOWN = frozenset({"noscript", "noframes", "noembed", "iframe"})
RAW = frozenset({"style", "script", "title", "textarea", "xmp", "plaintext"}) | SHOWN
FOREIGN = frozenset({"svg", "math"})
_new = tuple.__new__  # a third of the time that calling the class takes; its fields in order, defaults included
_START, _END, _REFERENCE = TokenType.START_TAG, TokenType.END_TAG, TokenType.CHARACTER_REFERENCE
_TEXT = TokenType.TEXT
SPECIAL = RAW | FOREIGN
# What breaks no word that it stands in.
INLINE = frozenset({"a", "abbr", "b", "bdi", "bdo", "big", "code", "del", "em", "font", "i", "ins", "kbd", "mark"}) | {
    *("nobr", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr"),
}
DEEPEST = 4
_SMALL = 64 * 1024  # octets


class Unscannable(ValueError):
    """The tokenizer's spans do not match the source; nothing found may be used for edits."""


class Attribute(NamedTuple):
    """`start:end` covers the whole attribute, `value_start:value_end` the value without quotes.

    `name` in lower case; `value` with character references resolved, one character per octet, line ends as tabs.
    Without "=" the value span is empty and stands at `end`.
    """

    name: str
    start: int
    end: int
    value_start: int
    value_end: int
    value: str


class Tag(NamedTuple):
    """A start or end tag. A name given twice is in `attributes` twice; the first counts.

    `within` is "" or where a mail program may see it and a browser does not: "conditional" (MSO comment), or the name
    of the element whose raw text was read ("noscript" …).
    """

    name: str
    start: int
    end: int
    attributes: tuple[Attribute, ...] = ()
    closing: bool = False
    self_closing: bool = False
    within: str = ""

    def get(self, name: str) -> Attribute | None:
        """The attribute of this name that counts."""
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute
        return None


class Text(NamedTuple):
    """A run of text with its references as written; `element` names a raw text element around it (title, script …)."""

    start: int
    end: int
    element: str = ""
    within: str = ""


class Style(NamedTuple):
    """The text of a style element."""

    start: int
    end: int
    within: str = ""


class Comment(NamedTuple):
    """A comment, doctype or other markup that shows nothing. A `conditional` one is followed by the tokens in it."""

    start: int
    end: int
    conditional: bool = False
    within: str = ""


Node = Tag | Text | Style | Comment


def scan(content: bytes) -> Iterable[Node]:
    """All tokens of `content`. Linear. Raises `Unscannable`, at once or on the way."""
    if len(content) <= _SMALL:
        return _scanned(content)
    return _scan(flattened(content), 0, "", 0)


@lru_cache(maxsize=8)
def _scanned(content: bytes) -> tuple[Node, ...]:
    # One mail is read by several filters, and once per variant. Large ones are not kept: their nodes are larger still.
    return tuple(_scan(flattened(content), 0, "", 0))


Wanted = Callable[[str, Sequence[tuple[str, str | None]]], bool]


@dataclass(slots=True)
class Watch:
    """The element whose start and end tags `sift` gives even when they carry nothing; "" for none."""

    name: str = ""


class Sighting:
    """A tag as `sift` gives it: names and values at once, where they stand only when `tag()` is asked for.

    `values` has each attribute once, as in `Attribute`: name in lower case, references resolved, None without "=".
    """

    __slots__ = ("_base", "_flat", "_token", "closing", "name", "self_closing", "values", "within")

    def __init__(
        self, token: Token, values: Sequence[tuple[str, str | None]], closing: bool, flat: str, base: int, within: str
    ) -> None:
        self._token, self._flat, self._base = token, flat, base
        self.name = token.tag or ""
        self.values, self.closing, self.within = values, closing, within
        self.self_closing = bool(token.self_closing)

    def get(self, name: str) -> str | None:
        """The value of an attribute, "" where it has none; None where it is not there."""
        for key, value in self.values:
            if key == name:
                return value or ""
        return None

    @property
    def start(self) -> int:
        """Where the tag begins."""
        return self._base + self._token.col

    def span(self) -> tuple[int, int]:
        """Where it begins and ends, proven to be the source."""
        return self.start, self._base + verified(self._flat, self._token)

    def tag(self) -> Tag:
        """The tag with its spans. Raises `Unscannable` where they are not what the source says."""
        verified(self._flat, self._token)
        start = self._base + self._token.col
        return read_tag(self._token, self._token.source or "", start, self.within, self.closing)


Sifted = Sighting | Text | Style | Comment


def sift(content: bytes, wanted: Wanted, watch: Watch, *, mark: str = "") -> Iterator[Sifted]:
    """What `scan` gives, in the same order, but only what a filter asked for. Several times faster on most mail.

    Given are tags for whose name and attributes `wanted` says so, tags of the watched element, style sheets,
    conditional comments, and text with `mark` in it ("": none). `watch` may be changed on the way.
    Raises `Unscannable` where something that is given is not where it should be.
    """
    return _Sieve(wanted, watch, mark).sift(flattened(content), 0, "", 0)


@dataclass(frozen=True, slots=True)
class _Sieve:
    wanted: Wanted
    watch: Watch
    mark: str

    def sift(self, flat: str, base: int, within: str, depth: int) -> Iterator[Sifted]:
        wanted, watch = self.wanted, self.watch
        raw, foreign, before = "", 0, None
        marked = self._next(flat, 0)
        for token in tokenize(flat, resolve_references=False, capture_source=True):
            kind = token.type
            if kind is _TEXT or kind is _REFERENCE:
                continue
            start = token.col
            if raw or start > marked:
                end = verified(flat, before) if before is not None else 0
                yield from self._gap(flat, (end, start), base, (raw, within), depth, foreign > 0)
                raw, marked = "", self._next(flat, max(marked, start))
            before = token
            name = token.tag
            if kind is _START:
                values = token.attrs
                if (values and wanted(name or "", values)) or name == watch.name:
                    yield Sighting(token, values or (), False, flat, base, within)
                if name in SPECIAL:
                    raw = name if name in RAW else ""
                    foreign += name in FOREIGN and not token.self_closing
            elif kind is _END:
                if name == watch.name:
                    yield Sighting(token, (), True, flat, base, within)
                if foreign and name in FOREIGN:
                    foreign -= 1
            elif flat.startswith("<!--[if", start):
                verified(flat, token)
                yield from self._conditional(token.source or "", base + start, within, depth)
        if raw or marked < len(flat):
            end = verified(flat, before) if before is not None else 0
            yield from self._gap(flat, (end, len(flat)), base, (raw, within), depth, foreign > 0)

    def _next(self, flat: str, at: int) -> int:
        found = flat.find(self.mark, at) if self.mark else -1
        return len(flat) if found < 0 else found

    def _gap(
        self, flat: str, span: tuple[int, int], base: int, where: tuple[str, str], depth: int, foreign: bool
    ) -> Iterator[Sifted]:
        """What stands between two tokens: text, or the content of a raw text element."""
        start, end = span
        raw, within = where
        if start >= end:
            return
        if raw == "style":
            yield Style(base + start, base + end, within)
        elif (raw not in SHOWN or depth >= DEEPEST) and self.mark and flat.find(self.mark, start, end) >= 0:
            yield Text(base + start, base + end, raw, within)
        if (raw in SHOWN or (raw and foreign)) and depth < DEEPEST:
            yield from self.sift(flat[start:end], base + start, raw, depth + 1)

    def _conditional(self, source: str, start: int, within: str, depth: int) -> Iterator[Sifted]:
        inside = conditional(source) if depth < DEEPEST else None
        if inside is None:
            return
        first, last = inside
        yield Comment(start, start + len(source), True, within)
        yield from self.sift(source[first:last], start + first, "conditional", depth + 1)


def verified(flat: str, token: Token) -> int:
    """Where a token ends, once it is proven to stand where it says."""
    source = token.source or ""
    if not flat.startswith(source, token.col):
        raise Unscannable("a token is not where it should be")
    return token.col + len(source)


def flattened(content: bytes) -> str:
    """One character per octet, line ends as tabs."""
    return content.translate(_FLAT).decode("latin-1")


def tags(content: bytes) -> Iterator[Tag]:
    """Only the tags."""
    return (node for node in scan(content) if isinstance(node, Tag))


def _scan(flat: str, base: int, within: str, depth: int) -> Iterator[Node]:
    position = foreign = 0
    raw = ""
    for token in tokenize(flat, resolve_references=False, capture_source=True):
        kind, source = token.type, token.source
        if source is None or kind is _REFERENCE:
            continue  # the gap between two pieces of markup is the run of text, references and all
        start = token.col
        if start < position or not flat.startswith(source, start):
            raise Unscannable("a token is not where it should be")
        if start > position:
            if raw:
                yield from _run(flat, (position, start), base, raw, within, depth, foreign > 0)
            else:
                yield _new(Text, (base + position, base + start, "", within))
        position = start + len(source)
        raw = ""
        if kind is not _START and kind is not _END:
            yield from _comment(source, base + start, within, depth)
            continue
        tag = read_tag(token, source, base + start, within, kind is _END)
        yield tag
        name = tag.name
        if name in FOREIGN and not tag.self_closing:
            foreign = max(0, foreign + (-1 if tag.closing else 1))
        if name in RAW and not tag.closing:
            raw = name
    if position < len(flat):
        yield from _run(flat, (position, len(flat)), base, raw, within, depth, foreign > 0)


def _run(
    flat: str, span: tuple[int, int], base: int, raw: str, within: str, depth: int, foreign: bool
) -> Iterator[Node]:
    start, end = span
    if raw == "style":
        yield Style(base + start, base + end, within)
    elif raw not in SHOWN or depth >= DEEPEST:
        yield Text(base + start, base + end, raw, within)
    # In SVG and MathML a browser reads markup where these elements of HTML have raw text.
    if (raw in SHOWN or (raw and foreign)) and depth < DEEPEST:
        yield from _scan(flat[start:end], base + start, raw, depth + 1)


def _comment(source: str, start: int, within: str, depth: int) -> Iterator[Node]:
    inside = conditional(source) if depth < DEEPEST else None
    yield Comment(start, start + len(source), inside is not None, within)
    if inside is not None:
        first, last = inside
        yield from _scan(source[first:last], start + first, "conditional", depth + 1)


def conditional(source: str) -> tuple[int, int] | None:
    """Of a comment: start and end of what a mail program with conditions reads in it; None when it is no such one."""
    opened = _CONDITIONAL.match(source)
    if opened is None:
        return None
    closed = source.rfind(_ENDIF)
    return opened.end(), closed if closed >= opened.end() else len(source) - len("-->")


def read_tag(token: Token, source: str, start: int, within: str, closing: bool) -> Tag:
    """A tag and the spans of its attributes."""
    name = token.tag or ""
    if len(source) == len(name) + 2 + closing:  # the common tag without attributes
        return _new(Tag, (name, start, start + len(source), (), closing, False, within))
    attributes = () if closing else _attributes(token, source, start)
    return _new(Tag, (name, start, start + len(source), attributes, closing, bool(token.self_closing), within))


def _attributes(token: Token, source: str, start: int) -> tuple[Attribute, ...]:
    named = _NAME.match(source)
    values = dict(token.attrs or ())
    found: list[Attribute] = []
    seen: set[str] = set()
    position, end = named.end() if named else 0, len(source) - 1
    while match := _ATTRIBUTE.match(source, position, end):
        name = match[1].translate(_LOWER)
        group = match.lastindex or 1
        value_start, value_end = match.span(group) if group > 1 else (match.end(), match.end())
        if name not in values:
            raise Unscannable("an attribute was read in two ways")
        value = unescape(source[value_start:value_end]) if name in seen else values[name] or ""
        seen.add(name)
        spans = (start + match.start(1), start + match.end(), start + value_start, start + value_end)
        found.append(_new(Attribute, (name, *spans, value)))
        position = match.end()
    if len(seen) != len(values):
        raise Unscannable("an attribute was read in two ways")
    return tuple(found)


_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}  # only ASCII, as HTML does
