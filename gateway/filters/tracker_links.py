"""Links that say who clicked: known parameters cut out of the address, known redirectors replaced by their target.

what:       one address in HTML or text → the byte spans that go, and what takes their place
takes→gives: bytes, facts → `Cut`s; the rest of the query keeps its order and its bytes
knows not:  where the address stands in the message, consent, streams
fails by:   nothing: what cannot be read is left alone
standard:   R-060; WHATWG URL 5.1 (pairs joined by &); RFC 3986 3.4
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from gateway.config import weburl
from gateway.config.trackers import Trackers

MAX_REDIRECTS = 4
_MARKUP_AND = re.compile(r"&(?:amp;|#0{0,9}38;|#x0{0,9}26;)?", re.IGNORECASE)
_PLAIN_AND = re.compile(r"&")
_MARKUP_HASH = re.compile(r"(?<!&)#")
_PLAIN_HASH = re.compile(r"#")
_TEXT_URL = re.compile(rb"https?://[^\s<>\"']+", re.IGNORECASE)
_MARKUP_URL = re.compile(rb"https?://(?:[^\s<>\"'&]|&(?:amp;|#38;|#x26;)|&(?![a-z0-9#]{1,12};))+", re.IGNORECASE)
_TRAILING = b".,;:!?)]}*_"
_UNRESERVED = "!#$%&'()*+,/:;=?@[]~-._"


@dataclass(frozen=True, slots=True)
class Cut:
    """Replace octets start..end by `text`. `kind`: link-parameter, redirect, or tracked-link (nothing to replace)."""

    start: int
    end: int
    text: bytes
    kind: str


def clean(value: bytes, facts: Trackers, exempt: frozenset[str], *, markup: bool) -> list[Cut]:
    """What goes out of one address.

    `markup`: character references stand for characters (HTML), else not (text). `exempt` holds decoded addresses that
    stay, and beginnings of such when they end in "/".
    """
    raw = value.decode("latin-1")
    plain = html.unescape(raw) if markup and "&" in raw else raw
    url = weburl.read(plain)
    if url is None or facts.leave_alone(url) or _is_exempt(plain.strip(), exempt):
        return []
    target = _unwrap(url, facts)
    if target:
        return [Cut(0, len(value), _write(target, markup), "redirect")]
    if facts.records_click(url):
        return [Cut(0, 0, b"", "tracked-link")]
    return _parameters(raw, plain, url.host, facts, markup)


def clean_text(
    content: bytes, start: int, end: int, facts: Trackers, exempt: frozenset[str], *, markup: bool
) -> list[Cut]:
    """The same for every address that stands in the text start..end of `content`; spans count from 0 of `content`."""
    cuts = []
    for found in (_MARKUP_URL if markup else _TEXT_URL).finditer(content, start, end):
        address = found[0].rstrip(_TRAILING)
        at = found.start()
        for cut in clean(address, facts, exempt, markup=markup):
            cuts.append(Cut(cut.start + at, cut.end + at, cut.text, cut.kind))
    return cuts


def _is_exempt(plain: str, exempt: frozenset[str]) -> bool:
    return plain in exempt or any(begin.endswith("/") and plain.startswith(begin) for begin in exempt)


def _unwrap(url: weburl.Url, facts: Trackers) -> str:
    """Where the redirector leads, its own parameters cleaned; "" when `url` is none or hides it."""
    found = ""
    for _ in range(MAX_REDIRECTS):
        target = facts.target(url)
        inner = weburl.read(target)
        if inner is None or not target.lower().startswith(("http://", "https://")):
            break
        found, url = target, inner
    return found and _apply(found, _spans(found, url.host, facts, markup=False))


def _write(target: str, markup: bool) -> bytes:
    """A decoded address as bytes of the document: other than URL characters percent-encoded, then escaped for HTML."""
    octets = target.encode("latin-1") if target.isascii() else target.encode("utf-8", "replace")
    text = quote(octets, safe=_UNRESERVED)
    return (html.escape(text) if markup else text).encode("ascii")


def _parameters(raw: str, plain: str, host: str, facts: Trackers, markup: bool) -> list[Cut]:
    wanted_spans = _spans(plain, host, facts, markup=False)
    if not wanted_spans:
        return []
    wanted = _apply(plain, wanted_spans)
    spans = _spans(raw, host, facts, markup=markup)
    if (html.unescape(_apply(raw, spans)) if markup else _apply(raw, spans)) != wanted:
        # Character references inside names or separators: write the whole address anew rather than cut blindly.
        return [Cut(0, len(raw), _write(wanted, markup), "link-parameter")]
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
        if 0 <= start < end:
            spans += _list_spans(text, start, end, host, facts, separator)
    return spans


def _list_spans(
    text: str, mark: int, end: int, host: str, facts: Trackers, separator: re.Pattern[str]
) -> list[tuple[int, int]]:
    """Of one list behind its mark ("?" or "#") at `mark`."""
    begins = [mark + 1, *(found.end() for found in separator.finditer(text, mark + 1, end))]
    ends = [*(found.start() for found in separator.finditer(text, mark + 1, end)), end]
    gone = [_known(text[b:e], host, facts) for b, e in zip(begins, ends, strict=True)]
    if all(gone):
        return [(mark, end)]
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
