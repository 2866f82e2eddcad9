"""Which addresses of a mail are compared with other copies of it, and by what those copies are known.

what:       remote loads and links of the text parts, each with a slot; features of subject and text
takes→gives: `Message` → `Seen`; an address → its slot, its keys, its parameters, the picture it names
knows not:  other copies, recipients, keys; whether an address is a tracker
fails by:   nothing: a part that cannot be read gives nothing
standard:   R-059

A slot names the kind of place: what element and size, which host, how deep a path, which parameter names. It says
nothing about where in the mail it stands, so that blocks can come and go between copies. What looks individual in a
host is left out of the slot; a path's segments are all left out.
"""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from gateway.compared import written
from gateway.config import weburl
from gateway.message.draft import Draft
from gateway.message.html import Style, Text, Unscannable
from gateway.message.parse import Message, Part
from gateway.message.skim import Glance, Mark, skim

MOST_PLACES = 400
MOST_FEATURES = 400
LONGEST_PART = 256 * 1024
"""Octets of a part that are read; what lies behind them is not compared."""
MOST_KEYS = 4
SKETCH = 32
"""Features of a text that stand for all of them: those with the lowest numbers, so that copies choose the same."""
_FEW = 12  # texts; with fewer, single words are the features
_MARKUP = ("text/html", "text/x-amp-html", "text/watch-html")
_REMOTE = re.compile(r"\s*(?:https?:|ftp:|[/\\]{2})", re.IGNORECASE)
_REMOTE_STARTS = frozenset("hHfF/\\ \t\n\r\f\v\x1c\x1d\x1e\x1f")
_IN_STYLE = re.compile(r"""url\(\s*["']?([^"')\s]+)|@import\s+["']([^"']+)""", re.IGNORECASE)
_REFRESH = re.compile(r"url\s*=\s*['\"]?([^'\"]+)", re.IGNORECASE)
_TEXT_URL = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_TRAILING = ".,;:!?)]}*_"
_LINKS = frozenset({"a", "area", "form"})
_SIZED = frozenset({"img", "image", "input", "amp-img", "amp-anim", "td", "table"})
_RELATIVE = ("src", "href", "background", "poster")
_NEVER = ("xmlns", "data-", "aria-")
_EXTENSION = re.compile(r"\.([a-z]{2,4}\d?)$", re.IGNORECASE)
_PIECES = re.compile(r"[^0-9A-Za-z]+")
_RUNS = re.compile(r"\d+|[a-z]+|[A-Z]+")
_SIZE = re.compile(r"\d+x\d+(?:px)?", re.IGNORECASE)
_WORDS = re.compile(r"\w+")
_LONG_NUMBER = re.compile(r"\d{5,}")
_HEX = re.compile(r"[0-9a-f]+", re.IGNORECASE)
_VERSIONS = frozenset({"v", "ver", "version", "rev", "t", "ts", "time", "w", "h", "width", "height", "dpr", "q"})
_SIGNS = (b"//", b"&", b"/\\", b"\\/", b"\\\\")
_NO_NAMES = frozenset[str]()
Values = Sequence[tuple[str, str | None]]
"""Attributes of one element: name in lower case, value with references resolved, None without "="."""
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_IN_BYTES = re.compile(rb"https?://\S+", re.IGNORECASE)


class Place(NamedTuple):
    """One address of a mail, as `compared.written` makes it, and the slot it stands in. `link`: or a remote load."""

    slot: str
    address: str
    link: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything of one copy that is compared. `subject` and `content` hold numbers of 32 bits."""

    places: tuple[Place, ...] = ()
    subject: frozenset[int] = frozenset()
    content: frozenset[int] = frozenset()


UNSEEN = Seen()


class Parameter(NamedTuple):
    """One pair of a query or of a fragment's list, as written."""

    name: str
    value: str


def find(message: Message) -> Seen:
    """What copies of this mail would be compared by; `UNSEEN` where there is no address to compare."""
    places: dict[Place, None] = {}
    features: dict[str, set[int]] = {}
    draft = Draft(message)
    parts = [part for part in message.text_parts() if not draft.why_not(part)]
    if not any(_may_lead(draft.content(part)[:LONGEST_PART]) for part in parts):
        return UNSEEN
    for part in parts:
        if len(places) < MOST_PLACES:
            found = features.setdefault("html" if part.content_type in _MARKUP else "text", set())
            places.update(dict.fromkeys(_of_part(part, draft.content(part)[:LONGEST_PART], found)))
    if not places:
        return UNSEEN
    content = features.get("html") or features.get("text") or set()
    subject = "".join(message.text_value(field) for field in message.fields("subject"))
    return Seen(tuple(places)[:MOST_PLACES], _subject(subject), frozenset(sorted(content)[:SKETCH]))


