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
from typing import Protocol

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
# What Outlook hides and others show: `<!--[if !mso]><!-->` or `<![if !mso]>` up to its own end mark.
_REVEALED = re.compile(rb"<!(?:--)?\[if\b[^\]]{0,200}\]>?(?:[\s<!-]*-->|>?)")
_END_MARK = b"[endif]"
_UNFINISHED = re.compile(rb"<[A-Za-z/!?]")


@dataclass(frozen=True, slots=True)
class Place:
    """Insert at `position`; `lead` comes first (line ends as LF)."""

    position: int
    lead: bytes


class Watcher(Protocol):
    """Looks at the same nodes on the way."""

    def take(self, node: Node) -> None: ...


def after_text(content: bytes) -> Place:
    """Below the last line that shows something, with an empty line between; below a signature too (S-21: last)."""
    shown = len(content.rstrip())
    if not shown:
        return Place(len(content), b"")
    line = content.find(b"\n", shown)
    return Place(len(content), b"\n\n") if line < 0 else Place(line + 1, b"\n")


def html_place(content: bytes, *watchers: Watcher) -> Place:
    """Before the last </body> or </html> with nothing visible behind it, else the end; never inside what is unclosed.

    Raises `Unscannable`.
    """
    walk = _Walk(content)
    for node in scan(content):
        if not node.within:
            walk.take(node)
        for watcher in watchers:
            watcher.take(node)
    position, still_open, revealed = walk.end()
    closing = b"".join(b"</%s>" % name.encode() for name in still_open)
    return Place(position, closing + (b"<!--<![endif]-->" if revealed else b"") + b"\n")


_Spot = tuple[int, list[str], bool]
"""An offset, the elements that are open there (innermost first), and whether Outlook hides what stands there."""


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
        self._revealed = 0
        self._end: _Spot | None = None
        self._raw: tuple[str, _Spot] | None = None
        self._unfinished: _Spot | None = None

    def take(self, node: Node) -> None:
        if isinstance(node, Tag):
            self._tag(node)
        elif isinstance(node, Text):
            self._text(node)
        elif isinstance(node, Comment):
            source = self._content[node.start : node.end]
            if source.startswith(b"<!--") and (len(source) < 7 or not source.endswith((b"-->", b"--!>"))):
                self._stop(node.start)
            elif _REVEALED.fullmatch(source):
                self._revealed += 1
            elif _END_MARK in source and not source.startswith(b"<!--[if"):
                self._revealed = max(0, self._revealed - 1)

    def end(self) -> _Spot:
        """The place for the text, and what is open there."""
        places = [self._here(len(self._content)), self._end, self._unfinished, self._raw and self._raw[1]]
        return min(place for place in places if place is not None)

    def _here(self, at: int) -> _Spot:
        return at, self._open.names(), self._revealed > 0

    def _tag(self, tag: Tag) -> None:
        if tag.closing and self._raw is not None and tag.name == self._raw[0]:
            self._raw = None
        if tag.closing and tag.name in ("body", "html") and self._end is None:
            self._end = self._here(tag.start)
        if not tag.closing and tag.name not in _SILENT:
            self._end = None
        if not tag.closing and tag.name in _RAW and not tag.self_closing:
            self._raw = tag.name, self._here(tag.start)
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
            self._unfinished = self._here(at)
