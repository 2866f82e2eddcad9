"""Where the visible opt-out goes in a text, so that it is the last thing a reader sees and is seen.

what:       finds the end of the visible content, and the tags that must be closed before it
takes→gives: content → `Place`
knows not:  what is inserted
fails by:   `Unscannable` when the HTML cannot be read
standard:   R-041, R-077; WHATWG HTML 13.2.6 (content after body, tables, raw text)
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

from gateway.message.html import Comment, Text
from gateway.message.skim import Glance, Glimpse, Mark, Nesting, skim

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
_LAST = frozenset({"body", "html"})
_NOTED = _LAST | _RAW
# What Outlook hides and others show: `<!--[if !mso]><!-->` or `<![if !mso]>` up to its own end mark.
_REVEALED = re.compile(rb"<!(?:--)?\[if\b[^\]]{0,200}\]>?(?:[\s<!-]*-->|>?)")
_END_MARK = b"[endif]"
_TELLING = (b"[if", _END_MARK, b"<!-->", b"<!--->")
"""Comments of other kinds only matter where the last of them never ends."""
_DROPPED = b"</>"
"""What a browser skips: to us a tag that never ends."""
_UNFINISHED = re.compile(rb"<[A-Za-z/!?]")


@dataclass(frozen=True, slots=True)
class Place:
    """Insert at `position`; `lead` comes first (line ends as LF)."""

    position: int
    lead: bytes


class Watcher(Protocol):
    """Looks at the same nodes on the way: at all of them."""

    def take(self, node: Glimpse) -> None: ...


class Choosy(ABC):
    """A watcher of less: tags of the elements `names` alone, texts while it `reads`, what stands `inside` conditional
    comments and raw text only if it says so. Style sheets it gets in any case, comments perhaps."""

    names: frozenset[str] = frozenset()
    reads = False
    inside = False

    @abstractmethod
    def take(self, node: Glimpse) -> None: ...


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
    choosy = [watcher for watcher in watchers if isinstance(watcher, Choosy)]
    others = tuple(watcher for watcher in watchers if not isinstance(watcher, Choosy))
    named = {name: (*(w for w in choosy if name in w.names), *others) for w in choosy for name in w.names}
    closely = bool(others) or _DROPPED in content
    glance = Glance(
        names=_NOTED.union(named),
        closely=closely,
        texts=closely,
        comments=bool(others) or any(sign in content for sign in _TELLING),
        inside=bool(others) or any(watcher.inside for watcher in choosy),
        nesting=Nesting(_NEVER_CLOSED),
    )
    walk = _Walk(content, glance)
    for node in skim(content, glance):
        if not node.within:
            walk.take(node)
        for watcher in named.get(node.name, others) if type(node) is Mark else watchers:
            watcher.take(node)
        glance.texts = glance.closely or any(watcher.reads for watcher in choosy)
    position, still_open, revealed = walk.end()
    closing = b"".join(b"</%s>" % name.encode() for name in still_open)
    return Place(position, closing + (b"<!--<![endif]-->" if revealed else b"") + b"\n")


_Spot = tuple[int, int, bool]
"""An offset, what is open there (`Nesting.top`), and whether Outlook hides what stands there."""


class _Walk:
    """Remembers where the document's end begins, where something begins that never ends, and what is open there."""

    def __init__(self, content: bytes, glance: Glance) -> None:
        self._content = content
        self._glance = glance
        self._always = glance.closely
        self._revealed = 0
        self._end: _Spot | None = None
        self._raw: tuple[str, _Spot] | None = None
        self._unfinished: _Spot | None = None

    def take(self, node: Glimpse) -> None:
        if type(node) is Mark:
            self._tag(node)
        elif type(node) is Text:
            self._text(node)
        elif type(node) is Comment:
            self._comment(node)

    def end(self) -> tuple[int, list[str], bool]:
        """The place for the text, what is open there, innermost first, and whether Outlook hides what stands there."""
        places = [self._here(len(self._content)), self._end, self._unfinished, self._raw and self._raw[1]]
        position, top, revealed = min(place for place in places if place is not None)
        return position, self._nesting.innermost(top, MAX_CLOSED), revealed

    @property
    def _nesting(self) -> Nesting:
        assert self._glance.nesting is not None
        return self._glance.nesting

    def _here(self, at: int) -> _Spot:
        return at, self._nesting.top, self._revealed > 0

    def _ends(self, spot: _Spot | None) -> None:
        """From a place that may be the end on, everything counts: each may show something."""
        self._end = spot
        self._glance.closely = self._always or spot is not None

    def _tag(self, tag: Mark) -> None:
        name = tag.name
        if tag.closing:
            if self._raw is not None and name == self._raw[0]:
                self._raw = None
            if name in _LAST and self._end is None:
                self._ends(self._here(tag.start))
        else:
            if self._end is not None and name not in _SILENT:
                self._ends(None)
            if name in _RAW and not tag.self_closing:
                self._raw = name, self._here(tag.start)

    def _comment(self, comment: Comment) -> None:
        source = self._content[comment.start : comment.end]
        if source.startswith(b"<!--") and (len(source) < 7 or not source.endswith((b"-->", b"--!>"))):
            self._stop(comment.start)
        elif _REVEALED.fullmatch(source):
            self._revealed += 1
        elif _END_MARK in source and not source.startswith(b"<!--[if"):
            self._revealed = max(0, self._revealed - 1)

    def _text(self, text: Text) -> None:
        source = self._content[text.start : text.end]
        if not text.element and (found := _UNFINISHED.search(source)):
            self._stop(text.start + found.start())
            source = source[: found.start()]
        if self._end is not None and source.strip() and text.element not in ("title", "script"):
            self._ends(None)

    def _stop(self, at: int) -> None:
        if self._unfinished is None:
            self._unfinished = self._here(at)