def _may_lead(content: bytes) -> bool:
    """Whether there can be an address in it, perhaps in references: a quick answer for the mails without one."""
    return any(sign in content for sign in _SIGNS) or b"http" in (low := content.lower()) or b"ftp:" in low


def _of_part(part: Part, content: bytes, features: set[int]) -> list[Place]:
    if part.content_type not in _MARKUP:
        features |= _features(content.splitlines())
        if b"://" not in content:
            return []
        return list(_in_text(content.decode("latin-1"), references=False))
    try:
        return _Reader(content).read(features)
    except Unscannable:
        return []


class _Reader:
    """One HTML part."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._base = ""
        self._texts: list[bytes] = []

    def read(self, features: set[int]) -> list[Place]:
        found: list[Place] = []
        content, texts = self._content, self._texts
        for node in skim(content, Glance(_NO_NAMES, closely=True, texts=True, comments=b"<!--[if" in content)):
            if type(node) is Mark:
                if not node.closing and (values := node.token.attrs):
                    self._element(node.name, values, found)
            elif type(node) is Text:
                text = b"" if node.element else content[node.start : node.end].strip()
                if text:
                    texts.append(text)
                    if b"://" in text:
                        found.extend(_in_text(text.decode("latin-1"), references=True))
            elif type(node) is Style:
                found.extend(_in_style(content[node.start : node.end].decode("latin-1")))
            if len(found) > MOST_PLACES:
                break
        features |= _features(texts) | {f for p in found if not p.link and (f := _read(p.address).plain)}
        return found

    def _element(self, element: str, values: Values, found: list[Place]) -> None:
        for name, value in values:
            if not value:
                continue
            if name == "style":
                if "(" in value:
                    found.extend(_in_style(value))
            elif name.endswith("srcset"):
                found.extend(_places((item.rstrip(",") for item in value.split()), _size(element, values)))
            elif name == "content":
                if element == "meta" and (target := _REFRESH.search(value)):
                    found.extend(_places((target[1],), ""))
            elif (value[0] in _REMOTE_STARTS or not value[0].isascii()) and _REMOTE.match(value):
                if not name.startswith(_NEVER):
                    self._attribute(element, name, value, values, found)
            elif self._base and name in _RELATIVE:
                self._attribute(element, name, value, values, found)

    def _attribute(self, element: str, name: str, value: str, values: Values, found: list[Place]) -> None:
        if element == "base" and name == "href":
            self._base = self._base or value
            return
        link = element in _LINKS and name != "src"
        place = _place(value, "" if link else _size(element, values), link=link, base=self._base)
        if place is not None:
            found.append(place)


def _size(element: str, values: Values) -> str:
    if element not in _SIZED:
        return element
    said = {name: (value or "").strip()[:8] for name, value in values if name in ("width", "height")}
    return f"{said.get('width', '')}x{said.get('height', '')}"


def _in_text(text: str, *, references: bool) -> Iterator[Place]:
    for found in _TEXT_URL.finditer(text):
        address = html.unescape(found[0]) if references and "&" in found[0] else found[0]
        place = _place(address.rstrip(_TRAILING), "", link=True)
        if place is not None:
            yield place


def _in_style(style: str) -> Iterator[Place]:
    return _places((found[1] or found[2] for found in _IN_STYLE.finditer(style)), "style")


def _places(addresses: Iterator[str] | tuple[str, ...], size: str) -> Iterator[Place]:
    for address in addresses:
        if _REMOTE.match(address) and (place := _place(address, size, link=False)) is not None:
            yield place


def _place(address: str, size: str, *, link: bool, base: str = "") -> Place | None:
    address = written(address)
    shape = _read(address).shape
    if not shape and base:
        shape = _read(_beside(base, address)).shape
    return Place(f"{'link' if link else 'load'} {size} {shape}", address, link) if shape else None


def _beside(base: str, address: str) -> str:
    """A relative address below its base, near enough to tell its slot."""
    if not address or address.startswith("#") or ":" in address.partition("/")[0]:
        return ""
    above = weburl.read(base)
    folder = above.path.rpartition("/")[0] if above and not address.startswith("/") else ""
    return f"https://{above.host}{folder}/{address.lstrip('/')}" if above else ""


class _Known(NamedTuple):
    """An address read once. `shape`: its slot without kind and size; `plain`: the feature of a plain file, or 0."""

    url: weburl.Url | None
    shape: str
    plain: int


_NOT_REMOTE = _Known(None, "", 0)


@lru_cache(maxsize=4096)
def _read(address: str) -> _Known:
    url = weburl.read(address)
    if url is None:
        return _NOT_REMOTE
    last = _EXTENSION.search(url.path)
    names = " ".join(sorted({name for name, _ in url.parameters})) if url.query else ""
    shape = f"{_masked(url.host)} {url.path.count('/')} {last[1].lower() if last else ''} {names}"
    # A plain file has the same name in all copies of a campaign, and often another one in the next.
    plain = last is not None and weburl.static_file(url)
    return _Known(url, shape, zlib.crc32(f"{url.host}{url.path}".encode("utf-8", "replace")) if plain else 0)


@lru_cache(maxsize=1024)
def _masked(host: str) -> str:
    return ".".join("*" if weburl.individual(label) else label for label in host.split("."))


@lru_cache(maxsize=1024)
def keys(address: str) -> tuple[str, ...]:
    """What in the address looks made for one person rather than for one article or picture, at most `MOST_KEYS`.

    A number in a path may be an article's, a number under a name such as v a version.
    """
    url = _read(address).url
    if url is None:
        return ()
    words = (*url.host.split("."), *map(unquote, url.segments))
    found = [w for w in words if len(w) > 100 or weburl.holds_address(w) or _key(_EXTENSION.sub("", w))]
    for name, value in url.parameters:
        if weburl.individual(unquote(value)) and not (value.isdecimal() and name.lower() in _VERSIONS):
            found.append(f"{name}={value}")
    return tuple(found[:MOST_KEYS])


@lru_cache(maxsize=1024)
def picture(address: str) -> str:
    """The file name of a picture where it can be read, as `foto.jpg`; else "". Two such names are two pictures."""
    url = _read(address).url
    if url is None or not url.segments or not weburl.names_file(url):
        return ""
    name = unquote(url.segments[-1])
    return name if any(map(_word, _PIECES.split(_EXTENSION.sub("", name)))) else ""


def _word(piece: str) -> bool:
    readable = len(piece) >= 3 and piece.isalpha() and (piece[1:].islower() or piece.isupper())
    return readable and not _HEX.fullmatch(piece)


def _key(word: str) -> bool:
    """A key changes between letters, capitals and digits all the time, whatever stands between its pieces."""
    pieces = _PIECES.split(word)
    if any(not piece.isdecimal() and weburl.individual(piece) for piece in pieces):
        return True
    whole = "".join(piece for piece in pieces if not _SIZE.fullmatch(piece))
    changes = len(_RUNS.findall(whole))
    return len(whole) >= 8 and changes >= 3 and changes >= 0.3 * len(whole)


@lru_cache(maxsize=1024)
def parameters(address: str) -> tuple[str, tuple[Parameter, ...]]:
    """What stands before the query, and the pairs of the query. A fragment is part of neither."""
    before, _, query = address.partition("#")[0].partition("?")
    if not query:
        return before, ()
    pairs = (piece.partition("=") for piece in query.split("&", weburl.MAX_PARAMETERS))
    return before, tuple(Parameter(name, value) for name, _, value in pairs if name)


def without(address: str, gone: frozenset[Parameter]) -> str:
    """The address with these pairs cut out, the others in their order and as written."""
    whole, hash_mark, fragment = address.partition("#")
    before, _, query = whole.partition("?")
    pieces = query.split("&") if query else []
    kept = [piece for piece in pieces if Parameter(*piece.partition("=")[::2]) not in gone]
    return before + ("?" if kept else "") + "&".join(kept) + hash_mark + fragment


@lru_cache(maxsize=1024)
def plain_page(address: str) -> bool:
    """Whether nothing in host and path looks individual, so that they name one page for everybody."""
    url = weburl.read(address)
    return url is not None and not any(weburl.individual(unquote(s)) for s in (*url.host.split("."), *url.segments))


def _subject(text: str) -> frozenset[int]:
    words = _WORDS.findall(_LONG_NUMBER.sub("0", text.lower())[:1000])
    return frozenset(zlib.crc32(word.encode("utf-8", "replace")) for word in words[:SKETCH])


def _features(texts: list[bytes]) -> set[int]:
    """Texts as numbers; addresses and digits in them do not count, for those of one person differ."""
    if len(texts) < _FEW:
        texts = b" ".join(texts).split()[:MOST_FEATURES]
    return {zlib.crc32(_bare(text)) for text in texts[:MOST_FEATURES]}


def _bare(text: bytes) -> bytes:
    return (_IN_BYTES.sub(b"", text) if b"://" in text else text).translate(_DIGITS)
