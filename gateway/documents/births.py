"""Dates on which people were born.

what:       a date with a word for birth close before it
takes→gives: text → (ISO date, offset); cell → ISO date
knows not:  today
fails by:   nothing
standard:   ISO 8601; days as people in the Netherlands and in English write them. Linear
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "januari", "january"), ("feb", "februari", "february"), ("mrt", "maart", "mar", "march"),
            ("apr", "april"), ("mei", "may"), ("jun", "juni", "june"), ("jul", "juli", "july"),
            ("aug", "augustus", "august"), ("sep", "sept", "september"), ("okt", "oktober", "oct", "october"),
            ("nov", "november"), ("dec", "december"),
        ),
        1,
    )
    for name in names
}  # fmt: skip
_DATE = re.compile(
    r"(?<![\w/.-])(?:"
    r"(?P<d>\d{1,2})[-/. ](?P<m>\d{1,2})[-/. ](?P<y>(?:19|20)\d{2}|\d{2})"
    r"|(?P<iy>(?:19|20)\d{2})[-/.](?P<im>\d{1,2})[-/.](?P<id>\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?"
    r"|(?P<wd>\d{1,2})(?:e|st|nd|rd|th)?[ -](?P<wm>[A-Za-z]{3,9})\.?[ -](?P<wy>(?:19|20)\d{2})"
    r"|(?P<em>[A-Z][a-z]{2,8})\.? (?P<ed>\d{1,2})(?:st|nd|rd|th)?,? (?P<ey>(?:19|20)\d{2})"
    r")(?![\w/:]|[-.]\d)"
)
# Begins with a letter, not with a boundary: so most of a text is passed over without a try.
_WORD = re.compile(
    r"[gbd](?:(?<=g)eboorte|(?<=b)irth|(?<=\bg)eb(?:oren)?\b\.?|(?<=\bb)orn\b|(?<=\bd)\.?o\.?b\b)", re.IGNORECASE
)
_CLOSE = 48
_FIRST, _LAST = 1900, 2099
_CENTURY = 30  # two digits above it are of the last century


def births(text: str) -> Iterator[tuple[str, int]]:
    """Dates of birth in running text."""
    words = [m.end() for m in _WORD.finditer(text)]
    if not words:
        return
    used, position = -1, 0
    for match in _DATE.finditer(text):
        while position + 1 < len(words) and words[position + 1] <= match.start():
            position += 1
        if position != used and 0 <= match.start() - words[position] <= _CLOSE and (day := _iso(match)):
            used = position  # one word speaks of one date
            yield day, match.start()


def days(text: str) -> Iterator[tuple[str, int]]:
    """Every date, below a heading that says what they are."""
    return ((day, match.start()) for match in _DATE.finditer(text) if (day := _iso(match)))


def cell(text: str) -> str:
    """The date that a cell is, "" when it is none."""
    match = _DATE.fullmatch(text.strip()) if len(text) < 40 else None
    return _iso(match) if match is not None else ""


def worded(text: str) -> bool:
    """Whether a word for birth stands in it."""
    return _WORD.search(text) is not None


def _iso(match: re.Match[str]) -> str:
    found = match.groupdict()
    if found["d"]:
        day, month, year = int(found["d"]), int(found["m"]), int(found["y"])
        if year < 100:
            year += 1900 if year > _CENTURY else 2000
    elif found["iy"]:
        day, month, year = int(found["id"]), int(found["im"]), int(found["iy"])
    else:
        kind = "w" if found["wd"] else "e"
        day, year = int(found[f"{kind}d"]), int(found[f"{kind}y"])
        month = _MONTHS.get(found[f"{kind}m"].lower(), 0)
    try:
        return date(year, month, day).isoformat() if _FIRST <= year <= _LAST else ""
    except ValueError:
        return ""
