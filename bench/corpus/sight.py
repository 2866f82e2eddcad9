"""What a reader sees of an HTML mail, and where its links lead: for finding the opt-out by other eyes than ours.

what:       visible text and visible links, by the standard library's HTML reader
takes→gives: HTML → `Sight`
knows not:  our scanner, style sheets (only what an element says of itself)
fails by:   nothing
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_UNSEEN = frozenset(
    {"script", "style", "title", "head", "template", "textarea", "select", "noframes", "iframe", "object"}
)
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
_OF_THE_HEAD = frozenset({"base", "link", "meta", "noscript", "script", "style", "template", "title", "head", "html"})
"""What may stand in a head; anything else ends it, whether or not it was closed (HTML 13.2.6.4.4)."""
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d])|mso-hide\s*:\s*all", re.I
)


@dataclass(slots=True)
class Sight:
    """Visible text, and each visible link with its words."""

    text: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)


class _Eyes(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sight = Sight()
        self._open: list[tuple[str, bool]] = []
        self._href = ""

    @property
    def _blind(self) -> bool:
        return any(hidden for _, hidden in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in reversed(attrs)}
        if tag not in _OF_THE_HEAD:
            over = ("head", "title") if tag == "body" else ("head",)
            self._open = [entry for entry in self._open if entry[0] not in over]
        hidden = tag in _UNSEEN or "hidden" in values or bool(_HIDING.search(values.get("style", "")))
        if tag == "a" and values.get("href"):
            self._href = values["href"].strip()
        if tag not in _VOID:
            self._open.append((tag, hidden))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at][0] == tag:
                del self._open[at:]
                break
        if tag == "a":
            self._href = ""

    def handle_data(self, data: str) -> None:
        words = data.strip()
        if not words or self._blind:
            return
        self.sight.text.append(words)
        if self._href:
            self.sight.links.append((self._href, words))
            self._href = ""


def see(markup: str) -> Sight:
    """What is visible of `markup`."""
    eyes = _Eyes()
    comment = markup.rfind("<!--")
    if comment >= 0 and markup.find("-->", comment) < 0:
        markup = markup[:comment]  # never closed: browsers show nothing from there on
    eyes.feed(markup)
    eyes.close()
    return eyes.sight
