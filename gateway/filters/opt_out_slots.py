"""The organisation's own place for the opt-out in its templates: filled, wherever it stands.

what:       placeholders of the settings in texts and in addresses of links; what stands beside the link already
takes→gives: content → what to replace, whether a reader sees a link then, what the text says about who sends
knows not:  which parts, where else a text could go
fails by:   `Unscannable` when the HTML cannot be read
standard:   S-21, S-38, S-54, S-69; R-041, R-077; L-29
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from urllib.parse import unquote

from gateway.config.organisation import Controller
from gateway.message.html import Attribute, Node, Tag, Text, scan, unescape

_ADDRESSES = frozenset({"href", "xlink:href", "action"})
_SCHEME = r"(?:https?:/{1,2}|mailto:)?"
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|mso-hide\s*:\s*all", re.IGNORECASE
)
_NEVER_HELD = frozenset({"br", "img", "hr", "input", "meta", "link", "area", "base", "col", "wbr", "source", "embed"})
_SILENT = frozenset({"title", "script", "style", "textarea"})
_NOT_ALIKE = re.compile(r"[^\w]+|_")
_COUNTRY = 3  # parts of an address from which on the last is a country that nobody writes at home


class Kind(Enum):
    """What stands in a place: an address of a link, a text, or a text inside a link."""

    ADDRESS = "address"
    TEXT = "text"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class Found:
    """`start:end` of the content is a placeholder. `seen`: a reader gets a link there once it is filled."""

    start: int
    end: int
    kind: Kind
    seen: bool


def in_text(content: bytes, placeholders: tuple[str, ...]) -> list[Found]:
    """In plain text, a scheme before the placeholder included."""
    if not placeholders:
        return []
    return [Found(*found.span(), Kind.TEXT, seen=True) for found in _written(placeholders).finditer(content)]


def in_html(content: bytes, placeholders: tuple[str, ...]) -> list[Found]:
    """In addresses of links, also in Outlook's comments, and in visible text."""
    if not placeholders or not _worth_a_look(content, placeholders):
        return []
    walk = _Walk(content, placeholders)
    for node in scan(content):
        walk.take(node)
    return walk.found


def shows_who(text: str, source: str, controller: Controller) -> bool:
    """Whether what a reader sees names the sender and its postal address, and the policy is linked or written out."""
    seen = _alike(text)
    *places, last = [part for part in map(_alike, controller.postal_address.split(",")) if part] or [""]
    if len(places) + 1 < _COUNTRY or any(c.isdigit() for c in last):
        places.append(last)
    policy = controller.policy_url.rstrip("/")
    return _alike(controller.name) in seen and all(part in seen for part in places) and policy in unescape(source)


def visible_text(content: bytes, codec: str) -> str:
    """What a reader of HTML sees, tags as blanks."""
    runs = (
        content[node.start : node.end]
        for node in scan(content)
        if isinstance(node, Text) and node.element not in _SILENT and not node.within
    )
    return unescape(b" ".join(runs).decode(codec, "replace"))


def _alike(text: str) -> str:
    return _NOT_ALIKE.sub("", text).casefold()


def _worth_a_look(content: bytes, placeholders: tuple[str, ...]) -> bool:
    """A cheap first question, for the many mails without. Percent-encoded or as references, braces look otherwise."""
    low = content.lower()
    return any(p.encode() in content for p in placeholders) or any(word in low for word in _spelled(placeholders))


@lru_cache(maxsize=64)
def _written(placeholders: tuple[str, ...]) -> re.Pattern[bytes]:
    return re.compile((_SCHEME + "(?:" + "|".join(map(re.escape, placeholders)) + ")").encode(), re.IGNORECASE)


@lru_cache(maxsize=64)
def _spelled(placeholders: tuple[str, ...]) -> tuple[bytes, ...]:
    """The longest word of each placeholder in lower case, which no encoding touches."""
    words = {max(re.findall(r"[A-Za-z0-9_]+", p) or [p], key=len) for p in placeholders}
    return tuple(word.encode().lower() for word in sorted(words))


class _Walk:
    """Placeholders in order, with what is open around them."""

    def __init__(self, content: bytes, placeholders: tuple[str, ...]) -> None:
        self.found: list[Found] = []
        self._content = content
        self._names = tuple(p.casefold() for p in placeholders)
        self._text = _written(placeholders)
        self._open: list[tuple[str, bool]] = []  # name, hidden
        self._hidden = 0
        self._link = 0
        self._empty: int | None = None  # which of `found` is a link that shows nothing yet

    def take(self, node: Node) -> None:
        if isinstance(node, Tag):
            self._tag(node)
        elif isinstance(node, Text) and node.element not in _SILENT and not node.within:
            if self._content[node.start : node.end].strip():
                self._shown()
            for found in self._text.finditer(self._content, node.start, node.end):
                kind = Kind.LABEL if self._link else Kind.TEXT
                self.found.append(Found(*found.span(), kind, seen=not self._hidden and kind is Kind.TEXT))

    def _tag(self, tag: Tag) -> None:
        if not tag.within:
            self._nest(tag)
        for attribute in () if tag.closing else tag.attributes:
            if attribute.name in _ADDRESSES and attribute.value_end > attribute.value_start and self._asks(attribute):
                if tag.name == "a" and attribute.name == "href" and not tag.within:
                    self._empty = len(self.found)
                self.found.append(Found(attribute.value_start, attribute.value_end, Kind.ADDRESS, seen=False))

    def _shown(self) -> None:
        """Something to see: a link around it is one that a reader sees."""
        if self._empty is not None and self._link and not self._hidden:
            self.found[self._empty] = replace(self.found[self._empty], seen=True)
            self._empty = None

    def _asks(self, attribute: Attribute) -> bool:
        value = attribute.value.casefold()
        return any(name in spelling for spelling in (value, unquote(value)) for name in self._names)

    def _nest(self, tag: Tag) -> None:
        if tag.closing:
            self._close(tag.name)
        elif tag.name == "img":
            self._shown()
        elif tag.name not in _NEVER_HELD and not tag.self_closing:
            style = tag.get("style")
            hidden = tag.get("hidden") is not None or bool(style and _HIDDEN.search(style.value))
            self._open.append((tag.name, hidden))
            self._hidden += hidden
            self._link += tag.name == "a"

    def _close(self, name: str) -> None:
        if not any(other == name for other, _ in self._open[-64:]):
            return
        while self._open:
            other, hidden = self._open.pop()
            self._hidden -= hidden
            self._link -= other == "a"
            self._empty = None if other == "a" else self._empty
            if other == name:
                return
