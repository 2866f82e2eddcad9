"""Web addresses as a mail program would load them, and the shapes that tracker facts are written in.

what:       `Url` (read tolerantly, as browsers do) and `Shape` (HOST/SEGMENT/..?NAME, linear to match)
takes→gives: text of a URL → `Url` or None; pattern text → `Shape`; `Shape` + `Url` → match
knows not:  HTML, mail, which shapes are trackers
fails by:   `ValueError` for a shape that cannot be read; never for a URL
standard:   WHATWG URL 4.4 (white space, back slashes and missing slashes of special schemes)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

MAX_SEGMENTS = 12
"""Segments and parameters looked at; what lies behind them cannot make a match slow."""
MAX_PARAMETERS = 40
MAX_HOST = 253
"""Longer names are in no name server (RFC 1035 2.3.4)."""
_START = re.compile(r"(?:(https?|ftp):[/\\]*|[/\\]{2,})", re.IGNORECASE)
_AUTHORITY_END = re.compile(r"[/\\?#]")
_IGNORED = str.maketrans("", "", "\t\r\n")
_DIGITS = re.compile(r"\d+")
_HOST = re.compile(r"[a-z0-9#_-]+(?:\.[a-z0-9#_-]+)+")
_TOKEN = re.compile(r"[\w.~%+=,:!*-]+")
_NAME = re.compile(r"[\w.~-]+(?:=[\w.~-]*)?|[\w.~-]+=\{target\}")


@dataclass(frozen=True, slots=True)
class Url:
    """A remote address. `host` is lower case without port; `path`, `query`, `fragment` are as written, undecoded.

    `segments` are the first of the path, without the empty one before the first slash.
    """

    host: str
    path: str
    query: str
    fragment: str
    segments: tuple[str, ...]

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """Name (decoded) and value (as written) of the first parameters of the query."""
        if not self.query:
            return []
        pieces = self.query.split("&", MAX_PARAMETERS)[:MAX_PARAMETERS]
        return [(unquote(name), value) for name, _, value in (piece.partition("=") for piece in pieces)]


def read(text: str) -> Url | None:
    """The address that `text` loads over the network; None when it is relative or of another scheme (cid:, data:)."""
    text = text.strip(" \t\r\n\f\0").translate(_IGNORED)
    start = _START.match(text)
    if start is None:
        return None
    rest = text[start.end() :]
    stop = _AUTHORITY_END.search(rest)
    authority, tail = (rest[: stop.start()], rest[stop.start() :]) if stop else (rest, "")
    tail, _, fragment = tail.partition("#")
    path, _, query = tail.partition("?")
    host = unquote(authority.rpartition("@")[2]).lower()
    host = host.partition(":")[0].rstrip(".") if not host.startswith("[") else host
    if not host or len(host) > MAX_HOST:
        return None
    return Url(
        host, path, query, fragment, tuple(path.replace("\\", "/").split("/", MAX_SEGMENTS + 1)[1 : MAX_SEGMENTS + 1])
    )


@lru_cache(maxsize=1024)
def suffixes(host: str) -> tuple[str, ...]:
    """`a.b.c` → a.b.c, b.c, c; and each with runs of digits written `#`. At most the last eight labels."""
    labels = host.rsplit(".", 8)[-8:]
    plain = [".".join(labels[i:]) for i in range(len(labels))]
    return (*plain, *(s for s in (_DIGITS.sub("#", p) for p in plain) if s not in plain))


@dataclass(frozen=True, slots=True)
class Shape:
    """One pattern. `host` "" means any host, and then the segments may start anywhere in the path.

    A segment is literal, `begin*`, `*end`, `*` (any one), `{id}` (an individual-looking one) or `{target}` (an encoded
    URL). What follows the last segment is free; a final `$` ends the path. `names` must all be in the query.
    """

    text: str
    host: str
    segments: tuple[str, ...]
    names: tuple[str, ...]
    closed: bool

    @property
    def key(self) -> str:
        """The literal first segment, lower case; "" when it is not literal."""
        first = self.segments[0] if self.segments else ""
        return "" if "*" in first or "{" in first else first.lower()

    def match(self, url: Url, at: int = 0) -> str | None:
        """None when `url`, its path read from segment `at`, is not of this shape; else the decoded {target}, or ""."""
        here = [unquote(s) for s in url.segments[at : at + len(self.segments) + 1]]
        if len(here) < len(self.segments) or (self.closed and len(here) > len(self.segments)):
            return None
        target = ""
        for wanted, segment in zip(self.segments, here, strict=False):
            if not _fits(wanted, segment):
                return None
            target = segment if wanted == "{target}" else target
        for name in self.names:
            value = _parameter(url, name)
            if value is None:
                return None
            target = value or target
        return target


def _fits(wanted: str, segment: str) -> bool:
    if wanted in ("*", "{target}"):
        return bool(segment)
    if wanted == "{id}":
        return individual(segment)
    wanted, segment = wanted.lower(), segment.lower()
    if wanted.endswith("*"):
        return segment.startswith(wanted[:-1])
    return segment.endswith(wanted[1:]) if wanted.startswith("*") else segment == wanted


def _parameter(url: Url, wanted: str) -> str | None:
    """None when the query lacks it; the decoded value for `name={target}`, else ""."""
    name, equals, value = wanted.partition("=")
    for found, raw in url.parameters:
        if found.lower() != name.lower():
            continue
        if value == "{target}":
            return unquote(raw) or None
        if not equals or unquote(raw).lower() == value.lower():
            return ""
    return None


_EXTENSION = re.compile(r"\.(?:gif|png|jpe?g|webp|svg|bmp|ico|avif)$", re.IGNORECASE)
_ADDRESS = re.compile(r"(?<=[\w.+-])(?:@|%40)(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])")
_FILE = re.compile(
    r"\.(?:gif|png|jpe?g|webp|svg|bmp|ico|avif|css|woff2?|ttf|otf|eot|mp[34]|webm|og[gv]|m4[av])$", re.IGNORECASE
)
_SPLIT = re.compile(r"[^0-9A-Za-z]+")
_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])?(?:[0-5]\d){0,2})?")
_SIZE = re.compile(r"\d+x\d+(?:px)?", re.IGNORECASE)
_RUNS = re.compile(r"\d+|[a-z]+|[A-Z]+")


def holds_address(text: str) -> bool:
    """Whether a mail address stands in it, plain or percent-encoded. `logo@2x.png` and `lib@5.3.0` are none."""
    return any(not _EXTENSION.search(found[0]) for found in _ADDRESS.finditer(text[:4000]))


def individual(text: str, *, digits: int = 5) -> bool:
    """Whether one path segment or value looks made for one person: an address, a number, a key, an encoded blob.

    Numbers of `digits` or more count unless they read as a date; words, sizes (600x400) and versions do not.
    """
    if holds_address(text):
        return True
    text = _EXTENSION.sub("", text[:400])
    return len(text) > 100 or any(_mixed(piece, digits) for piece in _SPLIT.split(text))


def _mixed(piece: str, digits: int) -> bool:
    if _DATE.fullmatch(piece) or _SIZE.fullmatch(piece):
        return False
    if piece.isdecimal():
        return len(piece) >= digits
    runs = len(_RUNS.findall(piece))
    if piece.isalpha():
        return len(piece) >= 16 and runs > len(piece) * 0.35
    return (len(piece) >= 8 and runs >= 3) or len(piece) >= 24


def names_file(url: Url) -> bool:
    """Whether the path ends in the name of a picture, style sheet, font, sound or film."""
    return _FILE.search(url.path) is not None


def static_file(url: Url) -> bool:
    """Whether it reads as one file for everybody: an image file name, nothing individual, at most a version."""
    segments = url.segments
    if not segments or not _EXTENSION.search(segments[-1]):
        return False
    if any(individual(unquote(segment)) for segment in segments):
        return False
    return all(n.lower() in ("v", "ver", "version", "rev") and len(v) <= 8 for n, v in url.parameters if n or v)


def shape(text: str) -> Shape:
    """Read one pattern. Raises ValueError that says what is wrong and what is expected."""
    path, _, query = text.partition("?")
    closed = path.endswith("$")
    host, slash, rest = path.removesuffix("$").partition("/")
    segments = tuple(rest.rstrip("/").split("/")) if slash and rest.strip("/") else ()
    names = tuple(query.split("&")) if query else ()
    if host and not _HOST.fullmatch(host):
        raise ValueError(f"shape {text!r}: expected a lower-case host name, or / first for any host")
    for segment in segments:
        _check_segment(text, segment)
    if any(not _NAME.fullmatch(name) for name in names):
        raise ValueError(f"shape {text!r}: expected ?name, ?name=value or ?name={{target}}, joined by &")
    made = Shape(text, host, segments, names, closed)
    if not host and not made.key:
        raise ValueError(f"shape {text!r}: a shape for any host must start with a literal segment")
    return made


def _check_segment(text: str, segment: str) -> None:
    if segment in ("*", "{id}", "{target}"):
        return
    inner = segment[1:] if segment.startswith("*") else segment.removesuffix("*")
    if not inner or "*" in inner or not _TOKEN.fullmatch(inner):
        raise ValueError(f"shape {text!r}: segment {segment!r}: expected text, text*, *text, *, {{id}} or {{target}}")
