"""Links that say who clicked: parameters cut out of the address, redirectors replaced by where they lead.

what:       one address in HTML or text → the octets that go, and what takes their place
takes→gives: octets, `Rules` → `Cut`s; the rest of the query keeps its order and its octets
knows not:  where the address stands in the message, streams
fails by:   nothing: what cannot be read is left alone
standard:   R-059, R-060; WHATWG URL 5.1 (pairs joined by &); RFC 3986 3.4
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote, unquote

from gateway.compared import NEVER, Compared, Sameness
from gateway.config import weburl
from gateway.config.targets import decoded, packed
from gateway.config.trackers import Trackers

MAX_REDIRECTS = 4
MAX_ADDRESS = 16 * 1024
"""Octets; longer ones are left as they are, and reported."""
MOST = 1500
"""Different addresses of one mail that are read closely; newsletters have some hundred."""
NOT_CLEANED = "tracked-link"
"""Kind of a cut that cuts nothing: the link says who clicked, and where it leads cannot be told from it."""
_MARKUP_AND = re.compile(r"&(?:amp;|#0{0,9}38;|#x0{0,9}26;)?", re.IGNORECASE)
_PLAIN_AND = re.compile(r"&")
_MARKUP_HASH = re.compile(r"(?<!&)#")
_PLAIN_HASH = re.compile(r"#")
_LONG = 10
"""Characters of a piece of a path from which on it can stand for one person: titles of articles end in shorter ones."""
_RUNS = re.compile(r"[0-9]+|[a-z]+|[A-Z]+")
_MIXED = 5
"""Runs of digits, small and capital letters in such a piece; one of twice that length needs no more than 3."""
_PIECES = re.compile(r"[^0-9A-Za-z]+")
_CODED = re.compile(r"(?=[a-z-]*\d)(?=[\d:,-]*[a-z])[\w.,:-]{8,}", re.IGNORECASE)
"""A value of letters and digits: on a link that counts clicks it says for whom."""
_NUMBERS = re.compile(r"\d{1,20}(?:[:;,._-]\d{1,20}){0,9}")
"""A value of nothing but numbers."""
_PLAIN = re.compile(
    r"https?://((?:[A-Za-z0-9-]{1,40}\.){1,6}[A-Za-z]{2,24})(?:/(?:[a-z]*+\d{0,4}+(?![A-Za-z\d])[._-]*+){0,15}+){0,8}+"
)
"""An address that says nothing but a place: words, and numbers of up to four digits."""
_WRITTEN_OUT = re.compile(r"[/=]https?(?::|%3a)", re.IGNORECASE)
_UNRESERVED = "!#$%&'()*+,/:;=?@[]~-._"


class Cut(NamedTuple):
    """Replace octets start..end by `text`. Links: link-parameter, redirect, made-common, or `NOT_CLEANED`."""

    start: int
    end: int
    text: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What links are cleaned by.

    `exempt` holds decoded addresses that stay, and beginnings of such when they end in "/". `several`: it is one mail
    to several people, so that they share an address does not say that it is common. `known` remembers what was found
    for an address, of `MOST` at most: what else is in a mail with more is left and reported.
    """

    facts: Trackers
    exempt: frozenset[str] = frozenset()
    compared: Compared = NEVER
    several: bool = False
    known: dict[tuple[bytes, bool], list[Cut]] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Whether no further address is read closely."""
        return len(self.known) >= MOST


def clean(value: bytes, rules: Rules, *, markup: bool) -> list[Cut]:
    """What goes out of one address. `markup`: character references stand for characters (HTML), else not (text)."""
    key = value, markup
    found = rules.known.get(key)
    if found is None:
        too_much = rules.full or len(value) > MAX_ADDRESS
        if too_much:
            return [Cut(len(value), len(value), b"", NOT_CLEANED)]
        found = rules.known[key] = _clean(value, rules, markup)
    return found


def _clean(value: bytes, rules: Rules, markup: bool) -> list[Cut]:
    raw = value.decode("latin-1")
    plain = html.unescape(raw) if markup and "&" in raw else raw
    url = weburl.read(plain)
    if url is None or _is_exempt(plain.strip(), rules.exempt):
        return []
    cuts = _cuts(raw, plain, url, rules, markup)
    return [] if cuts and rules.facts.leave_alone(url) else cuts


def _cuts(raw: str, plain: str, url: weburl.Url, rules: Rules, markup: bool) -> list[Cut]:
    facts = rules.facts
    not_cleaned = Cut(len(raw), len(raw), b"", NOT_CLEANED)
    if target := _unwrap(url, facts):
        inner = weburl.read(target)
        if inner and facts.leave_alone(inner):
            return [not_cleaned]  # behind the counter is an opt-out or an account: it must work as it is
        redirect = Cut(0, len(raw), write(target, markup), "redirect")
        return [redirect, not_cleaned] if inner and facts.records_click(inner) else [redirect]
    verdict = rules.compared.of(plain)
    if verdict.sameness is Sameness.INDIVIDUAL and verdict.common:
        common = _apply(verdict.common, _spans(verdict.common, url.host, facts, markup=False))
        return [Cut(0, len(raw), write(common, markup), "made-common")]
    if facts.records_click(url):
        return [not_cleaned]
    cuts = _parameters(raw, plain, url.host, facts, markup) if url.query or url.fragment else []
    individual = verdict.sameness is Sameness.INDIVIDUAL and not cuts
    looks = (rules.several or verdict.sameness is not Sameness.COMMON) and not facts.page(url) and _telling(url, facts)
    return [*cuts, not_cleaned] if individual or looks else cuts


def plain(address: str, rules: Rules) -> bool:
    """Whether nothing can be found in an address: no query, no fact about its host, nothing long in its path. Cheap."""
    if rules.compared.verdicts or not (found := _PLAIN.fullmatch(address)):
        return False
    segments = address[found.end(1) :].lower().split("/")
    return rules.facts.unknown(found[1].lower(), segments)


def _is_exempt(plain: str, exempt: frozenset[str]) -> bool:
    return plain in exempt or any(begin.endswith("/") and plain.startswith(begin) for begin in exempt)


def _telling(url: weburl.Url, facts: Trackers) -> bool:
    """Whether what stays of a cleaned link looks made for one person."""
    counts = facts.clicks_label(url)
    for name, value in url.parameters:
        if facts.parameter(name, url.host):
            continue
        if (value and facts.reader(name)) or weburl.individual(unquote(value or name), digits=8):
            return True
        if counts and _CODED.fullmatch(value):
            return True
        if facts.carries(name) and "http" in value[:5] and decoded(value):
            return True
    if counts and _counted(url, facts):
        return True
    if sum(segment.isdecimal() and len(segment) >= 5 for segment in url.segments) > 1:
        return True
    return any(map(_mixed, _pieces(url, _LONG)))


def _counted(url: weburl.Url, facts: Trackers) -> bool:
    """Whether a link that counts clicks says for whom: a key, one long number, or several numbers."""
    if any(segment.isdecimal() and len(segment) >= 5 for segment in url.segments) or any(map(_key, _pieces(url, 6))):
        return True
    values = [value for _, value in url.parameters if _NUMBERS.fullmatch(value or "")]
    numbers = [number for value in values for number in _PIECES.split(value)]
    several = len(values) > 1 or (len(numbers) > 1 and any(len(number) >= 5 for number in numbers))
    return sum(len(number) >= 5 for number in numbers) > 1 or (several and facts.clicks_file(url))


def _pieces(url: weburl.Url, least: int) -> Iterator[str]:
    """What stands between signs in the segments of at least so many characters."""
    return (piece for segment in url.segments if len(segment) >= least for piece in _PIECES.split(unquote(segment)))


def _key(piece: str) -> bool:
    """Short, but no word and no number: `a1b2c3`. Enough on a link that counts clicks."""
    return 6 <= len(piece) <= _LONG and piece.isalnum() and len(_RUNS.findall(piece)) >= _MIXED - 1


def _mixed(piece: str) -> bool:
    if len(piece) < _LONG or piece.isdecimal():
        return False
    runs = len(_RUNS.findall(piece))
    return runs >= _MIXED or (len(piece) >= 2 * _LONG and runs >= 3)


def _unwrap(url: weburl.Url, facts: Trackers) -> str:
    """Where the redirector leads, its own parameters cleaned; "" when `url` is none or hides it."""
    found = ""
    for _ in range(MAX_REDIRECTS):
        target = facts.target(url) or carried(url, facts)
        inner = weburl.read(target) if target else None
        if inner is None or "." not in inner.host:
            break
        found, url = target, inner
        if facts.leave_alone(url):
            break
    return found and _apply(found, _spans(found, url.host, facts, markup=False))


def carried(url: weburl.Url, facts: Trackers) -> str:
    """The one address that a redirector no fact names carries: encoded, or written out where words say what it is."""
    found = {packed(unquote(segment, "latin-1")) for segment in url.segments if len(segment) >= _LONG}
    if (url.query or _WRITTEN_OUT.search(url.path)) and facts.clicks_word(url):
        found |= {decoded(unquote(value, "latin-1")) for name, value in url.parameters if facts.carries(name)}
        if start := _WRITTEN_OUT.search(url.path):
            found.add(decoded(url.path[start.start() + 1 :] + (f"?{url.query}" if url.query else "")))
    found.discard("")
    return found.pop() if len(found) == 1 else ""


def write(target: str, markup: bool) -> bytes:
    """An address, one character per octet, for the document: what is no URL character percent-encoded, then escaped."""
    octets = b"".join(c.encode("latin-1" if c < "\u0100" else "utf-8", "replace") for c in target)
    text = quote(target if target.isascii() else octets, safe=_UNRESERVED)
    return (html.escape(text) if markup else text).encode("ascii")


def _parameters(raw: str, plain: str, host: str, facts: Trackers, markup: bool) -> list[Cut]:
    wanted_spans = _spans(plain, host, facts, markup=False)
    if not wanted_spans:
        return []
    wanted = _apply(plain, wanted_spans)
    spans = wanted_spans if raw == plain else _spans(raw, host, facts, markup=markup)
    if raw != plain and html.unescape(_apply(raw, spans)) != wanted:
        # Character references inside names or separators: write the whole address anew rather than cut blindly.
        return [Cut(0, len(raw), write(wanted, markup), "link-parameter")]
    return [Cut(start, end, b"", "link-parameter") for start, end in spans]


def _apply(text: str, spans: list[tuple[int, int]]) -> str:
    kept, at = [], 0
    for start, end in spans:
        kept.append(text[at:start])
        at = end
    return "".join((*kept, text[at:]))


def _spans(text: str, host: str, facts: Trackers, *, markup: bool) -> list[tuple[int, int]]:
    """Spans of known parameters in query and fragment, each with one separator; with "?" or "#" when nothing stays."""
    separator = _MARKUP_AND if markup else _PLAIN_AND
    hash_found = (_MARKUP_HASH if markup else _PLAIN_HASH).search(text)
    fragment = hash_found.start() if hash_found else len(text)
    mark = text.find("?", 0, fragment)
    spans = []
    for start, end in ((mark, fragment), (fragment, len(text))):
        if 0 <= start < end and text.find("=", start, end) >= 0:
            spans += _list_spans(text, start, end, host, facts, separator)
    return spans


def _list_spans(
    text: str, mark: int, end: int, host: str, facts: Trackers, separator: re.Pattern[str]
) -> list[tuple[int, int]]:
    """Of one list behind its mark ("?" or "#") at `mark`."""
    separators = [found.span() for found in separator.finditer(text, mark + 1, end)]
    begins = [mark + 1, *(after for _, after in separators)]
    ends = [*(before for before, _ in separators), end]
    gone = [_known(text[b:e], host, facts) for b, e in zip(begins, ends, strict=True)]
    if all(gone):
        return [(mark, end)]
    if not any(gone):
        return []
    spans: list[tuple[int, int]] = []
    first_kept = gone.index(False)
    if first_kept:
        spans.append((begins[0], begins[first_kept]))
    for at in range(first_kept + 1, len(gone)):
        if gone[at]:
            spans.append((ends[at - 1], ends[at]))
    return _joined(spans)


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _known(pair: str, host: str, facts: Trackers) -> bool:
    name, equals, _ = pair.partition("=")
    if not equals:
        return False
    name = html.unescape(name) if "&" in name else name
    return facts.parameter(unquote(name) if "%" in name else name, host)
