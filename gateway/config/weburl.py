"""Web addresses as a mail program would load them, and the shapes that tracker facts are written in.

what:       `Url` (read tolerantly, as browsers do) and `Shape` (HOST/SEGMENT/..?NAME, linear to match)
takes→gives: text of a URL → `Url` or None; pattern text → `Shape`; `Shape` + `Url` → match
knows not:  HTML, mail, which shapes are trackers
fails by:   `ValueError` for a shape that cannot be read; never for a URL
standard:   WHATWG URL 4.4 (white space, back slashes and missing slashes of special schemes)
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

MAX_SEGMENTS = 12
"""Segments and parameters looked at; what lies behind them cannot make a match slow."""
MAX_PARAMETERS = 40
MAX_HOST = 253
"""Longer names are in no name server (RFC 1035 2.3.4)."""
_START = re.compile(r"(?:(https?|ftp):[/\\]*|[/\\]{2,})", re.IGNORECASE)
_PLAIN = re.compile(
    r"https?://((?:[a-z0-9_-]{1,63}\.){1,8}[a-z]{2,24})(?:(?=/)([^?#\s\\]*+)(?:\?([^#\s]*+))?(?:#(\S*+))?)?",
    re.IGNORECASE,
)
"""An address as nearly all are written: nothing in it has to be put right. Needs no control characters to be found."""
_AUTHORITY_END = re.compile(r"[/\\?#]")
_IGNORED = str.maketrans("", "", "\t\r\n")
_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(r"0x[0-9a-f]{0,16}|\d{1,16}")
_HOST = re.compile(r"[a-z0-9#_-]+(?:\.[a-z0-9#_-]+)+")
_TOKEN = re.compile(r"[\w.~%+=,:!*-]+")
_NAME = re.compile(r"[\w.~-]+(?:=[\w.~-]*)?|[\w.~-]+=\{target\}")


class Url(NamedTuple):
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
    if plain := _PLAIN.fullmatch(text):
        host, path, query, fragment = plain.groups("")
        return Url(host.lower(), path, query, fragment, tuple(path.split("/", MAX_SEGMENTS + 1)[1 : MAX_SEGMENTS + 1]))
    text = text.strip(" \t\r\n\f\0")
    if not text.isprintable():
        text = text.translate(_IGNORED)
    start = _START.match(text)
    if start is None:
        return None
    rest = text[start.end() :]
    stop = _AUTHORITY_END.search(rest)
    authority, tail = (rest[: stop.start()], rest[stop.start() :]) if stop else (rest, "")
    tail, _, fragment = tail.partition("#")
    path, _, query = tail.partition("?")
    host = host_of(authority)
    if not host or len(host) > MAX_HOST:
        return None
    slashed = path.replace("\\", "/") if "\\" in path else path
    segments = tuple(slashed.split("/", MAX_SEGMENTS + 1)[1 : MAX_SEGMENTS + 1])
    return Url(host, path, query, fragment, segments)


@lru_cache(maxsize=2048)
def host_of(authority: str) -> str:
    """The host of `user@host:port` as a browser would ask for it: lower case, wide letters narrow, numbers dotted."""
    host = authority.rpartition("@")[2]
    if "%" in host:
        host = unquote(host)
    host = host.lower()
    if not host.isascii():
        host = _narrow(host)
    if host.startswith("["):
        return _six(host.partition("]")[0][1:])
    host = host.partition(":")[0].rstrip(".")
    last = host.rpartition(".")[2]
    return _dotted(host) if last[:1].isdecimal() and _NUMBER.fullmatch(last) else host


def _narrow(host: str) -> str:
    # HTML values come one character per octet: what is UTF-8 there is read as such first.
    try:
        host = host.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        pass
    return unicodedata.normalize("NFKC", host).replace("\u3002", ".").lower()


def _six(text: str) -> str:
    try:
        address = ipaddress.IPv6Address(text.partition("%")[0])
    except ValueError:
        return f"[{text}]"
    return str(address.ipv4_mapped or f"[{address.compressed}]")


def _dotted(host: str) -> str:
    """An IPv4 address written as one to four decimal, octal or hexadecimal numbers (WHATWG URL 3.5)."""
    pieces = host.split(".")
    if len(pieces) > 4 or not all(_NUMBER.fullmatch(piece) for piece in pieces):
        return host
    numbers = [_number(piece) for piece in pieces]
    if any(number > 255 for number in numbers[:-1]) or numbers[-1] >= 256 ** (5 - len(numbers)):
        return host
    value = numbers[-1] + sum(number << (24 - 8 * at) for at, number in enumerate(numbers[:-1]))
    return str(ipaddress.IPv4Address(value))


def _number(text: str) -> int:
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    octal = len(text) > 1 and text.startswith("0") and not set(text) & {"8", "9"}
    return int(text, 8 if octal else 10)


@lru_cache(maxsize=1024)
def suffixes(host: str) -> tuple[str, ...]:
    """`a.b.c` → a.b.c, b.c, c; and each with runs of digits written `#`. At most the last eight labels."""
    labels = host.rsplit(".", 8)[-8:]
    plain = [".".join(labels[i:]) for i in range(len(labels))]
    return (*plain, *(s for s in (_DIGITS.sub("#", p) for p in plain) if s not in plain))


@dataclass(frozen=True, slots=True)
class Shape:
    """One pattern. `host` "" means any host, and then the segments may start anywhere in the path.

    A segment is literal, `begin*`, `*end`, `*` (any one), `{id}` (an individual-looking one), `{n}` (a number, as a
    picture too), `{target}` (an encoded URL) or, as the last, `{rest}` (a URL as all of what follows). What follows
    the last segment is free; a final `$` ends the path. `names` must all be in the query; `#{target}` is a URL
    in the fragment.
    """

    text: str
    host: str
    segments: tuple[str, ...]
    names: tuple[str, ...]
    closed: bool
    fragment: bool = False

    @property
    def key(self) -> str:
        """The literal first segment, lower case; "" when it is not literal."""
        first = self.segments[0] if self.segments else ""
        return "" if "*" in first or "{" in first else first.lower()

    def match(self, url: Url, at: int = 0) -> str | None:
        """None when `url`, its path read from segment `at`, is not of this shape; else the decoded {target}, or ""."""
        here = url.segments[at : at + len(self.segments) + 1]
        if len(here) < len(self.segments) or (self.closed and len(here) > len(self.segments)):
            return None
        target = ""
        for place, (wanted, segment) in enumerate(zip(self.segments, here, strict=False)):
            segment = unquote(segment, "latin-1") if "%" in segment else segment
            if not _fits(wanted, segment):
                return None
            if wanted == "{rest}":
                target = _rest(url, at + place)
            elif wanted == "{target}":
                target = segment
        if self.fragment:
            target = url.fragment
            if not target:
                return None
        for name in self.names:
            value = _parameter(url, name)
            if value is None:
                return None
            target = value or target
        return target


def _rest(url: Url, at: int) -> str:
    """The path from segment `at` on, and the query, as written."""
    path = url.path.replace("\\", "/").split("/", at + 1)[-1]
    return f"{path}?{url.query}" if url.query else path


def _fits(wanted: str, segment: str) -> bool:
    if wanted in ("*", "{target}", "{rest}"):
        return bool(segment)
    if wanted == "{id}":
        return individual(segment)
    if wanted == "{n}":
        return _EXTENSION.sub("", segment).isdecimal()
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
            return unquote(raw, "latin-1") or None
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
    whole, mark, fragment = text.partition("#{target}")
    if fragment:
        raise ValueError(f"shape {text!r}: expected #{{target}} as the last thing")
    path, _, query = whole.partition("?")
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
    if "{rest}" in segments[:-1]:
        raise ValueError(f"shape {text!r}: expected {{rest}} as the last segment")
    made = Shape(text, host, segments, names, closed, bool(mark))
    if not host and not made.key:
        raise ValueError(f"shape {text!r}: a shape for any host must start with a literal segment")
    return made


def _check_segment(text: str, segment: str) -> None:
    if segment in ("*", "{id}", "{n}", "{target}", "{rest}"):
        return
    inner = segment[1:] if segment.startswith("*") else segment.removesuffix("*")
    if not inner or "*" in inner or not _TOKEN.fullmatch(inner):
        raise ValueError(
            f"shape {text!r}: segment {segment!r}: expected text, text*, *text, *, {{id}}, {{n}}, {{target}}, {{rest}}"
        )
