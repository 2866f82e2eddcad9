"""CSS as trackers use it: addresses that a style loads, and styles that make an element invisible.

what:       style text → spans of addresses; style attribute → sizes and hiding
takes→gives: text (one character per octet) → `Load`s, declarations
knows not:  HTML, which addresses are trackers
fails by:   `UnreadableStyle` when nested too deep to be read
standard:   CSS Syntax 3; CSS Values 4 (url, src, image-set); R-058
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tinycss2

MAX_NESTING = 100
NOTHING = "data:,"
"""An address that loads nothing, valid wherever CSS takes one."""
# Names of what loads, or a back slash, behind which any of them can hide.
_MAY_LOAD = re.compile(r"url|src|image-set|@import|\\", re.IGNORECASE)
_MAY_HIDE = re.compile(
    r"none|hidden|collapse|opacity|(?:height|width)\s*:\s*\+?[0.]|:\s*-\d|scale|/\*|\\", re.IGNORECASE
)
_BRACKETS = re.compile(r"[\[({]|[\])}]")
_BARE_URL = re.compile(r"[^)\\]*(?:\\.[^)\\]*)*\)?", re.DOTALL)
_STRINGS = {
    '"': re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL),
    "'": re.compile(r"'[^'\\]*(?:\\.[^'\\]*)*'?", re.DOTALL),
}
_LENGTH = re.compile(
    r"\s*\+?(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*(px|pt|em|rem|%|vw|vh|in|cm|mm|pc)?\s*(?:!\s*important)?\s*",
    re.IGNORECASE,
)
_FAR = re.compile(r"\s*-\d{3,9}(?:\.\d{1,9})?\s*(?:px|pt|em|rem|%|in|cm)\s*(?:!\s*important)?\s*", re.IGNORECASE)
_UNITS = {"px": 1.0, "pt": 1.33, "em": 16.0, "rem": 16.0, "in": 96.0, "cm": 38.0, "mm": 3.8, "pc": 16.0}
SIZES = ("width", "height", "max-width", "max-height")
_OUTSIDE = ("left", "top", "right", "margin-left", "margin-top", "text-indent")


class UnreadableStyle(ValueError):
    """Nested deeper than any real style."""


@dataclass(frozen=True, slots=True)
class Load:
    """One address in a style: `start`..`end` is what `instead` replaces so that nothing is loaded."""

    start: int
    end: int
    address: str
    instead: str


def loads(style: str) -> list[Load]:
    """Every address that `style` (a sheet or the value of a style attribute) makes a reader load."""
    if not _MAY_LOAD.search(style):
        return []
    _check_nesting(style)
    # Positions must stay those of `style`: tinycss2 counts CR LF as one character.
    flat = style.replace("\r", " ").replace("\f", " ")
    lines = [0, *(found.end() for found in re.finditer("\n", flat))]
    found = []
    for node, is_url in _addresses(tinycss2.parse_component_value_list(flat, skip_comments=True)):
        start = lines[node.source_line - 1] + node.source_column - 1
        found.append(_load(flat, start, str(node.value), is_url))
    return found


def _check_nesting(style: str) -> None:
    depth = 0
    for bracket in _BRACKETS.finditer(style):
        depth = depth + 1 if bracket[0] in "[({" else max(0, depth - 1)
        if depth > MAX_NESTING:
            raise UnreadableStyle(f"style nested deeper than {MAX_NESTING}")


def _addresses(nodes: list[Any], *, strings: bool = False) -> Iterator[tuple[Any, bool]]:
    """Nodes that hold an address, and whether it is a url() token (else a string)."""
    importing = False
    for node in nodes:
        if node.type == "url":
            yield node, True
        elif node.type == "string" and (strings or importing):
            yield node, False
        elif node.type == "function":
            name = node.lower_name.rpartition("-")[2] if node.lower_name.endswith("image-set") else node.lower_name
            yield from _addresses(node.arguments, strings=name in ("url", "src", "set"))
        elif node.type in ("() block", "[] block", "{} block"):
            yield from _addresses(node.content)
        if node.type != "whitespace":
            importing = node.type == "at-keyword" and node.lower_value == "import"


def _load(style: str, start: int, address: str, is_url: bool) -> Load:
    if not is_url:
        quote = style[start]
        found = _STRINGS[quote].match(style, start)
        return Load(start, found.end() if found else start, address, f"{quote}{NOTHING}{quote}")
    opening = style.index("(", start) + 1  # a quoted url("…") is a function with a string, not this token
    found = _BARE_URL.match(style, opening)
    return Load(start, found.end() if found else opening, address, f"url({NOTHING})")


def hides(style: Mapping[str, str]) -> bool:
    """Whether declarations make an element invisible: not shown, transparent, of no size, or far outside the page."""
    if style.get("display", "").startswith("none") or style.get("visibility", "").startswith(("hidden", "collapse")):
        return True
    opacity = pixels(style.get("opacity", ""))
    if opacity is not None and opacity <= 0.05:
        return True
    none = [name for name in SIZES if pixels(style.get(name, "")) == 0]
    if none and (any(name.startswith("max") for name in none) or style.get("overflow", "").startswith("hidden")):
        return True
    return any(_FAR.fullmatch(style.get(name, "")) for name in _OUTSIDE) or "scale(0)" in style.get("transform", "")


def may_hide(style: str) -> bool:
    """Cheap test before `declarations` and `hides`."""
    return _MAY_HIDE.search(style) is not None


def declarations(style: str) -> dict[str, str]:
    """`a: b; c: d` → names and values in lower case, the last of a name counts. Escapes and comments are understood."""
    if not any(mark in style for mark in ("\\", "/*", '"', "'", "(")):
        pairs = (piece.partition(":") for piece in style.lower().split(";"))
        return {name.strip(): value.strip() for name, _, value in pairs}
    _check_nesting(style)
    found = tinycss2.parse_blocks_contents(style, skip_comments=True, skip_whitespace=True)
    read = (item for item in found if item.type == "declaration")
    return {item.lower_name: tinycss2.serialize(item.value).strip().lower() for item in read}


def pixels(value: str) -> float | None:
    """A CSS length, HTML dimension or plain number in pixels; None when it is none, or a share that is not 0."""
    found = _LENGTH.fullmatch(value)
    if found is None:
        return None
    number, unit = float(found[1]), (found[2] or "px").lower()
    if unit in _UNITS:
        return number * _UNITS[unit]
    return 0.0 if number == 0 else None
