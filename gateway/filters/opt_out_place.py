"""Where the visible opt-out goes in a text, so that it is the last thing a reader sees and is seen.

what:       finds the end of the visible content, and the tags that must be closed before it
takes→gives: content → `Place`
knows not:  what is inserted
fails by:   `Unscannable` when the HTML cannot be read
standard:   R-041, R-077; WHATWG HTML 13.2.6 (content after body, tables, raw text)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.message.html import Comment, Node, Tag, Text, scan

MAX_CLOSED = 1000
"""Open elements that are closed; more than that is no mail."""
_FRAME = frozenset({"html", "head", "body"})
_SILENT = frozenset({"html", "head", "body", "meta", "link", "base"})
_VOID = frozenset(
    {"area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen", "link"}
) | {"meta", "param", "source", "track", "wbr"}
# Closed by what follows anyway; a forgotten end tag of these hides nothing.
_IMPLIED = frozenset(
    {"p", "li", "dt", "dd", "option", "optgroup", "rb", "rp", "rt", "rtc", "tr", "td", "th", "tbody", "thead"}
) | {"tfoot", "caption", "colgroup"}
_NEVER_CLOSED = _FRAME | _VOID | _IMPLIED
_RAW = frozenset(
    ["style", "script", "title", "textarea", "xmp", "plaintext", "noscript", "noframes", "noembed", "iframe"]
)
_UNFINISHED = re.compile(rb"<[A-Za-z/!?]")


@dataclass(frozen=True, slots=True)
class Place:
    """Insert at `position`; `lead` comes first (line ends as LF)."""

    position: int
    lead: bytes


def after_text(content: bytes, line_end: bytes) -> Place:
    """Below the last line of a plain text, with an empty line between."""
    if not content.strip():
        return Place(len(content), b"")
    return Place(len(content), b"\n" if content.endswith(line_end) else b"\n\n")


def html_place(content: bytes) -> Place:
    """Before the last </body> or </html> with nothing visible behind it, else the end; never inside what is unclosed.

    Raises `Unscannable`.
    """
    walk = _Walk(content)
    for node in scan(content):
        if not node.within:
            walk.take(node)
    position, still_open = walk.end()
    return Place(position, b"".join(b"</%s>" % name.encode() for name in still_open) + b"\n")


class _Open:
    """Elements that are open, without those that end by themselves."""

    def __init__(self) -> None:
        self._stack: list[str] = []
        self._count: dict[str, int] = {}

    def take(self, tag: Tag) -> None:
        if tag.name in _NEVER_CLOSED or tag.self_closing:
            return
        if not tag.closing:
            self._stack.append(tag.name)
            self._count[tag.name] = self._count.get(tag.name, 0) + 1
        elif self._count.get(tag.name):
            while (name := self._stack.pop()) != tag.name:
                self._count[name] -= 1
            self._count[tag.name] -= 1

    def names(self) -> list[str]:
        """Innermost first, at most `MAX_CLOSED`."""
        return self._stack[: -MAX_CLOSED - 1 : -1]


class _Walk:
    """Remembers where the document's end begins, where something begins that never ends, and what is open there."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._open = _Open()
        self._end: tuple[int, list[str]] | None = None
        self._raw: tuple[str, int, list[str]] | None = None
        self._unfinished: tuple[int, list[str]] | None = None

    def take(self, node: Node) -> None:
        if isinstance(node, Tag):
            self._tag(node)
        elif isinstance(node, Text):
            self._text(node)
        elif isinstance(node, Comment):
            source = self._content[node.start : node.end]
            if source.startswith(b"<!--") and (len(source) < 7 or not source.endswith((b"-->", b"--!>"))):
                self._stop(node.start)

    def end(self) -> tuple[int, list[str]]:
        """The place for the text, and what is open there."""
        places = [(len(self._content), self._open.names()), self._end, self._unfinished, self._raw and self._raw[1:]]
        return min(place for place in places if place is not None)

    def _tag(self, tag: Tag) -> None:
        if tag.closing and self._raw is not None and tag.name == self._raw[0]:
            self._raw = None
        if tag.closing and tag.name in ("body", "html") and self._end is None:
            self._end = tag.start, self._open.names()
        if not tag.closing and tag.name not in _SILENT:
            self._end = None
        if not tag.closing and tag.name in _RAW and not tag.self_closing:
            self._raw = tag.name, tag.start, self._open.names()
        self._open.take(tag)

    def _text(self, text: Text) -> None:
        source = self._content[text.start : text.end]
        if not text.element and (found := _UNFINISHED.search(source)):
            self._stop(text.start + found.start())
            source = source[: found.start()]
        if source.strip() and text.element not in ("title", "script"):
            self._end = None

    def _stop(self, at: int) -> None:
        if self._unfinished is None:
            self._unfinished = at, self._open.names()
