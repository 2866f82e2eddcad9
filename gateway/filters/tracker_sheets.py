"""What the style sheets of a mail say about the size and showing of elements, where the selector is a simple one.

what:       rules outside any @ block whose selector is a type, classes and an id; nothing of combinators
takes→gives: text of style elements → `Sheet`; element name, classes, id → declarations
knows not:  inline styles, which images are trackers
fails by:   nothing: what is not understood says nothing
standard:   Selectors 4 (type, class, id); R-058

A hint beside size and style of the element itself, so only so much is read: `LONGEST` characters, `MOST` rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.filters.tracker_styles import UnreadableStyle, declarations, hides, may_hide

LONGEST = 128 * 1024
MOST = 500
_ELEMENT = re.compile(rb"<style\b[^>]*>(.*?)(?:</style|\Z)", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_BRACE = re.compile(r"[{}]")
_SELECTOR = re.compile(r"\s*([a-z][\w:-]*|\*)?((?:[.#][\w-]+)*)\s*", re.IGNORECASE)
_NAME = re.compile(r"[.#][\w-]+")
_SAYS_SIZE = re.compile(r"width|height", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Rule:
    """`names` are the classes (with their dot) and ids (with #) that an element must have; `element` "" is any."""

    element: str
    names: frozenset[str]
    says: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rules by one of the names they ask for, or by element."""

    rules: Mapping[str, tuple[_Rule, ...]] = field(default_factory=dict)
    hiding: frozenset[str] = frozenset()
    """Names and elements with a rule that hides."""

    def of(self, element: str, classes: str, identity: str) -> dict[str, str]:
        """What the sheet says about an element; classes and ids outweigh its type."""
        names = frozenset([f".{c}" for c in classes.split()[:20]] + ([f"#{identity.strip()}"] if identity else []))
        said: dict[str, str] = {}
        for key in (element, *sorted(names, key=lambda name: name[0] == "#")):
            for rule in self.rules.get(key, ()):
                if rule.element in ("", element) and rule.names <= names:
                    said.update(rule.says)
        return said

    def may_hide(self, element: str, classes: str, identity: str) -> bool:
        """Cheap test before `of`, for elements that show no image themselves."""
        if not self.hiding:
            return False
        return (
            element in self.hiding
            or f"#{identity}" in self.hiding
            or any(f".{c}" in self.hiding for c in classes.split())
        )


NO_SHEET = Sheet()


def sheet(content: bytes) -> Sheet:
    """The style sheets of an HTML text as one; `NO_SHEET` where none says anything about size or showing."""
    left, rules = LONGEST, list[_Rule]()
    if b"<style" not in content and b"<STYLE" not in content and b"<Style" not in content:
        return NO_SHEET
    for found in _ELEMENT.finditer(content, 0, 4 * LONGEST):
        text = found[1][:left].decode("latin-1")
        left -= len(text)
        rules += _rules(_COMMENT.sub(" ", text), MOST - len(rules))
        if left <= 0 or len(rules) >= MOST:
            break
    return _indexed(rules)


def _indexed(rules: Iterable[_Rule]) -> Sheet:
    table: dict[str, list[_Rule]] = {}
    for rule in rules:
        table.setdefault(min(rule.names, default=rule.element), []).append(rule)
    hiding = frozenset(key for key, many in table.items() if any(hides(rule.says) for rule in many))
    return Sheet({key: tuple(many) for key, many in table.items()}, hiding)


def _rules(text: str, most: int) -> list[_Rule]:
    found: list[_Rule] = []
    depth = opened = begun = 0
    for brace in _BRACE.finditer(text):
        at = brace.start()
        if brace[0] == "{":
            depth += 1
            opened = at if depth == 1 else opened
        else:
            if depth == 1:
                found += _rule(text[begun:opened], text[opened + 1 : at])
            depth = max(0, depth - 1)
            if not depth:
                begun = at + 1
        if len(found) >= most:
            break
    return found[:most]


def _rule(prelude: str, block: str) -> list[_Rule]:
    prelude = prelude.rpartition(";")[2]
    if "@" in prelude or len(prelude) > 2000 or not (may_hide(block) or _SAYS_SIZE.search(block)):
        return []
    try:
        says = declarations(block)
    except UnreadableStyle:
        return []
    made = [_selected(selector, says) for selector in prelude.split(",")[:50]] if says else []
    return [rule for rule in made if rule is not None]


def _selected(selector: str, says: Mapping[str, str]) -> _Rule | None:
    found = _SELECTOR.fullmatch(selector)
    if found is None or not selector.strip():
        return None
    element = (found[1] or "").lower()
    names = frozenset(_NAME.findall(found[2]))
    return _Rule("" if element == "*" else element, names, says) if names or element not in ("", "*") else None
