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
    position = walk.position()
    return Place(position, b"".join(b"</%s>" % name.encode() for name in _open_at(content, position)) + b"\n")


class _Walk:
    """Remembers where the document's end begins, and where something begins that never ends."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._end: int | None = None
        self._raw: Tag | None = None
        self._unfinished: int | None = None

    def take(self, node: Node) -> None:
        if isinstance(node, Tag):
            self._tag(node)
        elif isinstance(node, Text):
            self._text(node)
        elif isinstance(node, Comment):
            source = self._content[node.start : node.end]
            if source.startswith(b"<!--") and (len(source) < 7 or not source.endswith((b"-->", b"--!>"))):
                self._stop(node.start)

    def position(self) -> int:
        """The place for the text."""
        if self._raw is not None:
            self._stop(self._raw.start)
        places = (self._end, self._unfinished, len(self._content))
        return min(place for place in places if place is not None)

    def _tag(self, tag: Tag) -> None:
        if tag.closing:
            if self._raw is not None and tag.name == self._raw.name:
                self._raw = None
            if tag.name in ("body", "html") and self._end is None:
                self._end = tag.start
            return
        if tag.name in _RAW and not tag.self_closing:
            self._raw = tag
        if tag.name not in _SILENT:
            self._end = None

    def _text(self, text: Text) -> None:
        source = self._content[text.start : text.end]
        if not text.element and (found := _UNFINISHED.search(source)):
            self._stop(text.start + found.start())
            source = source[: found.start()]
        if source.strip() and text.element not in ("title", "script"):
            self._end = None

    def _stop(self, at: int) -> None:
        self._unfinished = at if self._unfinished is None else min(at, self._unfinished)


def _open_at(content: bytes, position: int) -> list[str]:
    """Elements that are still open at `position`, innermost first, without those that end by themselves."""
    stack: list[str] = []
    count: dict[str, int] = {}
    for node in scan(content):
        if node.end > position:
            break
        if not isinstance(node, Tag) or node.within or node.name in _FRAME | _VOID | _IMPLIED or node.self_closing:
            continue
        if not node.closing:
            stack.append(node.name)
            count[node.name] = count.get(node.name, 0) + 1
        elif count.get(node.name):
            while (name := stack.pop()) != node.name:
                count[name] -= 1
            count[node.name] -= 1
    return stack[: -MAX_CLOSED - 1 : -1]
