"""The colour our text needs where the one it would inherit could not be seen.

what:       the colours that a mail gives its page (body element and style sheets)
takes→gives: HTML content → "" (inherit), or a colour for the text
knows not:  colours of tables and boxes: our text stands below them, on the page itself
fails by:   nothing; what cannot be read is as if it were not said
standard:   R-077; WCAG 2.2 1.4.3 (contrast), 1.4.3 relative luminance
"""

from __future__ import annotations

import re

from gateway.filters.opt_out_place import Choosy
from gateway.message.html import Style, Tag
from gateway.message.skim import Glimpse, Mark

_DECLARED = re.compile(r"(?:\A|[;{\s])(background(?:-color)?|color)\s*:\s*([^;}]{1,200})", re.IGNORECASE)
_BODY_RULE = re.compile(rb"(?<![\w.#-])body\s*(?:,[^{}]{0,200})?\{([^{}]{0,4000})\}", re.IGNORECASE)
_VALUE = re.compile(
    r"#([0-9a-f]{6}|[0-9a-f]{3})(?![0-9a-f])|rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)|([a-z]+)"
)
_NAMED = {
    "black": "000000",
    "white": "ffffff",
    "navy": "000080",
    "gray": "808080",
    "grey": "808080",
    "silver": "c0c0c0",
    "maroon": "800000",
    "purple": "800080",
    "green": "008000",
    "blue": "0000ff",
    "teal": "008080",
    "red": "ff0000",
    "yellow": "ffff00",
    "darkblue": "00008b",
    "darkgreen": "006400",
    "darkred": "8b0000",
    "indigo": "4b0082",
    "midnightblue": "191970",
    "darkslategray": "2f4f4f",
    "lightgray": "d3d3d3",
    "whitesmoke": "f5f5f5",
}
DARK, LIGHT = "#222222", "#ffffff"


class Page(Choosy):
    """Gathers what the mail says about its page, node by node; `colour` is what follows from it."""

    names = frozenset({"body"})

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._background: float | None = None
        self._text: float | None = None

    @property
    def worth_it(self) -> bool:
        """Whether the mail says anything about its page."""
        low = self._content.lower()
        return b"<style" in low or b"<body" in low

    def take(self, node: Glimpse | Tag) -> None:
        """Look at a node. What only some readers see says nothing about the page."""
        if type(node) is Style and not node.within:
            media = self._content.find(b"@media", node.start, node.end)  # dark mode, print: not how the page always is
            for rule in _BODY_RULE.finditer(self._content, node.start, node.end if media < 0 else media):
                self._declare(rule[1].decode("latin-1"), again=False)
        elif isinstance(node, Mark | Tag) and node.name == "body" and not node.closing and not node.within:
            self._attributes(node.tag() if isinstance(node, Mark) else node)

    def _attributes(self, body: Tag) -> None:
        for name, kind in (("bgcolor", "background"), ("text", "color")):
            if found := body.get(name):
                value = found.value.strip().lower()
                self._declare(f"{kind}:{value if value[:1] in '#' or value in _NAMED else '#' + value}", again=True)
        if style := body.get("style"):
            self._declare(style.value, again=True)

    def _declare(self, declarations: str, *, again: bool) -> None:
        for name, value in _DECLARED.findall(declarations):
            light = luminance(value)
            if light is None:
                continue
            if name.lower() == "color" and (again or self._text is None):
                self._text = light
            elif name.lower() != "color" and (again or self._background is None):
                self._background = light

    @property
    def colour(self) -> str:
        """Dark on a light page is what a page has that says nothing; where what it says reads badly, the better one."""
        background = 1.0 if self._background is None else self._background
        text = 0.0 if self._text is None else self._text
        if contrast(background, text) >= 4.5:
            return ""
        return DARK if contrast(background, 0.016) >= contrast(background, 1.0) else LIGHT


def luminance(value: str) -> float | None:
    """Relative luminance (0 to 1) of the first colour in a CSS value; None when there is none that is known."""
    for found in _VALUE.finditer(value.lower()):
        digits = found[1] or _NAMED.get(found[5] or "", "")
        if digits:
            digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
            parts = [int(digits[at : at + 2], 16) for at in (0, 2, 4)]
        elif found[2]:
            parts = [min(int(found[at]), 255) for at in (2, 3, 4)]
        else:
            continue
        red, green, blue = (_linear(part / 255) for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return None


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def contrast(one: float, other: float) -> float:
    """1 to 21, from two luminances."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
