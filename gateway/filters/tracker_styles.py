"""CSS as trackers use it: addresses that a style loads, and declarations that make an element tiny or invisible.

what:       style text → spans of addresses; style attribute → sizes and hiding
takes→gives: text (one character per octet) → `Load`s, declarations
knows not:  HTML, which addresses are trackers
fails by:   `UnreadableStyle` when it holds more escapes than any real style
standard:   CSS Syntax 3; CSS Values 4 (url, src, image-set); CSS 2.2; R-058

Everything that reads as an address is found, also where a browser sees a comment or a string: browsers do not agree
where those end, and what is taken out of a comment is missed by nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MAX_ESCAPES = 2000
NOTHING = "data:,"
"""An address that loads nothing, valid wherever CSS takes one."""
# Names of what loads, or a back slash, behind which any of them can hide.
_MAY_LOAD = re.compile(r"url|src|image-set|@import|\\", re.IGNORECASE)
_MAY_HIDE = re.compile(
    r"none|hidden|collapse|opacity\s*:\s*0?\.?0|max-(?:height|width)\s*:\s*\+?[0.]|:\s*-\d\d\d|scale|zoom|clip|/\*|\\",
    re.I,
)
_ESCAPE = re.compile(r"\\([0-9a-fA-F]{1,6}[ \t\r\n\f]?|\r\n|.)", re.DOTALL)
_PAD = "\x01"
"""Stands behind a character that was written longer, so that positions stay."""
_ODD = "\x02"
"""Stands for an escaped character that would end an address."""
_ENDS = frozenset("\"'()\\ \t\r\n\f;{}")


def _spelled(word: str) -> str:
    return f"{_PAD}*".join(map(re.escape, word)) + f"{_PAD}*"


_NAMES = {name: _spelled(name) for name in ("url", "src", "image-set", "@import")}
_SPACE = rf"(?:[\s{_PAD}]|/\*[^*]{{0,200}}\*/)*"
_VALUE = r"(?:\"[^\"\n]*\"?|'[^'\n]*'?|[^)\"'\s][^)]*|(?=\)))"
_LOAD = re.compile(
    rf"(?<![-\w\x80-\xff])(?:{_NAMES['url']}|{_NAMES['src']})\([\s{_PAD}]*(?P<url>{_VALUE})\)?"
    rf"|{_NAMES['@import']}{_SPACE}(?P<import>\"[^\"\n]*\"?|'[^'\n]*'?)"
    rf"|(?<![-\w\x80-\xff]){_NAMES['src']}\s*=\s*(?P<filter>\"[^\"\n]*\"?|'[^'\n]*'?)"
    rf"|(?P<set>{_NAMES['image-set']}\()",
    re.IGNORECASE | re.DOTALL,
)
_IN_SET = re.compile(r"\"[^\"\n]*\"?|'[^'\n]*'?|[()]")
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_DECLARED = re.compile(
    r"(?:\A|[;{])\s*(display|visibility|opacity|overflow|transform|zoom|clip|clip-path|text-indent"
    r"|(?:max-)?(?:width|height)|margin-(?:left|top)|left|right|top|bottom)\s*:([^;}]*)",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    r"\s*(?:calc\(\s*)?\+?((?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})(?:e[+-]?\d{1,2})?)"
    r"\s*(px|pt|em|rem|ex|ch|%|vw|vh|vmin|vmax|in|cm|mm|q|pc)?\s*\)?\s*(?:!\s*important)?\s*",
    re.IGNORECASE,
)
_DIMENSION = re.compile(r"\s*\+?(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*(%?)")
_FAR = re.compile(r"\s*-\d{3,9}(?:\.\d{1,9})?\s*(?:px|pt|em|rem|%|in|cm)\s*(?:!\s*important)?\s*", re.IGNORECASE)
_SCALED_AWAY = re.compile(r"scale(?:3d|x|y)?\(\s*0*(?:\.0\d*)?\s*[,)]")
_CLIPPED = re.compile(
    r"rect\(\s*[01](?:px)?[\s,]+[01](?:px)?[\s,]+[01](?:px)?[\s,]+[01](?:px)?\s*\)|inset\(\s*(?:100|[5-9]\d)%"
)
_UNITS = {"px": 1.0, "pt": 1.33, "em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0, "in": 96.0, "cm": 38.0, "mm": 3.8}
_UNITS |= {"q": 0.95, "pc": 16.0, "vw": 6.0, "vh": 6.0, "vmin": 6.0, "vmax": 6.0}
SIZES = ("width", "height", "max-width", "max-height")
TINY = 2.0
"""Pixels; up to this width or height something shows nothing."""
_OUTSIDE = ("left", "top", "right", "bottom", "margin-left", "margin-top", "text-indent")


class UnreadableStyle(ValueError):
    """More escapes than any real style."""


@dataclass(frozen=True, slots=True)
class Load:
    """One address in a style: `start`..`end` is the token that names it, `opening` and `closing` stand around it there.

    Writing `instead` in its place makes the style load nothing.
    """

    start: int
    end: int
    address: str
    opening: str
    closing: str

    @property
    def instead(self) -> str:
        return self.with_address(NOTHING)

    def with_address(self, address: str) -> str:
        """The token for another address, which must be plain ASCII without quotes, spaces and brackets."""
        return f"{self.opening}{address}{self.closing}"


def may_load(style: str) -> bool:
    """Cheap test before `loads`."""
    return _MAY_LOAD.search(style) is not None


def loads(style: str) -> list[Load]:
    """Every address that `style` (a sheet or the value of a style attribute) makes a reader load, in order."""
    if not _MAY_LOAD.search(style):
        return []
    flat = _unescaped(style)
    found: list[Load] = []
    inside = 0  # up to here strings are addresses: the end of the outermost image-set()
    for match in _LOAD.finditer(flat):
        name = match.lastgroup or ""
        if name != "set":
            found.append(_load(match, name))
        elif match.start() >= inside:
            strings, inside = _set(flat, match.end())
            found += strings
    return sorted(found, key=lambda load: load.start) if inside else found


def _load(match: re.Match[str], name: str) -> Load:
    start = match.start(name)
    text = match[name]
    if text[:1] in ("'", '"'):
        return _quoted(text, start)
    return Load(match.start(), match.end(), _address(text), "url(", ")")


def _quoted(text: str, start: int) -> Load:
    quote = text[0]
    inner = text[1:-1] if len(text) > 1 and text.endswith(quote) else text[1:]
    return Load(start, start + len(text), _address(inner), quote, quote)


def _set(flat: str, at: int) -> tuple[list[Load], int]:
    """Strings directly in an image-set() that begins before `at`, and where it ends. url() in it is found elsewhere."""
    depth, found = 1, list[Load]()
    for token in _IN_SET.finditer(flat, at):
        if token[0] in "()":
            depth += 1 if token[0] == "(" else -1
            if not depth:
                return found, token.end()
        elif depth == 1:
            found.append(_quoted(token[0], token.start()))
    return found, len(flat)


def _address(text: str) -> str:
    return text.replace(_PAD, "").strip() if _PAD in text else text.strip()


def _unescaped(style: str) -> str:
    """Escapes replaced by what they stand for, every character at its old place."""
    if "\\" not in style:
        return style
    if style.count("\\") > MAX_ESCAPES:
        raise UnreadableStyle(f"more than {MAX_ESCAPES} escapes")
    return _ESCAPE.sub(_padded, style)


def _padded(escape: re.Match[str]) -> str:
    letter = _letter(escape[1])
    return (_ODD if letter in _ENDS else letter) + _PAD * (len(escape[0]) - 1)


def _letter(written: str) -> str:
    if written[0] in "\r\n\f":
        return _PAD  # an escaped line end is nothing
    if written[0] not in "0123456789abcdefABCDEF":
        return written[0]
    code = int(written, 16)
    return chr(code) if 0 < code < 0x110000 else "\ufffd"


def hides(style: Mapping[str, str]) -> bool:
    """Whether declarations make an element invisible: not shown, transparent, of no size, or far outside the page."""
    get = style.get
    if get("display", "").startswith("none") or get("visibility", "").startswith(("hidden", "collapse")):
        return True
    for name in ("opacity", "zoom"):
        share = pixels(get(name, ""))
        if share is not None and share <= 0.05 and "%" not in get(name, ""):
            return True
    sizes = {name: size for name in SIZES if (size := pixels(get(name, ""))) is not None}
    if any(size == 0 for name, size in sizes.items() if name.startswith("max")):
        return True
    if get("overflow", "").startswith(("hidden", "clip")) and any(size <= TINY for size in sizes.values()):
        return True
    if any(_FAR.fullmatch(get(name, "")) for name in _OUTSIDE) or _SCALED_AWAY.search(get("transform", "")):
        return True
    return any(_CLIPPED.search(get(name, "")) for name in ("clip", "clip-path"))


def may_hide(style: str) -> bool:
    """Cheap test before `declarations` and `hides`."""
    return _MAY_HIDE.search(style) is not None


def declarations(style: str) -> dict[str, str]:
    """What `style` says about size and showing: names and values in lower case, the last of a name counts.

    Escapes and comments are understood. Raises `UnreadableStyle`.
    """
    if "\\" in style:
        style = _unescaped(style).replace(_PAD, "")
    if "/*" in style:
        style = _COMMENT.sub(" ", style)
    return {found[1].lower(): found[2].strip().lower() for found in _DECLARED.finditer(style)}


def pixels(value: str) -> float | None:
    """A CSS length or plain number in pixels; None when it is none, or a share that is not 0."""
    found = _LENGTH.fullmatch(value) if value else None
    if found is None:
        return None
    number, unit = float(found[1]), (found[2] or "px").lower()
    if unit in _UNITS:
        return number * _UNITS[unit]
    return 0.0 if number == 0 else None


def dimension(value: str) -> float | None:
    """An HTML dimension in pixels, as browsers read it: the number that the value begins with (HTML 2.3.4.4)."""
    found = _DIMENSION.match(value) if value else None
    if found is None or (found[2] and float(found[1])):
        return None
    return float(found[1])
